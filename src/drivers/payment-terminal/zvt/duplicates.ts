import { equalBytes } from "../../../kernel/bytes.js";

/** Tells a block that the terminal sent again from one that merely looks the same. Serial only: TCP repeats nothing. */
export interface DuplicateWatch {
  /** For each frame in the order of arrival. A duplicate is acknowledged again and otherwise dropped. */
  received(apdu: Uint8Array): "new" | "duplicate";
  /** The terminal acknowledged a block of ours. */
  acknowledged(): void;
}

/**
 * Blocks have no sequence number, and two equal ones in a row are common (an empty receipt line, the same intermediate
 * status). But the terminal sends its next block only after it took our answer to the last one, and says so by ACK:
 * the same bytes before that ACK are the old block, whose own ACK got lost on the way.
 */
export function createDuplicateWatch(): DuplicateWatch {
  let last: Uint8Array | undefined;
  return {
    received(apdu) {
      if (last && equalBytes(last, apdu)) return "duplicate";
      last = apdu.slice();
      return "new";
    },
    acknowledged() {
      last = undefined;
    },
  };
}
