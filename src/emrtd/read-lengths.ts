import { SHORT_LE } from "./apdu.js";
import { largestPlaintext } from "./secure-messaging.js";
import type { LengthMemory } from "./types.js";

/** Most bytes of one read: what the largest answer under AES holds, and within what offsets can tell. */
const MOST = 65_503;
/** The largest short answer, under 3DES; AES makes less of it. */
const SHORT = 231;
const LEAST = 96;
/** Tried in turn where more is refused: usual buffers, the largest short answer, and what capped cards take. */
const STEPS: readonly number[] = [2_048, 1_024, SHORT, 192, 160, 128, LEAST];
const SHORT_RESPONSE = SHORT_LE + 2;

/** How much is asked for in one go, from one chip through one reader. */
export interface ReadLengths {
  /** Most bytes of a file that one answer under secure messaging carries. */
  le(blockBytes: number): number;
  /** Less from now on. False where it is as little as can be. */
  shorten(): boolean;
  /** What was asked for worked: others need not find out again. */
  confirm(): void;
}

/** `maxApduBytes`: the longest APDU that the reader passes on, where it tells. */
export function createReadLengths(memory: LengthMemory, atr: string, maxApduBytes: number | undefined): ReadLengths {
  const readerExtended = maxApduBytes === undefined || largestPlaintext(maxApduBytes, 16) > SHORT_LE;
  const remembered = memory.get(atr);
  // What lies between the largest short answer and the smallest extended Le cannot be asked for.
  const believed = remembered === undefined || remembered > SHORT_LE ? remembered : Math.min(SHORT, Math.max(LEAST, remembered));
  let most = Math.min(believed ?? MOST, readerExtended ? MOST : SHORT);
  let shortened = false;
  const le = (blockBytes: number): number => {
    const room = most > SHORT ? (maxApduBytes ?? Number.POSITIVE_INFINITY) : SHORT_RESPONSE;
    return Math.min(most, largestPlaintext(room, blockBytes));
  };
  return {
    le,
    shorten() {
      // Less than was really asked for: the reader may have kept it down already.
      const next = STEPS.find((step) => step < le(16));
      if (next === undefined) return false;
      most = next;
      shortened = true;
      return true;
    },
    confirm() {
      if (!shortened) return;
      shortened = false;
      memory.set(atr, most);
    },
  };
}
