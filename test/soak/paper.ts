import type { PaperBitmap, Receipt, ReceiptPrinter } from "../../simulators/receipt-printer/index.js";
import { rowsToPng } from "../../simulators/receipt-printer/png.js";
import type { PrintDocument } from "../../src/protocol/printer.js";

/** What lies in the tray: which receipts came out whole, and how often each. */
export interface Tray {
  /** Whole copies of this receipt so far. */
  copies(number: number): number;
  /** Pieces that are no whole receipt: torn, marked void. */
  readonly scraps: number;
  /** How a whole receipt looks, from two whose marks are all white and all black. */
  learn(): void;
}

/** A receipt carries its number twice, in its first and last rows of dots: one that has both, and between them all that belongs there, is whole. */
const CELLS = 32;
const CELL_DOTS = 16;
export const WHITE = 0;
export const BLACK = 0xffffffff;

export async function numberedReceipt(number: number): Promise<PrintDocument> {
  const mark = { type: "image", mediaType: "image/png", base64: Buffer.from(await markOf(number)).toString("base64") } as const;
  return {
    blocks: [
      mark,
      { type: "text", text: "TRẠM CÔNG DÂN SỐ", align: "center", size: 2, bold: true },
      { type: "rule" },
      { type: "columns", columns: [{ text: "Mã hồ sơ" }, { text: "HS-2026-000123", align: "right" }] },
      { type: "columns", columns: [{ text: "Lệ phí" }, { text: "50.000 đ", align: "right" }] },
      { type: "text", text: "Xin cảm ơn quý công dân" },
      mark,
    ],
  };
}

function markOf(number: number): Promise<Uint8Array> {
  const row = new Uint8Array((CELLS * CELL_DOTS) / 8);
  for (let cell = 0; cell < CELLS; cell++) if ((number >>> cell) & 1) row.fill(0xff, cell * 2, cell * 2 + 2);
  return rowsToPng(
    CELLS * CELL_DOTS,
    Array.from({ length: CELL_DOTS }, () => row),
  );
}

interface Look {
  readonly white: PaperBitmap;
  /** 1 where a mark's dots are. */
  readonly mask: Uint8Array;
  readonly left: number;
  readonly middle: number;
}

export function trayOf(printer: ReceiptPrinter): Tray {
  const copies = new Map<number, number>();
  let newest: Receipt | undefined;
  let scraps = 0;
  let look: Look | undefined;

  const take = (): void => {
    const { receipts } = printer;
    for (const receipt of receipts.slice(newest ? receipts.lastIndexOf(newest) + 1 : 0)) {
      newest = receipt;
      const number = look && numberOn(receipt.rows, look);
      if (number === undefined) scraps += 1;
      else copies.set(number, (copies.get(number) ?? 0) + 1);
    }
  };
  return {
    get scraps() {
      take();
      return scraps;
    },
    copies(number) {
      take();
      return copies.get(number >>> 0) ?? 0;
    },
    learn() {
      const [white, black] = printer.receipts.slice(-2).map(({ rows }) => rows);
      if (!white || !black || white.bits.length !== black.bits.length) throw new RangeError("the first two receipts are not alike");
      const mask = white.bits.map((byte, at) => byte ^ (black.bits[at] ?? 0));
      const stride = stepOf(white);
      const columns = [...mask.keys()].filter((at) => mask[at] !== 0).map((at) => (at % stride) * 8 + Math.clz32(mask[at] ?? 0) - 24);
      look = { white, mask, left: Math.min(...columns), middle: white.heightDots / 2 };
      newest = printer.receipts.at(-1);
    },
  };
}

/** Undefined: not whole. */
function numberOn(rows: PaperBitmap, { white, mask, left, middle }: Look): number | undefined {
  if (rows.bits.length !== white.bits.length) return undefined;
  const stride = stepOf(rows);
  const read = [0, 0];
  for (let at = 0; at < mask.length; at++) {
    const differs = (rows.bits[at] ?? 0) ^ (white.bits[at] ?? 0);
    const marks = mask[at] ?? 0;
    if ((differs & ~marks) !== 0) return undefined;
    const half = Math.floor(at / stride) < middle ? 0 : 1;
    for (let bit = 0; bit < 8; bit++) {
      if (!((marks >> (7 - bit)) & 1)) continue;
      const cell = Math.floor(((at % stride) * 8 + bit - left) / CELL_DOTS);
      const ink = (differs >> (7 - bit)) & 1;
      if (ink) read[half] = ((read[half] ?? 0) | (1 << cell)) >>> 0;
    }
  }
  return read[0] === read[1] ? read[0] : undefined;
}

const stepOf = ({ widthDots }: PaperBitmap): number => Math.ceil(widthDots / 8);
