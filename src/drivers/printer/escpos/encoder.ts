import assert from "node:assert/strict";
import { createRequire } from "node:module";

/** Of the package `escpos` only what is sound; its adapters, status, images, codes and drawer kick are not. */
export interface EscposEncoder {
  align(align: "LT" | "CT" | "RT"): EscposEncoder;
  /** One less than the multiple of the normal letter. */
  size(width: number, height: number): EscposEncoder;
  style(style: "NORMAL" | "B" | "U" | "BU"): EscposEncoder;
  /** A line, ended. */
  text(content: string, encoding: "binary"): EscposEncoder;
  /** Feeds `lines` (none given or 0: three), then cuts without a further feed. */
  cut(partial: boolean, lines: number): EscposEncoder;
  raw(bytes: Buffer): EscposEncoder;
}

interface EscposPrinter extends EscposEncoder {
  flush(done: (error?: Error) => void): EscposPrinter;
}
type EscposPackage = new (adapter: { write(bytes: Buffer, done: () => void): void }) => EscposPrinter;

/** Encodes into memory. The package is loaded at first use: it is slow to load and a station may have no such printer. */
export function encode(build: (encoder: EscposEncoder) => void): Uint8Array {
  const Printer = createRequire(import.meta.url)("escpos") as EscposPackage;
  let encoded: Buffer | undefined;
  const printer = new Printer({
    write(bytes, done) {
      encoded = bytes;
      done();
    },
  });
  build(printer);
  printer.flush(() => {});
  assert(encoded, "the encoder writes at once");
  return new Uint8Array(encoded);
}
