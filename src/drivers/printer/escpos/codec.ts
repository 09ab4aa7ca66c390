import type { Bitmap } from "../../../contracts/imaging.js";
import { asciiBytes, concatBytes } from "../../../kernel/bytes.js";

const DLE = 0x10;
const ESC = 0x1b;
const GS = 0x1d;

/** ESC @: settings as after power-on. Clears the line being composed, not the receive buffer; also ends automatic status. */
export const INITIALISE = Uint8Array.of(ESC, 0x40);
/** GS a 15: four bytes at once and on each change of drawer, on/offline, error and paper. */
export const AUTO_STATUS_ON = Uint8Array.of(GS, 0x61, 0x0f);
/** GS r 1: one byte, in its turn among the other commands; silence while offline. */
export const ASK_IN_TURN = Uint8Array.of(GS, 0x72, 1);
/** DLE ENQ 1: after a recoverable error whose cause is gone, go on from the line where it occurred. */
export const RECOVER = Uint8Array.of(DLE, 0x05, 1);

/** DLE EOT n: answered at once, also in the middle of a raster and while offline. */
export function askStatus(n: 1 | 2 | 3 | 4): Uint8Array {
  return Uint8Array.of(DLE, 0x04, n);
}

/** GS ( H function 48: the four letters come back when everything before has been printed. */
export function askProcessId(id: string): Uint8Array {
  return concatBytes([Uint8Array.of(GS, 0x28, 0x48, 6, 0, 0x30, 0x30), asciiBytes(id)]);
}

/** GS g 2: a maintenance counter. Nothing may follow before its answer has come. */
export function askCounter(counter: number): Uint8Array {
  return Uint8Array.of(GS, 0x67, 0x32, 0, counter & 0xff, counter >> 8);
}

/** GS I n: 65 firmware, 66 maker, 67 model, 68 serial number. */
export function askIdentity(n: 65 | 66 | 67 | 68): Uint8Array {
  return Uint8Array.of(GS, 0x49, n);
}

/** ESC p: 50 ms on, 500 ms off. */
export function kickDrawer(pin: 2 | 5): Uint8Array {
  return Uint8Array.of(ESC, 0x70, pin === 5 ? 1 : 0, 25, 250);
}

/** ESC t: code page by the printer's own number. */
export function selectCodePage(page: number): Uint8Array {
  return Uint8Array.of(ESC, 0x74, page);
}

export const RASTER_HEADER_BYTES = 8;

/**
 * GS v 0 in bands of at most `bandRows` rows, from the top left corner. White at the right of a band is left out:
 * on a slow line that is most of a receipt. One command each.
 */
export function raster(bitmap: Bitmap, bandRows: number): Uint8Array[] {
  const stride = Math.ceil(bitmap.widthDots / 8);
  const bands: Uint8Array[] = [];
  for (let top = 0; top < bitmap.heightDots; top += bandRows) {
    const rows = Math.min(bandRows, bitmap.heightDots - top);
    const width = inkedBytes(bitmap.bits, stride, top, rows);
    const band = new Uint8Array(RASTER_HEADER_BYTES + width * rows);
    band.set([GS, 0x76, 0x30, 0, width & 0xff, width >> 8, rows & 0xff, rows >> 8]);
    for (let row = 0; row < rows; row++) {
      const from = (top + row) * stride;
      band.set(bitmap.bits.subarray(from, from + width), RASTER_HEADER_BYTES + row * width);
    }
    bands.push(withoutRealTimeCommands(band));
  }
  return bands;
}

/** Bytes of a row up to the last inked one of all rows; at least one, for a raster of no width is no raster. */
function inkedBytes(bits: Uint8Array, stride: number, top: number, rows: number): number {
  let width = 1;
  for (let row = top; row < top + rows; row++) {
    let last = stride;
    while (last > width && (bits[row * stride + last - 1] ?? 0) === 0) last--;
    width = last;
  }
  return width;
}

/**
 * A printer obeys DLE EOT (10 04), DLE ENQ (10 05) and DLE DC4 (10 14) even inside image data, so none may be drawn.
 * One dot more beside the one that is there (10 → 18) is not seen.
 */
export function withoutRealTimeCommands(band: Uint8Array): Uint8Array {
  for (let at = RASTER_HEADER_BYTES; at + 1 < band.length; at++) {
    const next = band[at + 1];
    if (band[at] === DLE && (next === 0x04 || next === 0x05 || next === 0x14)) band[at] = 0x18;
  }
  return band;
}

const QR_CORRECTION = { L: 48, M: 49, Q: 50, H: 51 } as const;

/** GS ( k functions 165, 167, 169, 180 and 181: model 2, module size, correction, data, print. */
export function nativeQr(data: Uint8Array, moduleDots: number, correction: keyof typeof QR_CORRECTION): Uint8Array {
  const symbol = (fn: number, ...rest: number[]): Uint8Array => {
    const length = rest.length + 2;
    return Uint8Array.of(GS, 0x28, 0x6b, length & 0xff, length >> 8, 0x31, fn, ...rest);
  };
  return concatBytes([
    symbol(65, 50, 0),
    symbol(67, moduleDots),
    symbol(69, QR_CORRECTION[correction]),
    symbol(80, 48, ...data),
    symbol(81, 48),
  ]);
}

const BARCODE_SYSTEMS = { ean13: 67, ean8: 68, code39: 69, itf: 70, code128: 73 } as const;

export interface NativeBarcode {
  readonly symbology: keyof typeof BARCODE_SYSTEMS;
  readonly data: string;
  readonly heightDots: number;
  readonly moduleDots: number;
  readonly label: boolean;
}

/** GS h, GS w, GS H and GS k function B, the one with a length byte. */
export function nativeBarcode({ symbology, data, heightDots, moduleDots, label }: NativeBarcode): Uint8Array {
  // Code 128 begins with its code set; a brace of the data is doubled.
  const content = asciiBytes(symbology === "code128" ? `{B${data.replaceAll("{", "{{")}` : data);
  return concatBytes([
    Uint8Array.of(GS, 0x68, heightDots, GS, 0x77, moduleDots, GS, 0x48, label ? 2 : 0),
    Uint8Array.of(GS, 0x6b, BARCODE_SYSTEMS[symbology], content.length),
    content,
  ]);
}

/** ESC a: of what the printer itself composes; rasters carry their place in their dots. */
export function justify(align: "left" | "center" | "right"): Uint8Array {
  return Uint8Array.of(ESC, 0x61, { left: 0, center: 1, right: 2 }[align]);
}
