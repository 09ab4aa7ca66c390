import type { Translate } from "../languages/translate.js";
import { type Colour, paint } from "./terminal.js";

export interface Cell {
  readonly text: string;
  readonly colour?: Colour | undefined;
}

export interface TableOptions {
  /** No line is longer. */
  readonly columns: number;
  readonly colour: boolean;
  /** Says the heading in the reader's language. */
  readonly t: Translate;
}

const GAP = "  ";
/** Narrower than this the last column cannot be read. */
const LAST_COLUMN_MIN = 24;

/** A table with a heading; the last column takes what is left of the line and wraps at words, the others are cut off. */
export function formatTable(heading: readonly string[], rows: readonly (readonly Cell[])[], { columns, colour, t }: TableOptions): string {
  const all: readonly (readonly Cell[])[] = [heading.map((text): Cell => ({ text: t(text), colour: "grey" })), ...rows];
  const widths = heading.map((_, index) => Math.max(...all.map((row) => width(row[index]?.text ?? ""))));
  const last = heading.length - 1;
  const room = columns - last * GAP.length;
  // The widest column gives way first.
  while (sum(widths.slice(0, last)) > room - LAST_COLUMN_MIN) {
    const widest = widths.slice(0, last).reduce((best, value, index, list) => (value > (list[best] ?? 0) ? index : best), 0);
    if ((widths[widest] ?? 0) <= 1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  widths[last] = Math.max(1, room - sum(widths.slice(0, last)));

  return all
    .flatMap((row) => {
      const wrapped = wrap(row[last]?.text ?? "", widths[last] ?? 1);
      return wrapped.map((part, line) => {
        const cells = heading.map((_, index) => {
          const cell = row[index];
          const text = index === last ? part : line === 0 ? cut(cell?.text ?? "", widths[index] ?? 1) : "";
          const padding = index === last ? "" : " ".repeat(Math.max(0, (widths[index] ?? 0) - width(text)));
          return paint(text, text === "" ? undefined : cell?.colour, colour) + padding;
        });
        return cells.join(GAP).trimEnd();
      });
    })
    .map((line) => `${line}\n`)
    .join("");
}

/** Lines of at most `columns` characters, broken at blanks where there are any. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (let word of text.split(/\s+/).filter((part) => part !== "")) {
    while (width(word) > columns) {
      if (line !== "") lines.push(line);
      line = "";
      const letters = [...word];
      lines.push(letters.slice(0, columns).join(""));
      word = letters.slice(columns).join("");
    }
    if (word === "") continue;
    if (line !== "" && width(line) + 1 + width(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" && lines.length > 0 ? lines : [...lines, line];
}

function cut(text: string, columns: number): string {
  return width(text) <= columns ? text : `${[...text].slice(0, columns - 1).join("")}…`;
}

function width(text: string): number {
  return [...text].length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
