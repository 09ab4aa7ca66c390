import { createRequire } from "node:module";
import { GlobalFonts } from "@napi-rs/canvas";

/** The bundled font comes in subsets, and each alone lacks letters of a Vietnamese text: `ạ` is in one, `à` in another. */
const SUBSETS = ["vietnamese", "latin", "latin-ext"] as const;
const WEIGHTS = [400, 700] as const;

function familyName(subset: string): string {
  return `Station ${subset}`;
}

/** Once per process: canvas keeps its fonts in a process-wide list. Resolved as a module, so that it works wherever it is installed. */
function registerFonts(): void {
  const { resolve } = createRequire(import.meta.url);
  for (const subset of SUBSETS) {
    for (const weight of WEIGHTS) {
      const path = resolve(`@fontsource/be-vietnam-pro/files/be-vietnam-pro-${subset}-${weight}-normal.woff2`);
      GlobalFonts.registerFromPath(path, familyName(subset));
    }
  }
}
registerFonts();

const FAMILIES = SUBSETS.map((subset) => `"${familyName(subset)}"`).join(", ");

/** CSS font of the canvas. */
export function cssFont(dots: number, bold: boolean): string {
  return `${bold ? 700 : 400} ${dots}px ${FAMILIES}`;
}
