import assert from "node:assert/strict";
import { readTlvs, type Tlv, TlvError, tlvHeader } from "../../../formats/tlv.js";
import { concatBytes } from "../../../kernel/bytes.js";

/**
 * How long a value is: a number of bytes; `ll` and `lll`: told by two or three digits before it, each a byte F0–F9;
 * `tlv`: by a BER length.
 */
type BmpLength = number | "ll" | "lll" | "tlv";

/**
 * What a trace may show. `masked` unless said otherwise. `shown` has at most 6 bytes: no card number fits in there,
 * whatever a terminal puts where.
 */
type Visibility = "shown" | "masked" | "pan" | "tlv";

export interface Bmp {
  readonly name: string;
  readonly length: BmpLength;
  readonly trace: Visibility;
}

const shown = (name: string, length: number): Bmp => ({ name, length, trace: "shown" });
const masked = (name: string, length: BmpLength): Bmp => ({ name, length, trace: "masked" });

/** "Summary of utilised BMPs" of PA00P015, whole: a BMP that is missing here would end the parsing. */
export const BMPS: ReadonlyMap<number, Bmp> = new Map([
  [0x01, shown("timeout", 1)],
  [0x02, shown("most status informations", 1)],
  [0x03, shown("service byte", 1)],
  [0x04, shown("amount", 6)],
  [0x05, shown("pump", 1)],
  [0x06, { name: "TLV container", length: "tlv", trace: "tlv" }],
  [0x0b, shown("trace number", 3)],
  [0x0c, shown("time", 3)],
  [0x0d, shown("date", 2)],
  [0x0e, masked("expiry date", 2)],
  [0x17, shown("card sequence number", 2)],
  [0x19, shown("payment type, status byte or card type", 1)],
  [0x22, { name: "PAN", length: "ll", trace: "pan" }],
  [0x23, masked("track 2", "ll")],
  [0x24, masked("track 3", "lll")],
  [0x27, shown("result code", 1)],
  [0x29, shown("terminal identifier", 4)],
  [0x2a, masked("contract number", 15)],
  [0x2d, masked("track 1", "ll")],
  [0x2e, masked("synchronous chip", "lll")],
  [0x37, shown("original trace number", 3)],
  [0x3a, masked("card verification value", 2)],
  [0x3b, masked("authorisation attribute", 8)],
  [0x3c, masked("additional text", "lll")],
  [0x3d, masked("password", 3)],
  [0x49, shown("currency", 2)],
  [0x60, masked("totals", "lll")],
  [0x70, masked("image request", 4)],
  [0x71, masked("image size", 4)],
  [0x72, masked("image type", 1)],
  [0x73, masked("image encoding", 1)],
  [0x74, masked("image chunks", 1)],
  [0x75, masked("image chunk", 1)],
  [0x87, shown("receipt number", 2)],
  [0x88, shown("turnover number", 3)],
  [0x8a, shown("card type", 1)],
  [0x8b, masked("card name", "ll")],
  [0x8c, shown("card type of the network operator", 1)],
  [0x9a, masked("purse record", "lll")],
  [0xa0, shown("result code of the host", 1)],
  [0xa7, masked("chip EF_ID", "ll")],
  [0xaa, shown("date with year", 3)],
  [0xaf, masked("chip EF_Info", "lll")],
  [0xba, masked("AID parameter", 5)],
  [0xd0, masked("key algorithm", 1)],
  [0xd1, masked("card offset and PIN data", "ll")],
  [0xd2, masked("card ejection", 1)],
  [0xd3, masked("key identifier", 1)],
  [0xe0, masked("least input", 1)],
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((line) => [0xe0 + line, masked(`second text ${line}`, "ll")] as const),
  [0xe9, masked("most input", 1)],
  [0xea, masked("echo", 1)],
  [0xeb, masked("MAC", 8)],
  [0xf0, masked("display time", 1)],
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((line) => [0xf0 + line, masked(`text ${line}`, "ll")] as const),
  [0xf9, masked("beeps", 1)],
  [0xfa, masked("reader activation", 1)],
  [0xfb, masked("confirmation", 1)],
  [0xfc, masked("dialogue control", 1)],
  [0xfd, masked("display", 1)],
]);

export interface BmpField {
  readonly bmp: number;
  /** Without number and length. The PAN and tracks are in here as they came: nothing of it leaves the codec. */
  readonly value: Uint8Array;
}

/** Honest messages have a dozen. */
const MOST_FIELDS = 256;

/** The number that `count` bytes F0–F9 say; undefined where one is something else. */
function varLength(bytes: Uint8Array, offset: number, count: number): number | undefined {
  let length = 0;
  for (let index = 0; index < count; index++) {
    const byte = bytes[offset + index];
    if (byte === undefined || byte < 0xf0 || byte > 0xf9) return undefined;
    length = length * 10 + (byte & 0x0f);
  }
  return length;
}

/** Where the value of the BMP at `offset` begins and ends. */
function extent(bytes: Uint8Array, offset: number, { length }: Bmp): { valueAt: number; end: number } | undefined {
  if (typeof length === "number") return { valueAt: offset + 1, end: offset + 1 + length };
  if (length === "tlv") {
    try {
      // The container's number, 06, followed by a BER length has the shape of any TLV object.
      return tlvHeader(bytes, offset);
    } catch (thrown) {
      if (thrown instanceof TlvError) return undefined;
      throw thrown;
    }
  }
  // "ll" is two digits, "lll" three.
  const digits = length.length;
  const size = varLength(bytes, offset + 1, digits);
  return size === undefined ? undefined : { valueAt: offset + 1 + digits, end: offset + 1 + digits + size };
}

/**
 * The BMPs of a message one after the other. Only the table knows how long a value is, so the first number that is not
 * in it, or a value that is cut off, ends the parsing: `rest` is everything from there on. All share memory with `bytes`.
 */
export function splitBmps(bytes: Uint8Array): { readonly fields: readonly BmpField[]; readonly rest: Uint8Array } {
  const fields: BmpField[] = [];
  let offset = 0;
  while (offset < bytes.length && fields.length < MOST_FIELDS) {
    const bmp = bytes[offset] ?? 0;
    const known = BMPS.get(bmp);
    const found = known && extent(bytes, offset, known);
    if (!found || found.end > bytes.length) break;
    fields.push({ bmp, value: bytes.subarray(found.valueAt, found.end) });
    offset = found.end;
  }
  return { fields, rest: bytes.subarray(offset) };
}

/** The length field of a variable value: `F1 F5` for 15. */
function lengthField(length: BmpLength, size: number): readonly number[] {
  if (typeof length === "number") {
    assert(size === length);
    return [];
  }
  if (length === "tlv") return size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >>> 8, size & 0xff];
  assert(size < 10 ** length.length);
  return Array.from(String(size).padStart(length.length, "0"), (digit) => 0xf0 + Number(digit));
}

export function encodeBmps(fields: readonly BmpField[]): Uint8Array {
  return concatBytes(
    fields.flatMap(({ bmp, value }) => {
      const known = BMPS.get(bmp);
      assert(known);
      return [Uint8Array.of(bmp, ...lengthField(known.length, value.length)), value];
    }),
  );
}

/** An untagged value whose length stands before it in three digits; undefined where none begins here. */
export function leadingLllVar(bytes: Uint8Array): { readonly value: Uint8Array; readonly rest: Uint8Array } | undefined {
  const size = varLength(bytes, 0, 3);
  if (size === undefined || 3 + size > bytes.length) return undefined;
  return { value: bytes.subarray(3, 3 + size), rest: bytes.subarray(3 + size) };
}

/** Deeper than anything in the specification's list of containers. */
const DEEPEST = 8;

/** Is there more TLV inside? Bit 6 of the tag's first byte (ISO 7816-4 §5.2.2.1). */
const isConstructed = (raw: Uint8Array): boolean => ((raw[0] ?? 0) & 0x20) !== 0;

/**
 * All primitive objects of a container, in order, however deep. `broken` is called with each value that says it holds
 * objects and does not, or holds them too deep; they share memory with `bytes`.
 */
export function tlvLeaves(bytes: Uint8Array, broken: (value: Uint8Array) => void = () => {}, depth = 0): Tlv[] {
  let objects: Tlv[];
  try {
    if (depth === DEEPEST) throw new TlvError("too deep");
    objects = readTlvs(bytes);
  } catch (thrown) {
    if (!(thrown instanceof TlvError)) throw thrown;
    broken(bytes);
    return [];
  }
  return objects.flatMap((object) => (isConstructed(object.raw) ? tlvLeaves(object.value, broken, depth + 1) : [object]));
}
