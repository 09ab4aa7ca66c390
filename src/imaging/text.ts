import { type Canvas, createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import type { Bitmap } from "../contracts/imaging.js";
import { type Align, blankBitmap, fillRect, MAX_ROWS, offsetOf, rowBytes, stack, tooLong } from "./bitmap.js";
import { cssFont } from "./fonts.js";

/** Lighter than this stays paper: at 160 thin strokes of the tone marks survive without letters running together. */
export const TEXT_THRESHOLD = 160;
/** Room for two marks above a capital (Ẫ) and a dot below (Ệ), in em. */
const LINE_HEIGHT = 1.48;
const BASELINE = 1.19;

export interface TextStyle {
  /** Height of the em square. */
  readonly dots: number;
  readonly bold?: boolean | undefined;
  readonly underline?: boolean | undefined;
  /** White on black, over the whole width of the column. */
  readonly invert?: boolean | undefined;
  readonly align?: Align | undefined;
}

/** A column of text at `x`, wrapped into `width`. */
export interface TextColumn extends TextStyle {
  readonly text: string;
  readonly x: number;
  readonly width: number;
}

const measuring = createCanvas(1, 1).getContext("2d");

/** Lines of text no wider than `width` dots: broken at blanks, and inside a word only where the word alone is too wide. */
export function wrap(text: string, width: number, dots: number, bold: boolean): string[] {
  measuring.font = cssFont(dots, bold);
  const widthOf = (part: string): number => measuring.measureText(part).width;
  const lines: string[] = [];
  for (const paragraph of printable(text).split("\n")) {
    let line = "";
    for (const word of paragraph.split(/(?<= )(?=[^ ])/)) {
      if (widthOf((line + word).trimEnd()) <= width) {
        line += word;
        continue;
      }
      if (line.trimEnd() !== "") lines.push(line.trimEnd());
      line = word;
      while (widthOf(line.trimEnd()) > width) {
        const head = longestFit(line, width, widthOf);
        lines.push(head);
        line = line.slice(head.length);
      }
    }
    lines.push(line.trimEnd());
    if (lines.length > MAX_ROWS / dots) throw tooLong();
  }
  return lines;
}

/** The longest beginning that fits, at least one letter with its marks. */
function longestFit(text: string, width: number, widthOf: (part: string) => number): string {
  const letters = [...new Intl.Segmenter("vi").segment(text)].map(({ segment }) => segment);
  let fits = 1;
  let tooMany = letters.length;
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (widthOf(letters.slice(0, middle).join("")) <= width) fits = middle;
    else tooMany = middle;
  }
  return letters.slice(0, fits).join("");
}

/** Composed letters (the font has no loose tone marks), plain blanks, and no control characters but the line break. */
function printable(text: string): string {
  return text
    .normalize("NFC")
    .replaceAll("\r\n", "\n")
    .replaceAll("\t", "    ")
    .replaceAll(/[^\P{C}\n]/gu, "");
}

/** Columns side by side, as high as the one with the most lines. */
export function drawColumns(widthDots: number, columns: readonly TextColumn[]): Bitmap {
  const lineDots = Math.round(Math.max(...columns.map((column) => column.dots)) * LINE_HEIGHT);
  const wrapped = columns.map((column) => wrap(column.text, column.width, column.dots, column.bold === true));
  const lineCount = Math.max(...wrapped.map((lines) => lines.length));
  if (lineCount * lineDots > MAX_ROWS) throw tooLong();
  const canvas = createCanvas(widthDots, lineDots);
  const rows: Bitmap[] = [];
  for (let index = 0; index < lineCount; index++) {
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, widthDots, lineDots);
    columns.forEach((column, at) => {
      drawLine(context, wrapped[at]?.[index], column, lineDots);
    });
    rows.push(threshold(canvas, TEXT_THRESHOLD));
  }
  return stack(widthDots, rows);
}

function drawLine(context: SKRSContext2D, line: string | undefined, column: TextColumn, lineDots: number): void {
  if (column.invert) {
    context.fillStyle = "black";
    context.fillRect(column.x, 0, column.width, lineDots);
  }
  if (line === undefined || line === "") return;
  context.font = cssFont(column.dots, column.bold === true);
  context.fillStyle = column.invert ? "white" : "black";
  const baseline = Math.round(column.dots * BASELINE);
  const width = context.measureText(line).width;
  // Whole dots: a letter looks the same wherever it stands.
  const x = column.x + offsetOf(column.align, column.width, Math.ceil(width));
  context.fillText(line, x, baseline);
  if (column.underline)
    context.fillRect(x, baseline + Math.round(column.dots / 8), Math.ceil(width), Math.max(2, Math.round(column.dots / 12)));
}

/** A block of text over the whole width. */
export function drawText(text: string, style: TextStyle, widthDots: number): Bitmap {
  return drawColumns(widthDots, [{ ...style, text, x: 0, width: widthDots }]);
}

/** A white background must have been painted. */
function threshold(canvas: Canvas, level: number): Bitmap {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const bitmap = blankBitmap(width, height);
  const stride = rowBytes(width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((data[(y * width + x) * 4] ?? 255) < level) {
        const at = y * stride + (x >> 3);
        bitmap.bits[at] = (bitmap.bits[at] ?? 0) | (0x80 >> (x & 7));
      }
    }
  }
  return bitmap;
}

/** White rows with a line in the middle. */
export function drawRule(kind: "solid" | "dashed" | "double" | undefined, widthDots: number, fontDots: number): Bitmap {
  const height = Math.round(fontDots * 0.75);
  const middle = height >> 1;
  const bitmap = blankBitmap(widthDots, height);
  if (kind === "double") {
    fillRect(bitmap, 0, middle - 4, widthDots, 2);
    fillRect(bitmap, 0, middle + 2, widthDots, 2);
  } else if (kind === "dashed") {
    for (let x = 0; x < widthDots; x += 16) fillRect(bitmap, x, middle - 1, 9, 2);
  } else {
    fillRect(bitmap, 0, middle - 1, widthDots, 2);
  }
  return bitmap;
}
