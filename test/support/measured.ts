import { readFileSync, writeFileSync } from "node:fs";

/** From a fault to somebody's hearing of it, and to its being over. */
export interface Figure {
  readonly seenMs?: number | undefined;
  readonly backMs?: number | undefined;
}
export type Figures = Readonly<Record<string, Figure>>;

const FILE = new URL("../../../test/measured.json", import.meta.url);

/** What the last runs that were told to write their figures down have measured. */
export function readFigures(): Figures {
  return JSON.parse(readFileSync(FILE, "utf8")) as Figures;
}

/** Figures of a run that went well take the place of older ones of the same name; all others stay. */
export function writeFigures(figures: Figures): void {
  const rounded = Object.entries(figures).map(
    ([name, { seenMs, backMs }]) => [name, { seenMs: whole(seenMs), backMs: whole(backMs) }] as const,
  );
  const all = Object.entries({ ...readFigures(), ...Object.fromEntries(rounded) }).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
}

const whole = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms));
