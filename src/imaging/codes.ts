import bwipjs from "bwip-js/node";
import { encode } from "uqr";
import type { Bitmap, DrawableBlock, LayoutStyle } from "../contracts/imaging.js";
import { DeviceError } from "../kernel/errors.js";
import { blankBitmap, fillRect, offsetOf, stack } from "./bitmap.js";
import { drawText } from "./text.js";

type Qr = Extract<DrawableBlock, { type: "qr" }>;
type Barcode = Extract<DrawableBlock, { type: "barcode" }>;

/** ISO/IEC 18004, 5.3.8: four white modules on every side. */
const QR_QUIET_MODULES = 4;
/** GS1 General Specifications, 5.2: eleven modules are enough for each of the kinds offered here. */
const BAR_QUIET_MODULES = 11;

/** @throws DeviceError `too_large` where it does not fit on the paper. */
export function drawQr(block: Qr, { widthDots }: LayoutStyle): Bitmap {
  const module = block.moduleDots ?? 6;
  let code: ReturnType<typeof encode>;
  try {
    code = encode(block.data, { ecc: block.correction ?? "M", border: 0 });
  } catch (cause) {
    throw new DeviceError("too_large", { message: "too much data for one QR code", cause });
  }
  const side = code.size * module;
  if (side > widthDots) throw tooWide("QR code");
  const quiet = QR_QUIET_MODULES * module;
  const bitmap = blankBitmap(widthDots, side + 2 * quiet);
  const left = offsetOf(block.align ?? "center", widthDots, side);
  code.data.forEach((row, y) => {
    row.forEach((black, x) => {
      if (black) fillRect(bitmap, left + x * module, quiet + y * module, module, module);
    });
  });
  return bitmap;
}

const BWIPP_NAMES = { code128: "code128", code39: "code39", ean13: "ean13", ean8: "ean8", itf: "interleaved2of5" } as const;

/** @throws DeviceError `invalid_params` where the data cannot be such a barcode, `too_large` where it does not fit. */
export function drawBarcode(block: Barcode, style: LayoutStyle): Bitmap {
  const module = block.moduleDots ?? 2;
  const symbol = bars(block);
  const width = symbol.runs.reduce((sum, run) => sum + run, 0) * module;
  const quiet = BAR_QUIET_MODULES * module;
  if (width + 2 * quiet > style.widthDots) throw tooWide("barcode");
  const height = block.heightDots ?? 80;
  const margin = 8;
  const bitmap = blankBitmap(style.widthDots, height + 2 * margin);
  const left = offsetOf(block.align ?? "center", style.widthDots - 2 * quiet, width) + quiet;
  let x = left;
  symbol.runs.forEach((run, index) => {
    if (index % 2 === 0) fillRect(bitmap, x, margin, run * module, height);
    x += run * module;
  });
  if (block.label === false) return bitmap;
  const dots = Math.round(style.fontDots * 0.85);
  return stack(style.widthDots, [bitmap, drawText(symbol.label, { dots, align: block.align ?? "center" }, style.widthDots)]);
}

/** Widths in modules of bar, space, bar … and the text with its check digit. */
function bars(block: Barcode): { runs: readonly number[]; label: string } {
  let symbols: unknown;
  try {
    symbols = bwipjs.raw(BWIPP_NAMES[block.symbology], block.data, { includetext: true });
  } catch (cause) {
    throw new DeviceError("invalid_params", {
      message: `the data is no ${block.symbology}`,
      hint: "Check the barcode's length, letters and check digit",
      cause,
    });
  }
  // The library's own types leave out `txt`.
  const [symbol] = symbols as { sbs: number[]; txt?: [string, ...unknown[]][] }[];
  return { runs: symbol?.sbs ?? [], label: (symbol?.txt ?? []).map(([text]) => text).join("") };
}

function tooWide(what: string): DeviceError {
  return new DeviceError("too_large", { message: `the ${what} is wider than the paper`, hint: "Use fewer dots per module or less data" });
}
