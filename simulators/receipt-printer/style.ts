import type { CodePage } from "./code-pages.js";
import type { QrLevel } from "./symbols.js";

/** Everything that a command can set and ESC @ sets back. */
export interface Style {
  /** 0 left, 1 centre, 2 right. */
  readonly align: number;
  readonly bold: boolean;
  readonly doubleStrike: boolean;
  readonly underlineDots: number;
  readonly font: "a" | "b";
  readonly scaleX: number;
  readonly scaleY: number;
  readonly inverted: boolean;
  readonly upsideDown: boolean;
  readonly turned: boolean;
  readonly lineRows: number;
  readonly spacingDots: number;
  readonly leftMargin: number;
  readonly areaWidth: number;
  /** Columns of characters. */
  readonly tabs: readonly number[];
  readonly codePage: CodePage | undefined;
  readonly barcodeHeightDots: number;
  readonly barcodeModuleDots: number;
  /** Bit 0: readable text above the bars, bit 1: below. */
  readonly barcodeReadable: number;
  readonly barcodeFont: "a" | "b";
  readonly qrModuleDots: number;
  readonly qrLevel: QrLevel;
  readonly qrContent: Uint8Array;
}

const DEFAULT_LINE_ROWS = 30;

/** The settings at power-on. */
export function initialStyle(widthDots: number, codePage: CodePage | undefined): Style {
  return {
    align: 0,
    bold: false,
    doubleStrike: false,
    underlineDots: 0,
    font: "a",
    scaleX: 1,
    scaleY: 1,
    inverted: false,
    upsideDown: false,
    turned: false,
    lineRows: DEFAULT_LINE_ROWS,
    spacingDots: 0,
    leftMargin: 0,
    areaWidth: widthDots,
    tabs: Array.from({ length: 32 }, (_, index) => (index + 1) * 8),
    codePage,
    barcodeHeightDots: 162,
    barcodeModuleDots: 3,
    barcodeReadable: 0,
    barcodeFont: "a",
    qrModuleDots: 3,
    qrLevel: "L",
    qrContent: new Uint8Array(),
  };
}

/** What a setting changes; undefined: a parameter that the printer refuses. */
type Change = Partial<Style> | undefined;

/** Parameters that may be given as a number or as its digit, 0 to `most`. */
function choice(n: number, most: number, change: (value: number) => Partial<Style>): Change {
  const value = n >= 48 ? n - 48 : n;
  return value <= most ? change(value) : undefined;
}

export function u16(body: Uint8Array, index = 0): number {
  return (body[index] ?? 0) + (body[index + 1] ?? 0) * 256;
}

const font = (value: number): "a" | "b" => (value === 1 ? "b" : "a");

/** The commands that print nothing and only say how the following is printed. */
export const SETTINGS: Readonly<Record<string, (n: number, body: Uint8Array, pages: ReadonlyMap<number, CodePage>) => Change>> = {
  "ESC SP": (n) => ({ spacingDots: n }),
  "ESC !": (n) => ({
    font: font(n & 1),
    bold: (n & 0x08) !== 0,
    scaleY: n & 0x10 ? 2 : 1,
    scaleX: n & 0x20 ? 2 : 1,
    underlineDots: n & 0x80 ? 1 : 0,
  }),
  "ESC -": (n) => choice(n, 2, (underlineDots) => ({ underlineDots })),
  "ESC 2": () => ({ lineRows: DEFAULT_LINE_ROWS }),
  "ESC 3": (n) => ({ lineRows: n }),
  "ESC D": (_, body) => ({ tabs: [...body].filter((column) => column > 0) }),
  "ESC E": (n) => ({ bold: (n & 1) === 1 }),
  "ESC G": (n) => ({ doubleStrike: (n & 1) === 1 }),
  "ESC M": (n) => choice(n, 1, (value) => ({ font: font(value) })),
  // The national sets replace a dozen ASCII letters; only the American one is built in.
  "ESC R": (n) => (n === 0 ? {} : undefined),
  "ESC S": () => ({}),
  "ESC V": (n) => choice(n, 1, (value) => ({ turned: value === 1 })),
  "ESC a": (n) => choice(n, 2, (align) => ({ align })),
  "ESC t": (n, _, pages) => (pages.has(n) ? { codePage: pages.get(n) } : undefined),
  "ESC {": (n) => ({ upsideDown: (n & 1) === 1 }),
  "GS !": (n) => (n & 0x88 ? undefined : { scaleX: (n >> 4) + 1, scaleY: (n & 7) + 1 }),
  "GS B": (n) => ({ inverted: (n & 1) === 1 }),
  "GS L": (_, body) => ({ leftMargin: u16(body) }),
  "GS W": (_, body) => ({ areaWidth: u16(body) }),
  "GS H": (n) => choice(n, 3, (barcodeReadable) => ({ barcodeReadable })),
  "GS f": (n) => choice(n, 1, (value) => ({ barcodeFont: font(value) })),
  "GS h": (n) => (n > 0 ? { barcodeHeightDots: n } : undefined),
  "GS w": (n) => (n >= 2 && n <= 6 ? { barcodeModuleDots: n } : undefined),
};
