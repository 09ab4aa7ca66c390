import type { PrintBlock } from "../protocol/printer.js";

/** One bit per dot, rows padded to whole bytes, most significant bit left, 1 = black: the order that GS v 0 wants. */
export interface Bitmap {
  readonly widthDots: number;
  readonly heightDots: number;
  readonly bits: Uint8Array;
}

export type DrawableBlock = Extract<PrintBlock, { type: "text" | "columns" | "table" | "rule" | "qr" | "barcode" | "image" }>;

export interface LayoutStyle {
  /** Printable width. */
  readonly widthDots: number;
  /** Height of the normal letter's em square; 24 suits 203 dpi. */
  readonly fontDots: number;
}

/** Drawing and decoding, out of the agent's process: images are hostile input and drawing takes time. */
export interface Imaging {
  /**
   * Draws blocks, one bitmap each, full width.
   * @throws DeviceError `invalid_params` (an image that is none, a barcode that cannot be), `too_large`, `timeout`
   */
  draw(blocks: readonly DrawableBlock[], style: LayoutStyle, signal: AbortSignal): Promise<readonly Bitmap[]>;
  /** A bitmap as a PNG file. */
  png(bitmap: Bitmap, signal: AbortSignal): Promise<Uint8Array>;
}

/** Photographs of people, decoded where hostile bytes can do no harm. */
export interface Photos {
  /**
   * A photograph that browsers show, made from JPEG, JPEG 2000 (JP2 file or raw codestream) or PNG.
   * @throws DeviceError `invalid_params` (no such image, or a damaged one), `too_large`, `timeout`
   */
  photo(image: Uint8Array, signal: AbortSignal): Promise<Photo>;
}

export interface Photo {
  readonly mediaType: "image/jpeg" | "image/png";
  readonly bytes: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
}
