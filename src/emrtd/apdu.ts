import { concatBytes } from "../kernel/bytes.js";

/** One command to a card (ISO 7816-4 §5.1). */
export interface Command {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data?: Uint8Array;
  /** Most bytes that the answer may have: 1 to 65,536. None are expected without it. */
  readonly le?: number;
}

/** The largest Le of a short command APDU; one beyond it makes the whole APDU extended. */
export const SHORT_LE = 256;
export const EXTENDED_LE = 65_536;
const SHORT_LC = 255;

/** Command APDU, short where it fits, else extended (ISO 7816-4 §5.2). */
export function encodeCommand(command: Command): Uint8Array {
  const { cla, ins, p1, p2, data = new Uint8Array(), le } = command;
  const header = Uint8Array.of(cla, ins, p1, p2);
  // 00 stands for the largest number in either form.
  if (data.length <= SHORT_LC && (le ?? 0) <= SHORT_LE) {
    const lc = data.length > 0 ? [data.length] : [];
    return concatBytes([header, Uint8Array.from(lc), data, Uint8Array.from(le === undefined ? [] : [le & 0xff])]);
  }
  const lc = data.length > 0 ? [0, data.length >> 8, data.length & 0xff] : [];
  // The zero that marks the extended form stands before Lc, or before Le where there is no Lc.
  const end = le === undefined ? [] : [...(data.length > 0 ? [] : [0]), (le >> 8) & 0xff, le & 0xff];
  return concatBytes([header, Uint8Array.from(lc), data, Uint8Array.from(end)]);
}

/** What a card answered. */
export interface Answer {
  readonly data: Uint8Array;
  /** Status word, or one of `NO_ANSWER` and `UNVERIFIED`. */
  readonly sw: number;
  /** The answer came without secure messaging where it was due: the session is over (ICAO 9303-11 §9.8.8). */
  readonly lost: boolean;
}

/** In place of a status word: the APDU did not get through. */
export const NO_ANSWER = 0;
/** In place of a status word: the answer is not of the chip that has the keys. */
export const UNVERIFIED = 1;

export const OK = 0x9000;
/** Fewer bytes than asked for: the end of the file was reached. */
export const END_OF_FILE = 0x6282;
export const WRONG_LENGTH = 0x6700;
export const NOT_ALLOWED = 0x6982;
export const NOT_FOUND = 0x6a82;

/** Data and status word of a response APDU; undefined where it is shorter than a status word. */
export function decodeResponse(response: Uint8Array): { data: Uint8Array; sw: number } | undefined {
  const [sw1, sw2] = response.subarray(-2);
  if (sw1 === undefined || sw2 === undefined) return undefined;
  return { data: response.subarray(0, -2), sw: sw1 * 256 + sw2 };
}
