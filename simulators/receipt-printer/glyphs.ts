import { createRequire } from "node:module";
import { createCanvas, GlobalFonts } from "@napi-rs/canvas";
import type { Dots } from "./dots.js";

export interface GlyphStyle {
  readonly font: "a" | "b";
  readonly bold: boolean;
}

/** The two resident fonts of an 80 mm printer at 203 dpi. */
export const CELLS = {
  a: { width: 12, height: 24, sizePx: 18, baseline: 19 },
  b: { width: 9, height: 17, sizePx: 13, baseline: 13 },
} as const;

const INK_THRESHOLD = 110;

/** Neither subset alone has all Vietnamese letters, so each is a family of its own and the list falls through. */
const FAMILIES = ["latin", "latin-ext", "vietnamese"].flatMap((subset) =>
  [400, 700].map((weight) => ({ family: `receipt simulator ${subset} ${weight}`, weight, file: `${subset}-${weight}` })),
);

function registerFonts(): void {
  const { resolve } = createRequire(import.meta.url);
  for (const { family, file } of FAMILIES) {
    if (GlobalFonts.has(family)) continue;
    GlobalFonts.registerFromPath(resolve(`@fontsource/be-vietnam-pro/files/be-vietnam-pro-${file}-normal.woff2`), family);
  }
}

/** Draws characters into the printer's cells, each drawn once. */
export function createGlyphs(): (character: string, style: GlyphStyle) => Dots {
  const drawn = new Map<string, Dots>();
  const draw = (character: string, { font, bold }: GlyphStyle): Dots => {
    if (drawn.size === 0) registerFonts();
    const cell = CELLS[font];
    const context = createCanvas(cell.width, cell.height).getContext("2d");
    const families = FAMILIES.filter(({ weight }) => weight === (bold ? 700 : 400)).map(({ family }) => `"${family}"`);
    context.font = `${cell.sizePx}px ${families.join(", ")}`;
    context.textAlign = "center";
    // The resident fonts are fixed-width: a letter that is too wide is squeezed into its cell.
    context.fillText(character, cell.width / 2, cell.baseline, cell.width - 1);
    // Emphasis strikes each dot twice, the second time one dot to the right.
    if (bold) context.fillText(character, cell.width / 2 + 1, cell.baseline, cell.width - 1);
    const { data } = context.getImageData(0, 0, cell.width, cell.height);
    const ink = Uint8Array.from({ length: cell.width * cell.height }, (_, dot) => ((data[dot * 4 + 3] ?? 0) > INK_THRESHOLD ? 1 : 0));
    return { width: cell.width, height: cell.height, ink };
  };
  return (character, style) => {
    const key = `${style.font}${style.bold ? "!" : "."}${character}`;
    let glyph = drawn.get(key);
    if (!glyph) {
      glyph = draw(character, style);
      drawn.set(key, glyph);
    }
    return glyph;
  };
}
