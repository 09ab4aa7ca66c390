import bwip from "bwip-js";
import { encode } from "uqr";
import { blankDots, type Dots } from "./dots.js";

export type QrLevel = "L" | "M" | "Q" | "H";

/** A QR code model 2 without its quiet zone, one dot per module; undefined where the data does not fit. */
export function qrModules(content: Uint8Array, level: QrLevel): Dots | undefined {
  try {
    const { data, size } = encode([...content], { ecc: level, boostEcc: false, border: 0 });
    return { width: size, height: size, ink: Uint8Array.from(data.flat(), (dark) => (dark ? 1 : 0)) };
  } catch {
    return undefined; // too long for any version: a printer prints nothing then
  }
}

export interface Barcode {
  readonly bars: Dots;
  /** The human readable interpretation. */
  readonly readable: string;
}

/** GS k m in form A (0–6) and form B (65–73). */
const SYMBOLOGIES: Readonly<Record<number, string>> = {
  0: "upca",
  1: "upce",
  2: "ean13",
  3: "ean8",
  4: "code39",
  5: "interleaved2of5",
  6: "rationalizedCodabar",
  72: "code93",
  73: "code128",
};

const CODE128_START: Readonly<Record<string, number>> = { A: 103, B: 104, C: 105 };
const CODE128_SHIFT = 98;
/** {1 to {4: FNC1 to FNC4 in the code sets that have them. */
const CODE128_FUNCTIONS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  A: { "1": 102, "2": 97, "3": 96, "4": 101 },
  B: { "1": 102, "2": 97, "3": 96, "4": 100 },
  C: { "1": 102 },
};
const CODE128_SWITCH: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  A: { B: 100, C: 99 },
  B: { A: 101, C: 99 },
  C: { A: 101, B: 100 },
};

/** Epson's notation for CODE128: `{A` `{B` `{C` choose the code set, `{S` shifts, `{1`–`{4` are functions, `{{` is `{`. */
function code128(data: Uint8Array): { readonly codewords: string; readonly readable: string } | undefined {
  let set = data[0] === 0x7b ? String.fromCharCode(data[1] ?? 0) : "";
  const start = CODE128_START[set];
  if (start === undefined) return undefined;
  const codewords = [start];
  let readable = "";
  let shifted = false;
  for (let index = 2; index < data.length; index++) {
    let byte = data[index] ?? 0;
    if (byte === 0x7b) {
      index += 1;
      const next = String.fromCharCode(data[index] ?? 0);
      const switched = CODE128_SWITCH[set]?.[next];
      const special = CODE128_FUNCTIONS[set]?.[next];
      if (switched !== undefined) {
        set = next;
        codewords.push(switched);
        continue;
      }
      if (next === "S" && set !== "C") {
        shifted = true;
        codewords.push(CODE128_SHIFT);
        continue;
      }
      if (special !== undefined) {
        codewords.push(special);
        continue;
      }
      if (next !== "{") return undefined;
      byte = 0x7b;
    }
    if (set === "C") {
      if (byte > 99) return undefined;
      codewords.push(byte);
      readable += String(byte).padStart(2, "0");
      continue;
    }
    const inSet = shifted ? (set === "A" ? "B" : "A") : set;
    shifted = false;
    const value = byte < 0x20 ? byte + 64 : byte - 0x20;
    if (inSet === "A" ? byte > 0x5f : byte < 0x20 || byte > 0x7f) return undefined;
    codewords.push(value);
    readable += byte < 0x20 || byte === 0x7f ? " " : String.fromCharCode(byte);
  }
  return { codewords: codewords.map((value) => `^${String(value).padStart(3, "0")}`).join(""), readable };
}

/** The bars of a barcode, one dot per module and one row high; undefined where the printer would refuse the data or does not know the kind. */
export function barcodeModules(m: number, data: Uint8Array): Barcode | undefined {
  const bcid = SYMBOLOGIES[m] ?? SYMBOLOGIES[m - 65];
  if (!bcid || data.length === 0) return undefined;
  const epson128 = bcid === "code128" ? code128(data) : undefined;
  if (bcid === "code128" && !epson128) return undefined;
  const plain = Array.from(data, (byte) => String.fromCharCode(byte)).join("");
  // A CODE39 may come with its own start and stop asterisks.
  const text = epson128?.codewords ?? (bcid === "code39" ? plain.replace(/^\*|\*$/g, "") : plain);
  try {
    const [symbol] = bwip.raw({ bcid, text, ...(epson128 ? { raw: true } : {}) } as Parameters<typeof bwip.raw>[0]);
    if (!symbol || !("sbs" in symbol)) return undefined;
    const modules = symbol.sbs.flatMap((run, index) => Array<number>(run).fill(1 - (index % 2)));
    const bars = blankDots(modules.length, 1);
    bars.ink.set(modules);
    return { bars, readable: epson128?.readable ?? plain };
  } catch {
    return undefined; // a wrong digit, an odd length, a wrong check digit
  }
}
