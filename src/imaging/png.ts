import { promisify } from "node:util";
import { crc32, deflate } from "node:zlib";
import type { Bitmap } from "../contracts/imaging.js";
import { asciiBytes, concatBytes } from "../kernel/bytes.js";
import { rowBytes } from "./bitmap.js";

const deflated = promisify(deflate);

/** A PNG of one bit per pixel (PNG Third Edition, 11.2.1), so that a dot stays a dot; with its resolution where that is given. */
export async function encodePng(bitmap: Bitmap, resolutionDpi?: number): Promise<Uint8Array> {
  const stride = rowBytes(bitmap.widthDots);
  const lines = new Uint8Array((stride + 1) * bitmap.heightDots);
  for (let y = 0; y < bitmap.heightDots; y++) {
    // Each line begins with its filter type, 0; in grayscale 1 is white.
    for (let x = 0; x < stride; x++) lines[y * (stride + 1) + 1 + x] = ~(bitmap.bits[y * stride + x] ?? 0);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, bitmap.widthDots);
  view.setUint32(4, bitmap.heightDots);
  header[8] = 1; // bit depth; colour type grayscale, no interlace
  return concatBytes([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    ...(resolutionDpi === undefined ? [] : [chunk("pHYs", pixelsPerMetre(resolutionDpi))]),
    chunk("IDAT", await deflated(lines)),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** 11.3.4.3, pHYs: across, down, and 1 for the metre. */
function pixelsPerMetre(resolutionDpi: number): Uint8Array {
  const content = new Uint8Array(9);
  const view = new DataView(content.buffer);
  view.setUint32(0, Math.round(resolutionDpi / 0.0254));
  view.setUint32(4, Math.round(resolutionDpi / 0.0254));
  content[8] = 1;
  return content;
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const named = concatBytes([asciiBytes(type), content]);
  const framed = new Uint8Array(named.length + 8);
  const view = new DataView(framed.buffer);
  view.setUint32(0, content.length);
  framed.set(named, 4);
  view.setUint32(named.length + 4, crc32(named));
  return framed;
}
