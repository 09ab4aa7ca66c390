import type { Dice } from "./inputs.js";

/** One row of the table: what comes from outside, and what takes it. */
export interface Decoder {
  readonly name: string;
  /** Files under `src/` whose decoding this drives. */
  readonly files: readonly string[];
  /** Its share of all inputs: slow decoders take fewer. */
  readonly weight: number;
  /** Sound ones, to be damaged. */
  readonly samples: readonly Uint8Array[];
  /** Anything but a return or a `DeviceError` is a crash. */
  run(input: Uint8Array, dice: Dice): unknown;
  /** After the last input: lets go, and says by throwing that something did not survive. */
  end?(): Promise<void>;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A decoder's promise about its own bounds, or the agent's, is broken. */
export function insist(holds: boolean, what: string): void {
  if (!holds) throw new RangeError(`broken: ${what}`);
}
