import { concatBytes } from "../../src/kernel/bytes.js";

/** One message: two bytes of control field as a number (0x0601), and what follows the length. */
export interface Apdu {
  readonly command: number;
  readonly body: Uint8Array;
}

const EMPTY: Uint8Array = new Uint8Array();
/** From here on the length takes three bytes: FF, low, high (PA00P015, APDU structure). */
const LONG_FROM = 0xff;
export const MAX_BODY_BYTES = 0xffff;

export function encodeApdu(command: number, body: Uint8Array = EMPTY): Uint8Array {
  const length = body.length < LONG_FROM ? [body.length] : [LONG_FROM, body.length & 0xff, body.length >> 8];
  return concatBytes([Uint8Array.of(command >> 8, command & 0xff, ...length), body]);
}

/** Where the body begins and ends; undefined while the length is not there yet. */
function extent(bytes: Uint8Array): { readonly start: number; readonly end: number } | undefined {
  const [, , short, low, high] = bytes;
  if (short === undefined) return undefined;
  if (short !== LONG_FROM) return { start: 3, end: 3 + short };
  if (low === undefined || high === undefined) return undefined;
  return { start: 5, end: 5 + low + (high << 8) };
}

/** Exactly one message; undefined where the length does not fit. */
export function decodeApdu(bytes: Uint8Array): Apdu | undefined {
  const found = extent(bytes);
  if (!found || found.end !== bytes.length) return undefined;
  return { command: ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0), body: bytes.slice(found.start) };
}

/** Cuts a stream of bare messages at their lengths, however it was split on its way (ZVT over TCP). Holds one message at most. */
export function createApduSplitter(): (bytes: Uint8Array) => Apdu[] {
  let held = EMPTY;
  return (bytes) => {
    held = concatBytes([held, bytes]);
    const whole: Apdu[] = [];
    for (;;) {
      const found = extent(held);
      if (!found || found.end > held.length) return whole;
      const apdu = decodeApdu(held.subarray(0, found.end));
      if (apdu) whole.push(apdu);
      held = held.slice(found.end);
    }
  };
}
