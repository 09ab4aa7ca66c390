import type { ScannedCode } from "../../contracts/barcode-scanner.js";

/** Pure functions on bytes: no clock, no link, no state outside the arguments. Cite the paragraph of the manual for each layout. */

const LF = 0x0a;

export interface Split {
  readonly codes: readonly Uint8Array[];
  /** What has begun and not ended; hand it back with the next bytes. */
  readonly rest: Uint8Array;
}

/** Cuts at line feeds. A code of more than `maxCodeBytes`, ended or not, is dropped, so that a line without end takes no memory. */
export function splitLines(bytes: Uint8Array, maxCodeBytes: number): Split {
  const codes: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
    if (end > start && end - start <= maxCodeBytes) codes.push(bytes.slice(start, end));
    start = end + 1;
  }
  const rest = bytes.slice(start);
  return { codes, rest: rest.length > maxCodeBytes ? rest.slice(0, maxCodeBytes + 1) : rest };
}

export function decodeCode(bytes: Uint8Array): ScannedCode {
  try {
    return { bytes, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), encoding: "utf-8" };
  } catch {
    return { bytes, text: new TextDecoder().decode(bytes), encoding: "lossy" };
  }
}
