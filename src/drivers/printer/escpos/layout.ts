import type { Bitmap, DrawableBlock, Imaging } from "../../../contracts/imaging.js";
import type { PrintMarks, PrintPreview } from "../../../contracts/printer.js";
import { concatBytes } from "../../../kernel/bytes.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { PrintBlock, PrintDocument } from "../../../protocol/printer.js";
import { encodeText } from "./code-page.js";
import { justify, kickDrawer, nativeBarcode, nativeQr, RASTER_HEADER_BYTES, raster, selectCodePage } from "./codec.js";
import type { EscposConfig } from "./config.js";
import { encode } from "./encoder.js";
import { profileOf } from "./profiles.js";

/** One step down the paper. */
export type Piece =
  | { readonly type: "bitmap"; readonly bitmap: Bitmap }
  | { readonly type: "bytes"; readonly bytes: Uint8Array; readonly raw?: true }
  | { readonly type: "cut"; readonly partial: boolean }
  | { readonly type: "drawer"; readonly pin: 2 | 5 };

/** Line feed of a printer as it comes, 1/6 inch at 203 dpi; drawn, so that it is the same on every printer. */
const LINE_DOTS = 34;
/** What a receipt of four metres full of ink would take. */
const MAX_BYTES = 2_400_000;
const MAX_ROWS = 32_000;

type Way = "device" | "preview";

/** The document with its marks as pieces from top to bottom, the final cut always last but for a drawer. */
export async function layOut(
  document: PrintDocument,
  marks: PrintMarks,
  config: EscposConfig,
  way: Way,
  imaging: Imaging,
  signal: AbortSignal,
): Promise<Piece[]> {
  const fed = document.blocks.reduce((sum, block) => sum + (block.type === "feed" ? block.lines * LINE_DOTS : 0), 0);
  if (fed > MAX_ROWS) throw tooLong();
  const steps = [...headerOf(marks), ...document.blocks].map((block) => pieceOf(block, config, way));
  const drawable = steps.filter((step): step is { draw: DrawableBlock } => "draw" in step).map((step) => step.draw);
  const drawn = (await imaging.draw(drawable, config, signal)).values();
  const pieces: Piece[] = [];
  let rows = 0;
  for (const step of steps) {
    if (!("draw" in step)) pieces.push(step);
    else {
      const bitmap = drawn.next().value;
      if (bitmap) pieces.push({ type: "bitmap", bitmap });
    }
    const last = pieces.at(-1);
    if (last?.type === "bitmap") rows += last.bitmap.heightDots;
  }
  if (rows > MAX_ROWS) throw tooLong();
  const paperEnd = pieces.findLast((piece) => piece.type !== "drawer");
  if (paperEnd?.type !== "cut") pieces.push({ type: "cut", partial: true });
  return pieces;
}

function tooLong(): DeviceError {
  return new DeviceError("too_large", { message: "the receipt is longer than four metres", hint: "Print less on one receipt" });
}

function headerOf(marks: PrintMarks): PrintBlock[] {
  const banner = (text: string): PrintBlock => ({ type: "text", text, align: "center", size: 2, bold: true, invert: true });
  const banners = [...(marks.simulated ? [banner("BẢN THỬ")] : []), ...(marks.reprint ? [banner("BẢN IN LẠI")] : [])];
  return banners.length > 0 ? [...banners, { type: "feed", lines: 1 }] : [];
}

/** The closing line of a torn receipt. */
export function voidDocument(): PrintDocument {
  return {
    blocks: [
      { type: "feed", lines: 1 },
      { type: "text", text: "BẢN IN HỎNG", align: "center", size: 2, bold: true, invert: true },
    ],
  };
}

function pieceOf(block: PrintBlock, config: EscposConfig, way: Way): Piece | { readonly draw: DrawableBlock } {
  switch (block.type) {
    case "feed": {
      const heightDots = block.lines * LINE_DOTS;
      const { widthDots } = config;
      return { type: "bitmap", bitmap: { widthDots, heightDots, bits: new Uint8Array(Math.ceil(widthDots / 8) * heightDots) } };
    }
    case "cut":
      return { type: "cut", partial: block.mode !== "full" };
    case "drawer":
      return { type: "drawer", pin: block.pin ?? 2 };
    case "raw":
      return { type: "bytes", bytes: new Uint8Array(Buffer.from(block.base64, "base64")), raw: true };
    default: {
      const bytes = way === "device" ? ownWords(block, config) : undefined;
      return bytes ? { type: "bytes", bytes } : { draw: block };
    }
  }
}

/** What the printer composes itself where the config says that it can; undefined: drawn. */
function ownWords(block: DrawableBlock, config: EscposConfig): Uint8Array | undefined {
  if (block.type === "text") return codePageText(block, config);
  if (!profileOf(config).nativeCodes) return undefined;
  if (block.type === "qr") {
    const data = new TextEncoder().encode(block.data);
    // Control characters might be real-time commands.
    if (data.some((byte) => byte < 0x20)) return undefined;
    return aligned(block.align, nativeQr(data, block.moduleDots ?? 6, block.correction ?? "M"));
  }
  if (block.type === "barcode") {
    const { symbology, data, heightDots = 80, moduleDots = 2, label = true } = block;
    return aligned(block.align, nativeBarcode({ symbology, data, heightDots, moduleDots, label }));
  }
  return undefined;
}

function aligned(align: "left" | "center" | "right" | undefined, bytes: Uint8Array): Uint8Array {
  return concatBytes([justify(align ?? "center"), bytes, justify("left")]);
}

/** Width of font A. */
const LETTER_DOTS = 12;

function codePageText(block: Extract<DrawableBlock, { type: "text" }>, { codePage, widthDots }: EscposConfig): Uint8Array | undefined {
  if (!codePage || block.invert) return undefined;
  const size = block.size ?? 1;
  const lines = wrapLetters(block.text, Math.floor(widthDots / (LETTER_DOTS * size))).map((line) => encodeText(line, codePage.encoding));
  if (lines.includes(undefined)) return undefined;
  return encode((encoder) => {
    encoder.raw(Buffer.from(selectCodePage(codePage.page)));
    encoder.align(({ left: "LT", center: "CT", right: "RT" } as const)[block.align ?? "left"]);
    encoder.style(block.bold ? (block.underline ? "BU" : "B") : block.underline ? "U" : "NORMAL").size(size - 1, size - 1);
    for (const line of lines) encoder.text(Buffer.from(line ?? []).toString("latin1"), "binary");
    encoder.align("LT").style("NORMAL").size(0, 0);
  });
}

function wrapLetters(text: string, letters: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.normalize("NFC").split("\n")) {
    let line = "";
    for (const word of paragraph.split(/(?<= )(?=[^ ])/)) {
      if ((line + word).trimEnd().length > letters && line !== "") {
        lines.push(line.trimEnd());
        line = "";
      }
      line += word;
      while (line.trimEnd().length > letters) {
        lines.push(line.slice(0, letters));
        line = line.slice(letters);
      }
    }
    lines.push(line.trimEnd());
  }
  return lines;
}

/** Whole commands: between two segments the printer is in step. */
export interface Segment {
  readonly bytes: Uint8Array;
  /** A technician's bytes: they may have changed any setting. */
  readonly raw?: true;
}

export interface LaidOut {
  /** All but the tail, in whole commands. */
  readonly body: readonly Segment[];
  /** The final cut and a drawer that follows it. */
  readonly tail: Uint8Array;
  readonly byteLength: number;
  readonly rows: number;
  /** Cuts that a whole receipt takes, or undefined where raw bytes may cut too. */
  readonly cuts: number | undefined;
  /** Zeros that surely complete whatever command was broken off. */
  readonly padBytes: number;
}

/** @throws DeviceError `too_large` */
export function toBytes(pieces: readonly Piece[], config: EscposConfig): LaidOut {
  const lastCut = pieces.findLastIndex((piece) => piece.type === "cut");
  const segmentsOf = (piece: Piece): Segment[] => {
    if (piece.type === "bitmap") return raster(piece.bitmap, config.bandRows).map((bytes) => ({ bytes }));
    if (piece.type === "bytes") return [piece];
    // Fed by its own command and cut by one that does not feed: if it breaks off in between, zeros complete it to a cut
    // at the same place, never to one through the text.
    return [{ bytes: piece.type === "cut" ? encode((encoder) => encoder.cut(piece.partial, config.cutFeedLines)) : kickDrawer(piece.pin) }];
  };
  const body = pieces.slice(0, lastCut).flatMap(segmentsOf);
  const tail = concatBytes(
    pieces
      .slice(lastCut)
      .flatMap(segmentsOf)
      .map(({ bytes }) => bytes),
  );
  const byteLength = body.reduce((sum, { bytes }) => sum + bytes.length, tail.length);
  if (byteLength > MAX_BYTES) throw tooLong();
  const hasRaw = pieces.some((piece) => piece.type === "bytes" && piece.raw);
  const longest = Math.max(0, ...pieces.map((piece) => (piece.type === "bytes" ? piece.bytes.length : 0)));
  const band = RASTER_HEADER_BYTES + Math.ceil(config.widthDots / 8) * config.bandRows;
  return {
    body,
    tail,
    byteLength,
    rows: pieces.reduce((sum, piece) => sum + (piece.type === "bitmap" ? piece.bitmap.heightDots : 0), 0),
    cuts: hasRaw ? undefined : pieces.filter((piece) => piece.type === "cut").length,
    padBytes: Math.max(band, longest),
  };
}

/** The same pieces as one picture; an inner cut is a row of dashes. */
export async function previewOf(
  pieces: readonly Piece[],
  { widthDots }: EscposConfig,
  imaging: Imaging,
  signal: AbortSignal,
): Promise<PrintPreview> {
  const stride = Math.ceil(widthDots / 8);
  const parts = pieces.map((piece, index) => {
    if (piece.type === "bitmap") return piece.bitmap.bits;
    const dashes = piece.type === "cut" && pieces.slice(index + 1).some((later) => later.type === "bitmap");
    return new Uint8Array(dashes ? stride : 0).fill(0xf0);
  });
  const bits = concatBytes(parts);
  const heightDots = Math.max(1, bits.length / stride);
  const bitmap = { widthDots, heightDots, bits: bits.length > 0 ? bits : new Uint8Array(stride) };
  return { png: await imaging.png(bitmap, signal), widthDots, heightDots };
}
