import { rowsToPng } from "./png.js";

/** One bit per dot, rows padded to whole bytes, most significant bit left, 1 = black. */
export interface PaperBitmap {
  readonly widthDots: number;
  readonly heightDots: number;
  readonly bits: Uint8Array;
}

/** A piece of paper that was cut off. */
export interface Receipt {
  readonly rows: PaperBitmap;
  /** What came as text (not as dots), one line per printed line. */
  readonly texts: string;
}

/** The paper that hangs out of the slot is not endless in memory: rows above this are forgotten, oldest first. */
const MOST_UNCUT_ROWS = 40_000;

export interface Paper {
  print(row: Uint8Array): void;
  write(line: string): void;
  /** Cuts `keepRows` rows before the newest row; false when nothing hung out that could come off. */
  cut(keepRows: number): boolean;
  readonly uncutRows: number;
  /** The receipts still kept, oldest first. */
  readonly receipts: readonly Receipt[];
  /** One receipt by its place in `receipts`, or everything, the uncut piece last, with a dashed line at each cut. */
  png(which: number | "all"): Promise<Uint8Array>;
  /** Takes away what was cut off and tears off what hangs out. */
  tear(): void;
}

interface Piece {
  readonly rows: readonly Uint8Array[];
  readonly lines: readonly string[];
}

export function createPaper(widthDots: number, keepReceipts: number): Paper {
  const stride = Math.ceil(widthDots / 8);
  const cutMark = [new Uint8Array(stride).fill(0xf0), new Uint8Array(stride).fill(0xf0)];
  let pieces: { readonly piece: Piece; readonly receipt: Receipt }[] = [];
  let rows: Uint8Array[] = [];
  let lines: string[] = [];

  const receiptOf = (piece: Piece): Receipt => ({
    get rows() {
      const bits = new Uint8Array(piece.rows.length * stride);
      piece.rows.forEach((row, y) => {
        bits.set(row.subarray(0, stride), y * stride);
      });
      return { widthDots, heightDots: piece.rows.length, bits };
    },
    get texts() {
      return piece.lines.join("\n");
    },
  });

  return {
    print(row) {
      rows.push(row);
      if (rows.length > MOST_UNCUT_ROWS * 2) rows = rows.slice(-MOST_UNCUT_ROWS);
    },
    write(line) {
      lines.push(line);
      if (lines.length > MOST_UNCUT_ROWS) lines = lines.slice(-MOST_UNCUT_ROWS / 2);
    },
    cut(keepRows) {
      const at = rows.length - keepRows;
      if (at <= 0) return false;
      const piece = { rows: rows.slice(0, at), lines };
      rows = rows.slice(at);
      lines = [];
      pieces = [...pieces, { piece, receipt: receiptOf(piece) }].slice(-keepReceipts);
      return true;
    },
    get uncutRows() {
      return rows.length;
    },
    get receipts() {
      return pieces.map(({ receipt }) => receipt);
    },
    png(which) {
      if (which !== "all") return rowsToPng(widthDots, pieces[which]?.piece.rows ?? []);
      return rowsToPng(widthDots, [...pieces.flatMap(({ piece }) => [...piece.rows, ...cutMark]), ...rows]);
    },
    tear() {
      pieces = [];
      rows = [];
      lines = [];
    },
  };
}
