import type { PictureQuality } from "../protocol/camera.js";
import type { ScanMode } from "../protocol/document-scanner.js";
import type { PrintBlock } from "../protocol/printer.js";
import type { RawPage } from "./document-scanner.js";

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

export interface PrepareOrder {
  readonly mode: ScanMode;
  readonly deskew: boolean;
  readonly cropToPage: boolean;
}

/** A page as it is kept until the whole is put together. */
export interface PreparedPage {
  /** JPEG of good quality for colour and grey, PNG of one bit for black and white. */
  readonly mediaType: "image/jpeg" | "image/png";
  readonly bytes: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly resolutionDpi: number;
  /** By which it was straightened. */
  readonly skewDegrees: number;
  /** Nothing on it that could be read. */
  readonly blank: boolean;
  /** JPEG, at most 480 pixels a side. */
  readonly thumbnail: Uint8Array;
}

export interface AssembleOrder {
  readonly format: "pdf" | "jpeg" | "png";
  /** Of the PDF, or of all images together. */
  readonly maxBytes?: number;
}

export interface Assembled {
  /** One for each page, in order; empty for a PDF. */
  readonly images: readonly { readonly bytes: Uint8Array; readonly widthPx: number; readonly heightPx: number }[];
  /** The PDF. */
  readonly document?: Uint8Array;
  readonly jpegQuality?: number;
  readonly resolutionDpi: number;
}

/** Scanned pages and camera pictures: hostile bytes, decoded and worked on in a child process. */
export interface Documents {
  /**
   * Straightens, crops and judges one page.
   * @throws DeviceError `device_fault` (no image, or a damaged one), `too_large`, `timeout`
   */
  prepare(page: RawPage, order: PrepareOrder, signal: AbortSignal): Promise<PreparedPage>;
  /**
   * The whole, fitted under `maxBytes` by stepping quality and resolution down to what can still be read.
   * @throws DeviceError `too_large` where that is not enough; its details say the least that it can be: `{ leastBytes }`
   */
  assemble(pages: readonly PreparedPage[], order: AssembleOrder, signal: AbortSignal): Promise<Assembled>;
  /**
   * One picture of a camera, measured, and made smaller where it is larger than the box.
   * @throws DeviceError `device_fault` (no JPEG, or a damaged one), `too_large`, `timeout`
   */
  picture(jpeg: Uint8Array, box: { readonly maxWidthPx?: number; readonly maxHeightPx?: number }, signal: AbortSignal): Promise<Picture>;
}

export interface Picture {
  /** JPEG. */
  readonly bytes: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly quality: PictureQuality;
}
