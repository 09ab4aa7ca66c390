import { readTlv, type Tlv, TlvError } from "../../formats/tlv.js";
import { toHex } from "../../kernel/bytes.js";
import { decodeOid } from "../oid.js";

/** Tags of ITU-T X.690 §8 that occur here. */
export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Fields of a SEQUENCE, taken in order; optional ones by their tag, which has one byte here. */
export interface Fields {
  /** @throws TlvError where the next field is absent or another one */
  take(tag: number): Tlv;
  /** The next field if it has this tag. */
  maybe(...tags: readonly number[]): Tlv | undefined;
}

/** Nothing is read before it is asked for: a hostile file of countless objects costs nothing. */
export function fieldsOf(value: Uint8Array): Fields {
  let offset = 0;
  const maybe = (...tags: readonly number[]): Tlv | undefined => {
    if (!tags.includes(value[offset] ?? -1)) return undefined;
    const object = readTlv(value, offset);
    offset += object.raw.length;
    return object;
  };
  return {
    maybe,
    take(tag) {
      const object = maybe(tag);
      if (!object) throw new TlvError(`no tag ${tag.toString(16)}`);
      return object;
    },
  };
}

/** The fields of the SEQUENCE that `bytes` begin with. @throws TlvError */
export function sequence(bytes: Uint8Array): Fields {
  return fieldsOf(expect(readTlv(bytes), TAG.sequence).value);
}

export function expect(object: Tlv, tag: number): Tlv {
  if (object.tag !== tag) throw new TlvError(`tag ${object.tag.toString(16)} instead of ${tag.toString(16)}`);
  return object;
}

/** The elements of a SET OF or SEQUENCE OF. @throws TlvError where there are more than `most` */
export function elements(value: Uint8Array, most: number): Tlv[] {
  const objects: Tlv[] = [];
  for (let offset = 0; offset < value.length; ) {
    if (objects.length === most) throw new TlvError("too many elements");
    const object = readTlv(value, offset);
    objects.push(object);
    offset += object.raw.length;
  }
  return objects;
}

/** Dotted form (X.690 §8.19). @throws TlvError */
export function oidText(value: Uint8Array): string {
  const text = decodeOid(value);
  if (text === undefined) throw new TlvError("object identifier");
  return text;
}

/** A small non-negative INTEGER. @throws TlvError */
export function smallInteger(value: Uint8Array): number {
  const first = value[0];
  if (first === undefined || value.length > 4 || first & 0x80) throw new TlvError("integer");
  return value.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** Lower-case hexadecimal without leading zero bytes. */
export function integerHex(value: Uint8Array): string {
  let from = 0;
  while (from < value.length - 1 && value[from] === 0) from++;
  return toHex(value.subarray(from));
}

/** A BIT STRING of whole bytes. @throws TlvError */
export function wholeBits(value: Uint8Array): Uint8Array {
  if (value[0] !== 0) throw new TlvError("bit string");
  return value.subarray(1);
}

/** UTCTime or GeneralizedTime in UTC, in milliseconds since 1970 (RFC 5280 §4.1.2.5). @throws TlvError */
export function timeMs(object: Tlv): number {
  const text = String.fromCharCode(...object.value.subarray(0, 24));
  const pattern =
    object.tag === TAG.utcTime ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?Z$/;
  const match = object.tag === TAG.utcTime || object.tag === TAG.generalizedTime ? pattern.exec(text) : null;
  if (!match) throw new TlvError("time");
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map((digits) => Number(digits ?? 0));
  const century = object.tag === TAG.generalizedTime ? 0 : year >= 50 ? 1900 : 2000;
  const ms = Date.UTC(century + year, month - 1, day, hour, minute, second);
  if (new Date(ms).getUTCMonth() !== month - 1) throw new TlvError("time");
  return ms;
}

/** AlgorithmIdentifier (RFC 5280 §4.1.1.2). */
export interface Algorithm {
  readonly oid: string;
  readonly raw: Uint8Array;
  /** NULL counts as absent. */
  readonly parameters: Tlv | undefined;
}

/** @throws TlvError */
export function algorithmOf(object: Tlv): Algorithm {
  const [identifier, parameters] = elements(expect(object, TAG.sequence).value, 2);
  if (!identifier) throw new TlvError("algorithm");
  const NULL = 0x05;
  return {
    oid: oidText(expect(identifier, TAG.oid).value),
    raw: object.raw,
    parameters: parameters?.tag === NULL ? undefined : parameters,
  };
}
