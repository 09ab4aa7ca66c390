import { promisify } from "node:util";
import { crc32, deflate } from "node:zlib";
import { asciiBytes, concatBytes } from "../../src/kernel/bytes.js";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const named = concatBytes([asciiBytes(type), content]);
  return concatBytes([u32(content.length), named, u32(crc32(named))]);
}

/** Packed rows (1 = black) as a 1-bit grey PNG: dot for dot, and without a canvas' limit on height. */
export async function rowsToPng(widthDots: number, rows: readonly Uint8Array[]): Promise<Uint8Array> {
  const stride = Math.ceil(widthDots / 8);
  // An image of no height is not a PNG: an empty paper shows as one white row.
  const shown = rows.length === 0 ? [new Uint8Array(stride)] : rows;
  const raw = new Uint8Array(shown.length * (stride + 1));
  shown.forEach((row, y) => {
    // Filter 0, then the row; in PNG grey 1 is white.
    for (let x = 0; x < stride; x++) raw[y * (stride + 1) + 1 + x] = ~(row[x] ?? 0) & 0xff;
  });
  const header = concatBytes([u32(widthDots), u32(shown.length), Uint8Array.of(1, 0, 0, 0, 0)]);
  const compressed = await promisify(deflate)(raw);
  return concatBytes([SIGNATURE, chunk("IHDR", header), chunk("IDAT", compressed), chunk("IEND", new Uint8Array())]);
}
