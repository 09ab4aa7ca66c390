import type { Bitmap } from "../contracts/imaging.js";
import { DeviceError } from "../kernel/errors.js";

/** Four metres of paper at 203 dpi: longer is no receipt but a mistake. */
export const MAX_ROWS = 32_000;

export function rowBytes(widthDots: number): number {
  return Math.ceil(widthDots / 8);
}

export function blankBitmap(widthDots: number, heightDots: number): Bitmap {
  if (heightDots > MAX_ROWS) throw tooLong();
  return { widthDots, heightDots, bits: new Uint8Array(rowBytes(widthDots) * heightDots) };
}

export function tooLong(): DeviceError {
  return new DeviceError("too_large", { message: `more than ${MAX_ROWS} rows of dots`, hint: "Print less on one receipt" });
}

/** Blackens a rectangle; what lies outside of the bitmap is cut off. */
export function fillRect(bitmap: Bitmap, x: number, y: number, width: number, height: number): void {
  const stride = rowBytes(bitmap.widthDots);
  const right = Math.min(bitmap.widthDots, x + width);
  const bottom = Math.min(bitmap.heightDots, y + height);
  for (let row = Math.max(0, y); row < bottom; row++) {
    for (let column = Math.max(0, x); column < right; column++) {
      const at = row * stride + (column >> 3);
      bitmap.bits[at] = (bitmap.bits[at] ?? 0) | (0x80 >> (column & 7));
    }
  }
}

/** Bitmaps of one width, one below the other. */
export function stack(widthDots: number, parts: readonly Bitmap[]): Bitmap {
  let rows = 0;
  for (const part of parts) rows += part.heightDots;
  const whole = blankBitmap(widthDots, rows);
  let offset = 0;
  for (const part of parts) {
    whole.bits.set(part.bits, offset);
    offset += part.bits.length;
  }
  return whole;
}

export type Align = "left" | "center" | "right";

/** Where something `width` wide begins within `room`. */
export function offsetOf(align: Align | undefined, room: number, width: number): number {
  if (align === "center") return Math.max(0, Math.floor((room - width) / 2));
  return align === "right" ? Math.max(0, room - width) : 0;
}
