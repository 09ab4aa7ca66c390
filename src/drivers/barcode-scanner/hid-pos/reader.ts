import type { ScannedCode } from "../../../contracts/barcode-scanner.js";

export type ReadOutcome =
  | { readonly type: "code"; readonly code: ScannedCode }
  | { readonly type: "dropped"; readonly reason: "code_too_long" | "code_unfinished" | "bad_report" };

/** Makes codes of input reports; holds at most one code. */
export interface ReportReader {
  /** What became whole, or was given up, with this report as hidraw has it. */
  push(report: Uint8Array): readonly ReadOutcome[];
  /** Nothing came for `waitMs`: ends the code, or gives up the unfinished one. */
  flush(): readonly ReadOutcome[];
  /** How long to wait before `flush`; undefined: nothing has begun. */
  readonly waitMs: number | undefined;
}

/** One CR, LF or CR LF at the end is the suffix that scanners are shipped with, and no part of the code. */
export function withoutSuffix(bytes: Uint8Array): Uint8Array {
  const end = bytes.length;
  if (bytes[end - 1] === 0x0a) return bytes.subarray(0, bytes[end - 2] === 0x0d ? end - 2 : end - 1);
  return bytes[end - 1] === 0x0d ? bytes.subarray(0, end - 1) : bytes;
}
