import assert from "node:assert/strict";
import { concatBytes } from "../../../kernel/bytes.js";

/** One message of ZVT: two bytes of control field (class and instruction), a length, and that much data. */
export interface Apdu {
  /** Both bytes as one number: 0x0601. */
  readonly control: number;
  readonly data: Uint8Array;
}

/** The first byte of a length that stands in the two bytes after it, low byte first. */
const LONG = 0xff;
const MOST_DATA = 0xffff;
export const MAX_APDU_BYTES = 5 + MOST_DATA;

/** Where the data begins and the APDU ends; undefined while `bytes` are too few to tell. */
export function apduExtent(bytes: Uint8Array): { dataAt: number; end: number } | undefined {
  const length = bytes[2];
  if (length === undefined) return undefined;
  if (length !== LONG) return { dataAt: 3, end: 3 + length };
  const low = bytes[3];
  const high = bytes[4];
  return low === undefined || high === undefined ? undefined : { dataAt: 5, end: 5 + low + 256 * high };
}

/** Exactly one APDU; undefined where its length lies. `data` shares memory with `bytes`. */
export function decodeApdu(bytes: Uint8Array): Apdu | undefined {
  const extent = apduExtent(bytes);
  if (extent?.end !== bytes.length) return undefined;
  return { control: (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0), data: bytes.subarray(extent.dataAt) };
}

export function encodeApdu(control: number, ...data: readonly Uint8Array[]): Uint8Array {
  const length = data.reduce((sum, part) => sum + part.length, 0);
  assert(length <= MOST_DATA);
  const field = length < LONG ? [length] : [LONG, length & 0xff, length >>> 8];
  return concatBytes([Uint8Array.of(control >>> 8, control & 0xff, ...field), ...data]);
}

/** "Command understood, go on." To a 04 0F it is the commit: without it the terminal reverses the payment. */
export const positiveAnswer = (): Uint8Array => encodeApdu(0x8000);

/** `84 xx`, where xx is not 00: that would be a positive answer. To a 04 0F every code but 9C makes the terminal reverse. */
export function negativeAnswer(code: number): Uint8Array {
  assert(code > 0 && code <= 0xff);
  return encodeApdu(0x8400 | code);
}

/** As the code of a negative answer to 04 0F: "wait and send it again". */
export const SEND_AGAIN = 0x9c;
