import { COMMANDS, type CommandShape } from "./commands.js";

/** What the bytes mean. `unknown`: no such command, or one with a parameter out of range; `opcode` in hexadecimal. */
export type Command =
  | { readonly kind: "character"; readonly code: number }
  | { readonly kind: "control"; readonly code: number }
  | { readonly kind: "command"; readonly name: string; readonly opcode: string; readonly body: Uint8Array }
  | { readonly kind: "unknown"; readonly opcode: string };

export interface Interpreter {
  /** Takes one byte; returns what it completes, if it does. */
  push(byte: number): readonly Command[];
  /** Whether the bytes so far end inside a command. */
  readonly inCommand: boolean;
}

const DLE = 0x10;
const ESC = 0x1b;
const FS = 0x1c;
const GS = 0x1d;
const isPrefix = (byte: number): boolean => byte === DLE || byte === ESC || byte === FS || byte === GS;

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

interface Gathering {
  readonly shape: CommandShape;
  readonly opcode: string;
  body: Uint8Array;
  filled: number;
  /** How much of the body must be there before its length is asked for again. */
  wanted: number;
}

/** A parser of bytes in any chunking. It never fails: what it does not know is reported and skipped. */
export function createInterpreter(): Interpreter {
  let prefix: number | undefined;
  let gathering: Gathering | undefined;

  const plain = (byte: number): readonly Command[] => {
    if (isPrefix(byte)) {
      prefix = byte;
      return [];
    }
    // NUL pads; everything else below a blank is a control character.
    if (byte === 0) return [];
    return [byte < 0x20 || byte === 0x7f ? { kind: "control", code: byte } : { kind: "character", code: byte }];
  };

  const progress = (of: Gathering): readonly Command[] => {
    for (;;) {
      const length = of.shape.length(of.body.subarray(0, of.filled));
      if (length === undefined) return giveUp(of);
      if (length <= of.filled) {
        gathering = undefined;
        return [{ kind: "command", name: of.shape.name, opcode: of.opcode, body: of.body.slice(0, of.filled) }];
      }
      of.wanted = length;
      return [];
    }
  };

  /** A parameter is out of range: the opcode and what made it so are dropped, parsing goes on behind them. */
  const giveUp = (of: Gathering): readonly Command[] => {
    gathering = undefined;
    return [{ kind: "unknown", opcode: of.opcode }];
  };

  const open = (first: number, second: number): readonly Command[] => {
    const opcode = hex(first) + hex(second);
    const shape = COMMANDS.get(opcode);
    if (!shape) return [{ kind: "unknown", opcode }, ...(isPrefix(second) ? plain(second) : [])];
    gathering = { shape, opcode, body: new Uint8Array(16), filled: 0, wanted: 0 };
    return progress(gathering);
  };

  return {
    get inCommand() {
      return prefix !== undefined || gathering !== undefined;
    },
    push(byte) {
      if (gathering) {
        if (gathering.filled === gathering.body.length) {
          // Doubling, not the announced length: a wrong length must not cost memory before its bytes are there.
          const grown = new Uint8Array(gathering.body.length * 2);
          grown.set(gathering.body);
          gathering.body = grown;
        }
        gathering.body[gathering.filled++] = byte;
        return gathering.filled >= gathering.wanted ? progress(gathering) : [];
      }
      if (prefix !== undefined) {
        const first = prefix;
        prefix = undefined;
        return open(first, byte);
      }
      return plain(byte);
    },
  };
}
