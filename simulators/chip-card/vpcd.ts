import { concatBytes } from "../../src/kernel/bytes.js";

/**
 * The wire of a card behind a virtual reader (vsmartcard's vpcd): a length of two bytes, most significant first,
 * and so many bytes. One byte is an order to the card, more are a command APDU.
 */
export const VPCD_ORDERS = { powerOff: 0, powerOn: 1, reset: 2, getAtr: 4 } as const;

export function frame(content: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(content.length >> 8, content.length & 0xff), content]);
}

/** Cuts the wire's bytes into frames; never holds more than one frame that is not whole. */
export function createFrames(): (bytes: Uint8Array) => readonly Uint8Array[] {
  let held: Uint8Array = new Uint8Array();
  return (bytes) => {
    held = concatBytes([held, bytes]);
    const whole: Uint8Array[] = [];
    for (;;) {
      if (held.length < 2) return whole;
      const length = (held[0] ?? 0) * 256 + (held[1] ?? 0);
      if (held.length < 2 + length) return whole;
      whole.push(held.slice(2, 2 + length));
      held = held.slice(2 + length);
    }
  };
}
