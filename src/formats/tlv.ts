/** One data object of BER-TLV (ISO 7816-4 §5.2.2, ITU-T X.690). `value` and `raw` share memory with what was decoded. */
export interface Tlv {
  /** The tag's bytes as one number: `0x7f61`. */
  readonly tag: number;
  readonly value: Uint8Array;
  /** Tag, length and value. */
  readonly raw: Uint8Array;
}

/** Bytes that are no TLV, or lie about their length. */
export class TlvError extends RangeError {
  override readonly name = "TlvError";
}

/** Of one object: where its value begins and ends. Undefined while `bytes` are too few to tell. */
export function tlvHeader(bytes: Uint8Array, offset = 0): { tag: number; valueAt: number; end: number } | undefined {
  let at = offset;
  const first = bytes[at++];
  if (first === undefined) return undefined;
  let tag = first;
  if ((first & 0x1f) === 0x1f) {
    for (let more = true, count = 0; more; count++) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      // Tags of more than three bytes exist nowhere in this field (ISO 7816-4 §5.2.2.1).
      if (count === 2) throw new TlvError("tag too long");
      tag = tag * 256 + byte;
      more = (byte & 0x80) !== 0;
    }
  }
  const short = bytes[at++];
  if (short === undefined) return undefined;
  if (short < 0x80) return { tag, valueAt: at, end: at + short };
  const size = short & 0x7f;
  if (size === 0 || size > 4) throw new TlvError("length form not allowed");
  let length = 0;
  for (let index = 0; index < size; index++) {
    const byte = bytes[at++];
    if (byte === undefined) return undefined;
    length = length * 256 + byte;
  }
  return { tag, valueAt: at, end: at + length };
}

/** @throws TlvError where the object is cut off */
export function readTlv(bytes: Uint8Array, offset = 0): Tlv {
  const header = tlvHeader(bytes, offset);
  if (!header || header.end > bytes.length) throw new TlvError("cut off");
  return { tag: header.tag, value: bytes.subarray(header.valueAt, header.end), raw: bytes.subarray(offset, header.end) };
}

/** In one constructed value; honest ones have some dozens. A hostile megabyte of empty objects would take 200 MB. */
const MOST_OBJECTS = 1_024;

/** All objects of a constructed value. @throws TlvError */
export function readTlvs(bytes: Uint8Array): Tlv[] {
  const objects: Tlv[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    if (objects.length === MOST_OBJECTS) throw new TlvError("too many objects");
    const object = readTlv(bytes, offset);
    objects.push(object);
    offset += object.raw.length;
  }
  return objects;
}

/** The value of the first object with this tag. */
export function findTlv(objects: readonly Tlv[], tag: number): Uint8Array | undefined {
  return objects.find((object) => object.tag === tag)?.value;
}

/** The value of the one object that `bytes` begin with. @throws TlvError where its tag is another one */
export function unwrapTlv(bytes: Uint8Array, tag: number): Uint8Array {
  const object = readTlv(bytes);
  if (object.tag !== tag) throw new TlvError(`tag ${object.tag.toString(16)} instead of ${tag.toString(16)}`);
  return object.value;
}

/** Definite length, fewest bytes (DER). */
export function tlv(tag: number, ...values: readonly Uint8Array[]): Uint8Array {
  const length = values.reduce((sum, value) => sum + value.length, 0);
  const header: number[] = [];
  for (const shift of [16, 8, 0]) if (tag >>> shift > 0 || shift === 0) header.push((tag >>> shift) & 0xff);
  if (length < 0x80) header.push(length);
  else {
    const size = length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
    header.push(0x80 | size);
    for (let shift = size - 1; shift >= 0; shift--) header.push((length >>> (8 * shift)) & 0xff);
  }
  const whole = new Uint8Array(header.length + length);
  whole.set(header);
  let offset = header.length;
  for (const value of values) {
    whole.set(value, offset);
    offset += value.length;
  }
  return whole;
}
