import { fromHex, toHex } from "../../kernel/bytes.js";
import type { Transceiver } from "../../kernel/card.js";
import { DeviceError } from "../../kernel/errors.js";
import { Secret } from "../../kernel/secret.js";
import type { AccessKey, LengthMemory } from "../types.js";

/** Answers from a list, and says which commands came. */
export function scriptedCard(responses: readonly string[]): Transceiver & { readonly commands: string[] } {
  const commands: string[] = [];
  return {
    commands,
    async transmit(apdu) {
      const response = responses[commands.length];
      commands.push(toHex(apdu).toUpperCase());
      if (response === undefined) throw new DeviceError("card_removed");
      return fromHex(response);
    },
  };
}

/** "Random" bytes from a list: for published examples. */
export function scriptedRandom(...values: readonly string[]): (length: number) => Uint8Array {
  const left = [...values];
  return (length) => {
    const next = fromHex(left.shift() ?? "");
    if (next.length !== length) throw new RangeError(`asked for ${length} bytes, ${next.length} are next`);
    return next;
  };
}

/** Not random, and never the same twice. */
export function countingRandom(): (length: number) => Uint8Array {
  let next = 1;
  return (length) =>
    Uint8Array.from({ length }, () => {
      next = (next * 75 + 74) % 65_537;
      return next & 0x7f;
    });
}

export const mrzKey = (documentNumber: string, birthDate: string, expiryDate: string): AccessKey => ({
  kind: "mrz",
  mrz: new Secret({ documentNumber, birthDate, expiryDate }),
});
export const canKey = (can: string): AccessKey => ({ kind: "can", can: new Secret(can) });

export function lengthMemory(): LengthMemory & { readonly known: Map<string, number> } {
  const known = new Map<string, number>();
  return { known, get: (atr) => known.get(atr), set: (atr, most) => void known.set(atr, most) };
}
