import type { Bitmap, DrawableBlock, LayoutStyle } from "../contracts/imaging.js";
import { blankBitmap, fillRect, MAX_ROWS, stack, tooLong } from "./bitmap.js";
import { drawBarcode, drawQr } from "./codes.js";
import { drawPicture } from "./picture.js";
import { drawColumns, drawRule, drawText, type TextColumn } from "./text.js";

/**
 * Blocks → bitmaps of full width, one each. Runs in the imaging child: what it decodes is hostile.
 * @throws DeviceError `invalid_params`, `too_large`; the signal's reason between two blocks
 */
export async function drawBlocks(blocks: readonly DrawableBlock[], style: LayoutStyle, signal: AbortSignal): Promise<Bitmap[]> {
  const bitmaps: Bitmap[] = [];
  let rows = 0;
  for (const block of blocks) {
    // Between blocks the event loop runs: the heartbeat is answered and a cancel is seen.
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    const bitmap = await drawBlock(block, style);
    rows += bitmap.heightDots;
    if (rows > MAX_ROWS) throw tooLong();
    bitmaps.push(bitmap);
  }
  return bitmaps;
}

async function drawBlock(block: DrawableBlock, style: LayoutStyle): Promise<Bitmap> {
  switch (block.type) {
    case "text":
      return drawText(block.text, { ...block, dots: style.fontDots * (block.size ?? 1) }, style.widthDots);
    case "columns":
      return drawColumns(style.widthDots, place(block.columns, style));
    case "table":
      return drawTable(block, style);
    case "rule":
      return drawRule(block.line, style.widthDots, style.fontDots);
    case "qr":
      return drawQr(block, style);
    case "barcode":
      return drawBarcode(block, style);
    case "image":
      return await drawPicture(block, style);
  }
}

type Cell = Omit<TextColumn, "x" | "width" | "dots"> & { readonly weight?: number | undefined };

/** Gives each cell its share of the width, with half a letter between two. */
function place(cells: readonly Cell[], { widthDots, fontDots }: LayoutStyle): TextColumn[] {
  const gap = Math.round(fontDots / 2);
  const weights = cells.map((cell) => cell.weight ?? 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const room = widthDots - gap * (cells.length - 1);
  let before = 0;
  return cells.map((cell, index) => {
    const x = Math.round((room * before) / total) + gap * index;
    before += weights[index] ?? 1;
    const end = Math.round((room * before) / total) + gap * index;
    return { ...cell, dots: fontDots, x, width: Math.max(1, end - x) };
  });
}

function drawTable(block: Extract<DrawableBlock, { type: "table" }>, style: LayoutStyle): Bitmap {
  const row = (texts: readonly (string | undefined)[], bold: boolean): Bitmap =>
    drawColumns(
      style.widthDots,
      place(
        block.columns.map(({ weight, align }, index) => ({ text: texts[index] ?? "", weight, align, bold })),
        style,
      ),
    );
  const space = blankBitmap(style.widthDots, Math.round(style.fontDots / 6));
  const parts: Bitmap[] = [];
  if (block.columns.some((column) => column.header)) {
    const line = blankBitmap(style.widthDots, Math.round(style.fontDots / 3));
    fillRect(line, 0, 2, style.widthDots, 2);
    parts.push(
      row(
        block.columns.map((column) => column.header),
        true,
      ),
      line,
    );
  }
  for (const texts of block.rows) parts.push(row(texts, false), space);
  return stack(style.widthDots, parts);
}
