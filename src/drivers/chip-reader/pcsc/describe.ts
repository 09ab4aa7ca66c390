import type { Describe } from "../../../contracts/driver.js";
import { toHex } from "../../../kernel/bytes.js";

/** ISO 7816-4 §5.4.2, table 4. */
const INSTRUCTIONS: ReadonlyMap<number, string> = new Map([
  [0x22, "MANAGE SECURITY ENVIRONMENT"],
  [0x82, "EXTERNAL AUTHENTICATE"],
  [0x84, "GET CHALLENGE"],
  [0x86, "GENERAL AUTHENTICATE"],
  [0x88, "INTERNAL AUTHENTICATE"],
  [0xa4, "SELECT"],
  [0xb0, "READ BINARY"],
  [0xb1, "READ BINARY, odd"],
  [0xc0, "GET RESPONSE"],
  [0xca, "GET DATA"],
]);

/** The command's name and its length, never what is in it; of the answer, its status word. */
export function describe(): Describe {
  return ({ from, what, bytes }) => {
    const [verb = ""] = what.split(" ", 1);
    if (verb !== "apdu") return [PLAIN.get(verb) ?? "says something"];
    if (from === "device") return [`${toHex(bytes.subarray(-2))}, ${Math.max(0, bytes.length - 2)} bytes`];
    const [cla = 0, ins = 0] = bytes;
    const name = INSTRUCTIONS.get(ins) ?? `instruction ${toHex(Uint8Array.of(ins))}`;
    // Bit 3 or 4 of the class: secure messaging (ISO 7816-4 §5.4.1).
    return [`${name}${(cla & 0x0c) === 0 || cla === 0xff ? "" : ", protected"}, ${bytes.length} bytes`];
  };
}

const PLAIN: ReadonlyMap<string, string> = new Map([
  ["connect", "powers the card"],
  ["atr", "the card answers the reset"],
  ["disconnect", "powers the card down"],
  ["present", "a card lies on the reader"],
  ["absent", "no card lies on the reader"],
  ["ended", "the card is gone"],
  ["failed", "the exchange failed"],
]);
