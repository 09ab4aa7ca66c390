import { concatBytes } from "../../src/kernel/bytes.js";

/** A command APDU (ISO 7816-4 §5.1). */
export interface Command {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data: Uint8Array;
  /** The most bytes that the terminal takes; 0 where the command has no Le field. */
  readonly ne: number;
  /** Le was all zero: as many as there are. */
  readonly neIsMaximum: boolean;
  /** Length fields of three and two bytes. */
  readonly extended: boolean;
}

export interface Answer {
  readonly data: Uint8Array;
  /** Status word. */
  readonly sw: number;
}

const NOTHING = new Uint8Array();

export const status = (sw: number): Answer => ({ data: NOTHING, sw });
export const success = (data: Uint8Array = NOTHING): Answer => ({ data, sw: 0x9000 });

export function encodeAnswer({ data, sw }: Answer): Uint8Array {
  return concatBytes([data, Uint8Array.of(sw >> 8, sw & 0xff)]);
}

/** Undefined when the length fields contradict the length. */
export function parseCommand(apdu: Uint8Array): Command | undefined {
  const [cla, ins, p1, p2, first = 0, high = 0, low = 0] = apdu;
  if (cla === undefined || ins === undefined || p1 === undefined || p2 === undefined) return undefined;
  const header = { cla, ins, p1, p2 };
  const none = { data: NOTHING, ne: 0, neIsMaximum: false, extended: false };
  if (apdu.length === 4) return { ...header, ...none };
  if (apdu.length === 5) return { ...header, ...none, ne: first || 256, neIsMaximum: first === 0 };
  if (first !== 0) {
    const le = apdu.length - 5 - first;
    if (le !== 0 && le !== 1) return undefined;
    const last = apdu[apdu.length - 1] ?? 0;
    const data = apdu.slice(5, 5 + first);
    return { ...header, data, ne: le === 0 ? 0 : last || 256, neIsMaximum: le === 1 && last === 0, extended: false };
  }
  const word = high * 256 + low;
  if (apdu.length === 7) return { ...header, data: NOTHING, ne: word || 65_536, neIsMaximum: word === 0, extended: true };
  const le = apdu.length - 7 - word;
  if (word === 0 || (le !== 0 && le !== 2)) return undefined;
  const last = (apdu[apdu.length - 2] ?? 0) * 256 + (apdu[apdu.length - 1] ?? 0);
  const data = apdu.slice(7, 7 + word);
  return { ...header, data, ne: le === 0 ? 0 : last || 65_536, neIsMaximum: le === 2 && last === 0, extended: true };
}
