import type { Describe } from "../../../contracts/driver.js";
import type { z } from "../../../kernel/schema.js";
import type { SerialScannerConfig } from "./config.js";

/** AIM identifier: `]`, letter of the symbology, modifier (ISO/IEC 15424). */
const CLOSING_BRACKET = 0x5d;

/** Lengths, and the symbology where the scanner is set to say it: never a letter of a code. */
export function describe({ symbology }: Pick<z.output<typeof SerialScannerConfig>, "symbology">): Describe {
  return ({ from, bytes }) => {
    if (from === "agent") return [`a command of ${bytes.length} bytes`];
    const identifier = String.fromCharCode(...bytes.subarray(0, 3));
    const named = symbology === "aim" && bytes[0] === CLOSING_BRACKET && /^\][A-Za-z][0-9A-F]$/.test(identifier);
    return [`${bytes.length} bytes${named ? ` that begin with ${identifier}` : ""}`];
  };
}
