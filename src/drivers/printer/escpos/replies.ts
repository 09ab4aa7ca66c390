/** What a printer sends, sorted. */
export type Reply =
  /** Answer to GS ( H function 48. */
  | { readonly type: "process_id"; readonly id: string }
  /** Answer to GS g 2 or GS I. */
  | { readonly type: "text"; readonly text: string }
  /** Answer to DLE EOT n; which n only the asker knows. */
  | { readonly type: "status"; readonly byte: number }
  /** Automatic status: B1 to B4. */
  | { readonly type: "auto_status"; readonly bytes: readonly [number, number, number, number] }
  /** Answer to GS r or one-byte GS I. */
  | { readonly type: "byte"; readonly byte: number }
  | { readonly type: "flow"; readonly on: boolean };

export interface ReplySorter {
  /** Any bytes in any chunks; never throws. */
  push(bytes: Uint8Array): readonly Reply[];
}

const XON = 0x11;
const XOFF = 0x13;
const PROCESS_HEADER = 0x37;
const TEXT_HEADER = 0x5f;
/** Longer than any block that a printer sends: what does not end by then is noise. */
const MAX_BLOCK_BYTES = 96;

function isStatus(byte: number): boolean {
  return (byte & 0x93) === 0x12;
}

/**
 * Sorts by the patterns of the bytes themselves: block headers 37h and 5Fh up to NUL, flow control anywhere,
 * `0xx1xx10` DLE EOT, `0xx1xx00` and three of `0xx0xxxx` automatic status, else `0xx0xxxx` GS r.
 */
export function createReplySorter(): ReplySorter {
  let block: number[] | undefined;
  let auto: number[] | undefined;

  const endOfBlock = (header: number | undefined, rest: readonly number[]): Reply | undefined => {
    const text = String.fromCharCode(...rest);
    if (header === TEXT_HEADER) return { type: "text", text };
    return text.length === 5 && text.startsWith('"') ? { type: "process_id", id: text.slice(1) } : undefined;
  };

  const inBlock = (collected: number[], byte: number): readonly Reply[] | undefined => {
    const [header, ...rest] = collected;
    if (byte === 0) {
      block = undefined;
      const reply = endOfBlock(header, rest);
      return reply ? [reply] : [];
    }
    // A real-time answer may cut in. Our process ids hold no letter that looks like one; the texts of others may.
    if (isStatus(byte) && (header === PROCESS_HEADER || byte < 0x20)) return [{ type: "status", byte }];
    if (byte >= 0x20 && byte <= 0x7e && collected.length < MAX_BLOCK_BYTES) {
      collected.push(byte);
      return [];
    }
    block = undefined; // no block after all: the byte speaks for itself
    return undefined;
  };

  const inAutoStatus = (collected: number[], byte: number): readonly Reply[] | undefined => {
    if (isStatus(byte)) return [{ type: "status", byte }];
    if ((byte & 0x90) !== 0) {
      auto = undefined;
      return undefined;
    }
    collected.push(byte);
    const [b1, b2, b3, b4] = collected;
    if (b1 === undefined || b2 === undefined || b3 === undefined || b4 === undefined) return [];
    auto = undefined;
    return [{ type: "auto_status", bytes: [b1, b2, b3, b4] }];
  };

  const sort = (byte: number): readonly Reply[] => {
    if (byte === XON || byte === XOFF) return [{ type: "flow", on: byte === XON }];
    const within = (block && inBlock(block, byte)) ?? (auto && inAutoStatus(auto, byte));
    if (within) return within;
    if (byte === PROCESS_HEADER || byte === TEXT_HEADER) block = [byte];
    else if (isStatus(byte)) return [{ type: "status", byte }];
    else if ((byte & 0x93) === 0x10) auto = [byte];
    else if ((byte & 0x90) === 0) return [{ type: "byte", byte }];
    return [];
  };

  return { push: (bytes) => [...bytes].flatMap(sort) };
}
