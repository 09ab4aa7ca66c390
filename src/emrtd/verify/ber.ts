import { readTlv, TlvError, tlv } from "../../formats/tlv.js";
import { concatBytes } from "../../kernel/bytes.js";

const INDEFINITE = 0x80;
const DEPTH = 12;
const OBJECTS = 4_096;

/** One object from `offset` on; only through objects of indefinite length does it look inside. */
function rewrite(
  bytes: Uint8Array,
  offset: number,
  depth: number,
  count: { left: number },
): { readonly whole: Uint8Array; readonly end: number } {
  const tag = bytes[offset];
  if (tag === undefined || depth > DEPTH || count.left-- === 0) throw new TlvError("indefinite length");
  if (bytes[offset + 1] !== INDEFINITE) {
    const { raw } = readTlv(bytes, offset);
    return { whole: raw, end: offset + raw.length };
  }
  const parts: Uint8Array[] = [];
  let at = offset + 2;
  while (bytes[at] !== 0 || bytes[at + 1] !== 0) {
    const part = rewrite(bytes, at, depth + 1, count);
    parts.push(part.whole);
    at = part.end;
  }
  return { whole: tlv(tag, concatBytes(parts)), end: at + 2 };
}

/**
 * The outer frames of a CMS message may have an indefinite length (RFC 5652 §2, X.690 §8.1.3.6), and some issuers' software
 * writes them so; what is signed inside is DER. Gives those frames a length, touches nothing else. @throws TlvError
 */
export function withDefiniteLengths(bytes: Uint8Array): Uint8Array {
  return bytes[1] === INDEFINITE ? rewrite(bytes, 0, 0, { left: OBJECTS }).whole : bytes;
}
