import { concatBytes, fromHex, toHex } from "../../src/kernel/bytes.js";

/** What the chip's files and certificates are written in (ITU-T X.690), and the data objects of commands (ISO 7816-4 §5.2.2). */

/** A tag of one or two bytes, a definite length in its shortest form, and the value. */
export function tlv(tag: number, ...value: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(value);
  return concatBytes([bigEndian(tag), derLength(body.length), body]);
}

function derLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const digits = bigEndian(length);
  return concatBytes([Uint8Array.of(0x80 | digits.length), digits]);
}

/** The fewest bytes that hold a number; one byte for 0. */
export function bigEndian(value: number | bigint): Uint8Array {
  const hex = value.toString(16);
  return fromHex(hex.length % 2 === 0 ? hex : `0${hex}`);
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x30, ...parts);
/** DER wants the members of a set in the order of their encodings (X.690 §11.6). */
export function setOf(...parts: readonly Uint8Array[]): Uint8Array {
  return tlv(0x31, ...[...parts].sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1)));
}
export const octets = (bytes: Uint8Array): Uint8Array => tlv(0x04, bytes);
export const bits = (bytes: Uint8Array, unusedBits = 0): Uint8Array => tlv(0x03, Uint8Array.of(unusedBits), bytes);
export const asn1Null = (): Uint8Array => tlv(0x05);
export const asn1True = (): Uint8Array => tlv(0x01, Uint8Array.of(0xff));
export const utf8 = (text: string): Uint8Array => tlv(0x0c, new TextEncoder().encode(text));
export const printable = (text: string): Uint8Array => tlv(0x13, new TextEncoder().encode(text));

/** A number that is not negative, or the bytes of one. */
export function integer(value: number | bigint | Uint8Array): Uint8Array {
  const digits = bigEndian(value instanceof Uint8Array ? BigInt(`0x${toHex(value) || "0"}`) : value);
  return tlv(0x02, (digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(), digits);
}

/** The content of an OBJECT IDENTIFIER, without tag and length. */
export function oidBytes(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return Uint8Array.from(
    [first * 40 + second, ...rest].flatMap((arc) => {
      const septets = [arc & 0x7f];
      for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) septets.unshift((left & 0x7f) | 0x80);
      return septets;
    }),
  );
}
export const oid = (dotted: string): Uint8Array => tlv(0x06, oidBytes(dotted));

/** UTCTime up to 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5). */
export function time(atMs: number): Uint8Array {
  const stamp = `${new Date(atMs).toISOString().replaceAll(/[-:T]/g, "").slice(0, 14)}Z`;
  const late = Number(stamp.slice(0, 4)) >= 2050;
  return tlv(late ? 0x18 : 0x17, new TextEncoder().encode(late ? stamp : stamp.slice(2)));
}

export interface DataObject {
  readonly tag: number;
  readonly value: Uint8Array;
  /** Where its tag begins in what was read. */
  readonly start: number;
}

/** At most this many data objects in one command. */
const OBJECTS_MAX = 16;

/** The data objects side by side in a command's data; undefined when they do not fit together. */
export function dataObjects(bytes: Uint8Array): readonly DataObject[] | undefined {
  const found: DataObject[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = at;
    let tag = bytes[at++] ?? 0;
    if ((tag & 0x1f) === 0x1f) {
      const more = bytes[at++] ?? 0xff;
      if (more >= 0x80) return undefined;
      tag = tag * 256 + more;
    }
    let length = bytes[at++] ?? 0x80;
    if (length >= 0x80) {
      const digits = length & 0x7f;
      if (digits < 1 || digits > 3) return undefined;
      length = 0;
      for (let digit = 0; digit < digits; digit++) length = length * 256 + (bytes[at++] ?? 0);
    }
    if (at + length > bytes.length || found.length === OBJECTS_MAX) return undefined;
    found.push({ tag, value: bytes.subarray(at, at + length), start });
    at += length;
  }
  return found;
}
