import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { asciiBytes, concatBytes } from "../../src/kernel/bytes.js";
import type { Portrait } from "./facial-image.js";
import { PORTRAIT_HEIGHT, PORTRAIT_WIDTH } from "./portrait.js";

export const IMAGE_FORMATS = ["jpeg", "jp2", "j2k"] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];
export const IMAGE_DAMAGES = ["none", "truncated", "garbage", "huge"] as const;
export type ImageDamage = (typeof IMAGE_DAMAGES)[number];

const JPEG_QUALITY = 82;
/** JPEG 2000 is so many times smaller than the pixels. */
const COMPRESSION = 36;

/** The part of the codec that is used; it comes without types. */
interface Encoder {
  getDecodedBuffer(frame: object): Uint8Array;
  setQuality(lossless: boolean, quality: number): void;
  setCompressionRatio(layer: number, ratio: number): void;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
  delete(): void;
}
type LoadCodec = (options: object) => Promise<{ J2KEncoder: new () => Encoder }>;

/** A raw JPEG 2000 codestream of RGB pixels. */
export async function encodeJpeg2000(rgb: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  const require = createRequire(import.meta.url);
  const load = require("@cornerstonejs/codec-openjpeg/wasmjs") as LoadCodec;
  const wasmBinary = readFileSync(require.resolve("@cornerstonejs/codec-openjpeg/wasm"));
  // It warns of quality layers that nobody asked for.
  const { J2KEncoder } = await load({ wasmBinary, print() {}, printErr() {} });
  const encoder = new J2KEncoder();
  try {
    encoder.getDecodedBuffer({ width, height, bitsPerSample: 8, componentCount: 3, isSigned: false, isUsingColorTransform: true }).set(rgb);
    encoder.setQuality(false, 0);
    encoder.setCompressionRatio(0, COMPRESSION);
    encoder.encode();
    return encoder.getEncodedBuffer().slice();
  } finally {
    encoder.delete();
  }
}

const u32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
const box = (type: string, ...content: readonly Uint8Array[]): Uint8Array => {
  const body = concatBytes(content);
  return concatBytes([u32(8 + body.length), asciiBytes(type), body]);
};

/** A codestream in the boxes of a JP2 file (ISO 15444-1 annex I). */
export function jp2File(codestream: Uint8Array, width: number, height: number, fillBytes = 0): Uint8Array {
  const header = concatBytes([u32(height), u32(width), Uint8Array.of(0, 3, 7, 7, 0, 0)]);
  return concatBytes([
    box("jP  ", Uint8Array.of(0x0d, 0x0a, 0x87, 0x0a)),
    box("ftyp", asciiBytes("jp2 "), u32(0), asciiBytes("jp2 ")),
    // Enumerated colour space 16 is sRGB.
    box("jp2h", box("ihdr", header), box("colr", Uint8Array.of(1, 0, 0), u32(16))),
    box("jp2c", codestream),
    ...(fillBytes > 8 ? [box("free", new Uint8Array(fillBytes - 8))] : []),
  ]);
}

/** A JPEG that is longer by comment segments, which every decoder skips. */
export function fillJpeg(jpeg: Uint8Array, fillBytes: number): Uint8Array {
  const comments: Uint8Array[] = [];
  for (let left = fillBytes; left > 4; left -= 65_535) {
    const length = Math.min(left - 2, 65_533);
    comments.push(Uint8Array.of(0xff, 0xfe, length >> 8, length & 0xff), new Uint8Array(length - 2));
  }
  return concatBytes([jpeg.subarray(0, 2), ...comments, jpeg.subarray(2)]);
}

/** The picture of the given format, at least so long, and then damaged. */
export async function portraitImage(
  drawing: { jpeg(quality: number): Uint8Array; rgb(): Uint8Array },
  format: ImageFormat,
  atLeastBytes: number,
  damage: ImageDamage,
): Promise<Portrait> {
  const [width, height] = [PORTRAIT_WIDTH, PORTRAIT_HEIGHT];
  let bytes: Uint8Array;
  if (format === "jpeg") {
    const jpeg = drawing.jpeg(JPEG_QUALITY);
    bytes = fillJpeg(jpeg, atLeastBytes - jpeg.length);
  } else {
    const codestream = await encodeJpeg2000(drawing.rgb(), width, height);
    bytes = format === "j2k" ? codestream : jp2File(codestream, width, height, atLeastBytes - jp2File(codestream, width, height).length);
  }
  return { bytes: damaged(bytes, format, damage), jpeg2000: format !== "jpeg", width, height };
}

function damaged(bytes: Uint8Array, format: ImageFormat, damage: ImageDamage): Uint8Array {
  if (damage === "truncated") return bytes.slice(0, Math.floor(bytes.length / 2));
  if (damage === "garbage") return bytes.map((byte, index) => (index < 64 ? byte : (index * 167 + byte) & 0xff));
  if (damage === "huge") return format === "jpeg" ? hugeJpeg(bytes) : hugeJpeg2000(bytes);
  return bytes;
}

/** Claims 65,500 pixels each way in its frame header (ISO 10918-1 §B.2.2). */
function hugeJpeg(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  for (let at = 2; at + 9 < changed.length; ) {
    const marker = changed[at + 1] ?? 0;
    if (marker >= 0xc0 && marker <= 0xc2) {
      changed.set([0xff, 0xdc, 0xff, 0xdc], at + 5);
      break;
    }
    at += 2 + (changed[at + 2] ?? 0) * 256 + (changed[at + 3] ?? 0);
  }
  return changed;
}

/** Claims 1,000,000 pixels each way in the codestream's SIZ segment (ISO 15444-1 §A.5.1). */
function hugeJpeg2000(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  const siz = changed.findIndex(
    (byte, at) => byte === 0xff && changed[at + 1] === 0x4f && changed[at + 2] === 0xff && changed[at + 3] === 0x51,
  );
  if (siz >= 0) changed.set([...u32(1_000_000), ...u32(1_000_000)], siz + 8);
  return changed;
}
