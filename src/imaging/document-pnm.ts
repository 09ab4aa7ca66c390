/** A picture without a wrapping: rows from the top, 8 bits a sample, one (grey) or three (RGB) samples a pixel. */
export interface RawPicture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly samples: Uint8Array;
}

export interface PnmHeader {
  readonly kind: "bitmap" | "gray" | "color";
  readonly width: number;
  readonly height: number;
  /** Where the samples begin. */
  readonly offset: number;
}

/** No real header is longer, comments included. */
const MOST_HEADER_BYTES = 1_024;

/** Of a binary PNM of 8 bits (netpbm's P4, P5 and P6), which is what scanimage writes; undefined where it is none. */
export function pnmHeader(file: Uint8Array): PnmHeader | undefined {
  const kind = file[0] === 0x50 ? ({ 52: "bitmap", 53: "gray", 54: "color" } as const)[file[1] as 0x34] : undefined;
  if (!kind) return undefined;
  const text = Buffer.from(file.subarray(2, MOST_HEADER_BYTES)).toString("latin1");
  // Between two numbers: blanks, and comments to the end of their line. After the last one exactly one blank.
  const gap = "(?:\\s|#[^\\n]*\\n)+";
  const numbers = kind === "bitmap" ? 2 : 3;
  const match = new RegExp(`^${`${gap}(\\d{1,9})`.repeat(numbers)}\\s`).exec(text);
  if (!match) return undefined;
  const [width, height, most = 255] = match.slice(1).map(Number) as [number, number, number?];
  if (width === 0 || height === 0 || most !== 255) return undefined;
  return { kind, width, height, offset: 2 + match[0].length };
}

/** Undefined where rows are missing. */
export function pnmPicture(file: Uint8Array, { kind, width, height, offset }: PnmHeader): RawPicture | undefined {
  const channels = kind === "color" ? 3 : 1;
  const rowBytes = kind === "bitmap" ? Math.ceil(width / 8) : width * channels;
  const packed = file.subarray(offset, offset + rowBytes * height);
  if (packed.length < rowBytes * height) return undefined;
  return { width, height, channels, samples: kind === "bitmap" ? unpacked(packed, width, height, rowBytes) : packed };
}

/** P4: most significant bit left, 1 is black. */
function unpacked(bits: Uint8Array, width: number, height: number, rowBytes: number): Uint8Array {
  const samples = new Uint8Array(width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to++) {
      samples[to] = ((bits[y * rowBytes + (x >> 3)] ?? 0) & (0x80 >> (x & 7))) === 0 ? 255 : 0;
    }
  }
  return samples;
}
