import type { ScannedCode } from "../../../contracts/barcode-scanner.js";
import { asciiBytes, concatBytes, fromHex } from "../../../kernel/bytes.js";

export type Dialect = "plain" | "honeywell" | "newland";

const TERMINATORS: Readonly<Record<string, Uint8Array | undefined>> = {
  cr: Uint8Array.of(0x0d),
  lf: Uint8Array.of(0x0a),
  crlf: Uint8Array.of(0x0d, 0x0a),
  none: undefined,
};

/** The bytes that `terminator` of the config stands for; undefined: silence ends a code. */
export function terminatorBytes(terminator: string): Uint8Array | undefined {
  return terminator.startsWith("hex:") ? fromHex(terminator.slice(4)) : TERMINATORS[terminator];
}

/** AIM identifier, ISO/IEC 15424: `]`, a letter for the symbology, a modifier. */
const AIM_LENGTH = 3;

function aimPrefix(bytes: Uint8Array): string | undefined {
  const prefix = String.fromCharCode(...bytes.subarray(0, AIM_LENGTH));
  return /^\][A-Za-z][0-9A-Za-z]$/.test(prefix) ? prefix : undefined;
}

/**
 * A whole code: identifier split off where the scanner sends one, UTF-8 decoded once over all of it. A byte order mark
 * is no text and is left out of `text`; `bytes` keep it.
 */
export function decodeCode(framed: Uint8Array, symbology: "none" | "aim"): ScannedCode {
  const aim = symbology === "aim" ? aimPrefix(framed) : undefined;
  const bytes = aim === undefined ? framed : framed.subarray(AIM_LENGTH);
  const identified = aim === undefined ? { bytes } : { bytes, symbology: aim };
  try {
    return { ...identified, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), encoding: "utf-8" };
  } catch {
    return { ...identified, text: new TextDecoder().decode(bytes), encoding: "lossy" };
  }
}

const SYN = 0x16;
const CR = 0x0d;
const ACK = 0x06;

/** Newland: `~ SOH 0000`, `#` = until power-off, command, `; ETX`; the answer has STX for `~` and a status before the `;`. */
const NEWLAND_HEAD = concatBytes([Uint8Array.of(0x7e, 0x01), asciiBytes("0000#")]);
const NEWLAND_TAIL = Uint8Array.of(0x3b, 0x03);

/** How answers of a dialect are told from codes. Honeywell's trigger commands have no answer. */
export const ANSWERS: Readonly<Record<Dialect, { readonly head: Uint8Array; readonly tail: Uint8Array } | undefined>> = {
  plain: undefined,
  honeywell: undefined,
  newland: { head: concatBytes([Uint8Array.of(0x02, 0x01), asciiBytes("0000")]), tail: NEWLAND_TAIL },
};

/** A command, and the answer to wait for where the dialect has one. */
export interface Command {
  readonly bytes: Uint8Array;
  /** What the answer repeats before its status byte. */
  readonly echo: Uint8Array | undefined;
}

function newlandCommand(command: string): Command {
  const body = asciiBytes(command);
  return {
    bytes: concatBytes([NEWLAND_HEAD, body, NEWLAND_TAIL]),
    echo: concatBytes([Uint8Array.of(0x02), NEWLAND_HEAD.subarray(1), body]),
  };
}

/** Undefined where the scanner has no trigger that can be told. */
export function triggerCommand(dialect: Dialect, on: boolean): Command | undefined {
  if (dialect === "plain") return undefined;
  if (dialect === "honeywell") return { bytes: Uint8Array.of(SYN, on ? 0x54 : 0x55, CR), echo: undefined };
  return newlandCommand(on ? "SCNTRG1" : "SCNTRG0");
}

/** Asks what changes nothing; undefined where the dialect knows no such question. */
export function queryCommand(dialect: Dialect): Command | undefined {
  return dialect === "newland" ? newlandCommand("QRYSYS") : undefined;
}

/** Is this the answer to that command, and did the scanner do it? Statuses: 06 done, 15 wrong value, 05 unknown command. */
export function readAnswer(answer: Uint8Array, echo: Uint8Array): "done" | "refused" | "other" {
  if (!echo.every((byte, index) => answer[index] === byte)) return "other";
  return answer[answer.length - NEWLAND_TAIL.length - 1] === ACK ? "done" : "refused";
}
