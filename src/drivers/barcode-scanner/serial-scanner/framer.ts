import { equalBytes } from "../../../kernel/bytes.js";

export type Framed =
  | { readonly type: "code"; readonly bytes: Uint8Array }
  /** Of the scanner to a command: never part of a code. */
  | { readonly type: "answer"; readonly bytes: Uint8Array }
  | { readonly type: "dropped"; readonly reason: "too_long" | "unterminated" };

export interface FramerOptions {
  /** What ends a code; undefined: silence does, which the caller tells by `flush`. */
  readonly terminator: Uint8Array | undefined;
  /** How the scanner's answers to commands begin and end, where its dialect has any. */
  readonly answers?: { readonly head: Uint8Array; readonly tail: Uint8Array } | undefined;
  /** Terminator not counted. */
  readonly maxCodeBytes: number;
}

export interface Framer {
  /** What became whole with these bytes. The outcome does not depend on how the stream is cut into chunks. */
  push(chunk: Uint8Array): readonly Framed[];
  /** The line fell silent: ends the code, or drops the torn one where a terminator was due. */
  flush(): readonly Framed[];
  /** Something has begun and not ended. */
  readonly pending: boolean;
}

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;

function endsWith(buffer: Uint8Array, length: number, tail: Uint8Array): boolean {
  if (length < tail.length) return false;
  for (let index = 0; index < tail.length; index++) {
    if (buffer[length - tail.length + index] !== tail[index]) return false;
  }
  return true;
}

/** Cuts a byte stream into codes and answers. Holds at most one code; all other control characters, GS (1D) too, stay. */
export function createFramer({ terminator, answers, maxCodeBytes }: FramerOptions): Framer {
  // Full means too long: there was room for the longest code and its terminator, and the terminator is not there.
  const buffer = new Uint8Array(maxCodeBytes + (terminator?.length ?? 1));
  let length = 0;
  let overlong = false;
  let inAnswer = false;
  const endsInCr = terminator?.length === 1 && terminator[0] === CR;
  const endsInLf = terminator?.length === 1 && terminator[0] === LF;

  const restart = (): void => {
    length = 0;
    overlong = false;
    inAnswer = false;
  };

  /** Takes `tail` off the end; undefined where nothing is left to hand out. */
  const takeCode = (tail: number): Framed | undefined => {
    let end = length - tail;
    // A scanner set to CR LF where the config says LF, or with a suffix where it says that silence ends a code.
    if (!terminator && buffer[end - 1] === LF) end--;
    if ((!terminator || endsInLf) && buffer[end - 1] === CR) end--;
    const code: Framed | undefined = !overlong && end > 0 ? { type: "code", bytes: buffer.slice(0, end) } : undefined;
    restart();
    return code;
  };

  const take = (byte: number): Framed | undefined => {
    // No code begins with NUL, but a line that is plugged in or a scanner that powers up sends a break, read as NUL.
    // Nor with LF: that is the rest of CR LF where the config says CR.
    if (length === 0 && !overlong && (byte === NUL || (endsInCr && byte === LF))) return undefined;
    buffer[length++] = byte;
    if (answers && !overlong) {
      // Only at the start of a message: a code that holds such bytes in its middle stays whole.
      if (length === answers.head.length && equalBytes(buffer.subarray(0, length), answers.head)) inAnswer = true;
      if (inAnswer && length > answers.head.length && endsWith(buffer, length, answers.tail)) {
        const answer: Framed = { type: "answer", bytes: buffer.slice(0, length) };
        restart();
        return answer;
      }
    }
    if (terminator && !inAnswer && endsWith(buffer, length, terminator)) return takeCode(terminator.length);
    if (length < buffer.length) return undefined;
    // Full. What follows, up to the next terminator or silence, belongs to the same overlong code.
    const first = !overlong;
    const keep = terminator ? terminator.length - 1 : 0;
    buffer.copyWithin(0, length - keep, length);
    length = keep;
    overlong = true;
    inAnswer = false;
    return first ? { type: "dropped", reason: "too_long" } : undefined;
  };

  return {
    push(chunk) {
      const framed: Framed[] = [];
      for (const byte of chunk) {
        const item = take(byte);
        if (item) framed.push(item);
      }
      return framed;
    },
    flush() {
      if (terminator || inAnswer) {
        const torn = length > 0 && !overlong;
        restart();
        return torn ? [{ type: "dropped", reason: "unterminated" }] : [];
      }
      const code = takeCode(0);
      return code ? [code] : [];
    },
    get pending() {
      return length > 0 || overlong;
    },
  };
}
