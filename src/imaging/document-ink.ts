/** A page made small for measuring, one byte a pixel, 0 is black. */
export interface Grey {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  readonly pxPerMm: number;
}

export interface Ink {
  /** The paper's own grey. */
  readonly background: number;
  /** 1 for each pixel that is darker than the paper and neither lid, nor shadow, nor within the page's border. */
  readonly mask: Uint8Array;
  readonly count: number;
  /** Share of the picture that is a dark lid. */
  readonly lidShare: number;
}

/** What shines through from the other side is less. */
const DARKER = 48;
/** Paper has bright values all in one place; letters and pictures are spread. */
const PAPER_RANGE = 64;
const CELL = 8;
/** Edges of a sheet throw shadows. */
const BORDER_MM = 5;

/** Not looked at, on all sides. */
export const borderPx = ({ pxPerMm }: Grey): number => Math.round(BORDER_MM * pxPerMm);

export function readInk(grey: Grey): Ink {
  const { width, height, pixels } = grey;
  const background = paperOf(pixels);
  const dark = background - DARKER;
  const { lid, columns, share } = lidCells(grey, dark);
  const border = borderPx(grey);
  const mask = new Uint8Array(width * height);
  let count = 0;
  for (let y = border; y < height - border; y++) {
    for (let x = border; x < width - border; x++) {
      const at = y * width + x;
      if ((pixels[at] ?? 0) >= dark || lid[Math.floor(y / CELL) * columns + Math.floor(x / CELL)]) continue;
      mask[at] = 1;
      count++;
    }
  }
  return { background, mask, count, lidShare: share };
}

/** The commonest of the bright values: a card on a black lid is less than a fifth of the picture. */
function paperOf(pixels: Uint8Array): number {
  const histogram = new Uint32Array(256);
  for (const value of pixels) histogram[value] = (histogram[value] ?? 0) + 1;
  let brightest = 255;
  for (let above = 0; brightest > 0; brightest--) {
    above += histogram[brightest] ?? 0;
    if (above > pixels.length / 200) break;
  }
  let paper = brightest;
  let most = 0;
  for (let value = Math.max(0, brightest - PAPER_RANGE); value <= 255; value++) {
    const around = (histogram[value - 1] ?? 0) + (histogram[value] ?? 0) + (histogram[value + 1] ?? 0);
    if (around > most) [most, paper] = [around, value];
  }
  return paper;
}

/** Cells that are dark all over and hang together with the picture's edge, and their neighbours: rules and letters are thinner than a cell. */
function lidCells({ width, height, pixels }: Grey, dark: number): { lid: Uint8Array; columns: number; share: number } {
  const [columns, rows] = [Math.ceil(width / CELL), Math.ceil(height / CELL)];
  const darkIn = new Uint16Array(columns * rows);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((pixels[y * width + x] ?? 0) >= dark) continue;
      const cell = Math.floor(y / CELL) * columns + Math.floor(x / CELL);
      darkIn[cell] = (darkIn[cell] ?? 0) + 1;
    }
  }
  const isDark = (column: number, row: number): boolean => {
    const area = Math.min(CELL, width - column * CELL) * Math.min(CELL, height - row * CELL);
    return (darkIn[row * columns + column] ?? 0) >= 0.9 * area;
  };
  const lid = new Uint8Array(columns * rows);
  const found: number[] = [];
  const visit = (column: number, row: number): void => {
    if (column < 0 || row < 0 || column >= columns || row >= rows || lid[row * columns + column] || !isDark(column, row)) return;
    lid[row * columns + column] = 1;
    found.push(row * columns + column);
  };
  for (let column = 0; column < columns; column++) for (const row of [0, rows - 1]) visit(column, row);
  for (let row = 0; row < rows; row++) for (const column of [0, columns - 1]) visit(column, row);
  for (let next = 0; next < found.length; next++) {
    const cell = found[next] ?? 0;
    const [column, row] = [cell % columns, Math.floor(cell / columns)];
    visit(column - 1, row);
    visit(column + 1, row);
    visit(column, row - 1);
    visit(column, row + 1);
  }
  // The cell on the sheet's edge, and the one with its shadow.
  for (const cell of found) {
    const [column, row] = [cell % columns, Math.floor(cell / columns)];
    for (let y = Math.max(0, row - 2); y <= Math.min(rows - 1, row + 2); y++) {
      for (let x = Math.max(0, column - 2); x <= Math.min(columns - 1, column + 2); x++) lid[y * columns + x] = 1;
    }
  }
  return { lid, columns, share: found.length / lid.length };
}
