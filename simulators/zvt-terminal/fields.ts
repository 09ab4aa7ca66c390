import { asciiBytes, concatBytes, fromHex, toHex } from "../../src/kernel/bytes.js";

/** A number as packed decimal digits. */
export function bcd(value: number, bytes: number): Uint8Array {
  return fromHex(
    String(value)
      .padStart(bytes * 2, "0")
      .slice(-bytes * 2),
  );
}

/** Undefined where a half-byte is no digit. */
export function fromBcd(bytes: Uint8Array): number | undefined {
  const digits = toHex(bytes);
  return /^\d+$/.test(digits) ? Number(digits) : undefined;
}

/** Length in so many bytes Fx, one decimal digit each (LLVAR 2, LLLVAR 3). */
export function counted(digits: 2 | 3, value: Uint8Array): Uint8Array {
  const length = Uint8Array.from(String(value.length).padStart(digits, "0"), (digit) => 0xf0 | Number(digit));
  return concatBytes([length, value]);
}

/** BER: tag as hex, length as short as it can be. */
export function tlv(tag: string, value: Uint8Array): Uint8Array {
  const { length } = value;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concatBytes([fromHex(tag), Uint8Array.from(size), value]);
}

/** What a 04 0F says (PA00P015, Status-Information), in the order in which it is sent. */
export interface StatusInformation {
  readonly result?: number;
  readonly amount?: number;
  readonly currency?: string;
  /** HHMMSS. */
  readonly time?: string;
  /** MMDD. */
  readonly date?: string;
  /** Digits, with E where they are hidden. */
  readonly maskedPan?: string;
  readonly receipt?: number;
  /** Eight bytes. */
  readonly authorisation?: string;
  readonly trace?: number;
  /** Of the sale that a reversal takes back. */
  readonly originalTrace?: number;
  readonly paymentType?: number;
  /** Eight digits. */
  readonly terminalId?: string;
  /** YYMM. */
  readonly expiry?: string;
  /** As on the stripe: characters. */
  readonly track1?: Uint8Array;
  /** Half a byte a character. */
  readonly track2?: Uint8Array;
  readonly track3?: Uint8Array;
  /** Four digits. */
  readonly cvv?: string;
  readonly cardSequence?: number;
  readonly turnover?: number;
  readonly cardType?: number;
  readonly networkCard?: number;
  readonly cardName?: string;
  /** Fifteen characters. */
  readonly contract?: string;
  readonly totals?: Uint8Array;
  readonly text?: Uint8Array;
  /** TLV objects. */
  readonly container?: Uint8Array;
}

const WRITERS: { readonly [K in keyof Required<StatusInformation>]: (value: Required<StatusInformation>[K]) => Uint8Array } = {
  result: (code) => Uint8Array.of(0x27, code),
  amount: (amount) => concatBytes([Uint8Array.of(0x04), bcd(amount, 6)]),
  currency: (code) => fromHex(`49${code}`),
  time: (digits) => fromHex(`0c${digits}`),
  date: (digits) => fromHex(`0d${digits}`),
  maskedPan: (digits) => concatBytes([Uint8Array.of(0x22), counted(2, fromHex(digits.length % 2 ? `${digits}F` : digits))]),
  receipt: (number) => concatBytes([Uint8Array.of(0x87), bcd(number, 2)]),
  authorisation: (text) => concatBytes([Uint8Array.of(0x3b), asciiBytes(text.padEnd(8, "\0").slice(0, 8))]),
  trace: (number) => concatBytes([Uint8Array.of(0x0b), bcd(number, 3)]),
  originalTrace: (number) => concatBytes([Uint8Array.of(0x37), bcd(number, 3)]),
  paymentType: (type) => Uint8Array.of(0x19, type),
  terminalId: (digits) => fromHex(`29${digits}`),
  expiry: (digits) => fromHex(`0e${digits}`),
  track1: (track) => concatBytes([Uint8Array.of(0x2d), counted(2, track)]),
  track2: (track) => concatBytes([Uint8Array.of(0x23), counted(2, track)]),
  track3: (track) => concatBytes([Uint8Array.of(0x24), counted(3, track)]),
  cvv: (digits) => fromHex(`3a${digits}`),
  cardSequence: (number) => concatBytes([Uint8Array.of(0x17), bcd(number, 2)]),
  turnover: (number) => concatBytes([Uint8Array.of(0x88), bcd(number, 3)]),
  cardType: (type) => Uint8Array.of(0x8a, type),
  networkCard: (type) => Uint8Array.of(0x8c, type),
  cardName: (name) => concatBytes([Uint8Array.of(0x8b), counted(2, asciiBytes(`${name}\0`))]),
  contract: (number) => concatBytes([Uint8Array.of(0x2a), asciiBytes(number.padEnd(15).slice(0, 15))]),
  totals: (totals) => concatBytes([Uint8Array.of(0x60), counted(3, totals)]),
  text: (text) => concatBytes([Uint8Array.of(0x3c), counted(3, text)]),
  container: (objects) => tlv("06", objects),
};

export function encodeStatusInformation(information: StatusInformation): Uint8Array {
  const written = Object.entries(WRITERS).map(([name, write]) => {
    const value = information[name as keyof StatusInformation];
    return value === undefined ? new Uint8Array() : (write as (value: unknown) => Uint8Array)(value);
  });
  return concatBytes(written);
}

/** Fields that an ECR sends: how many bytes follow, or how the length is told. */
const ECR_FIELDS: Readonly<Record<number, number | "llvar" | "lllvar" | "tlv">> = {
  1: 1,
  2: 1,
  3: 1,
  4: 6,
  5: 1,
  6: "tlv",
  11: 3,
  14: 2,
  25: 1,
  34: "llvar",
  35: "llvar",
  45: "llvar",
  55: 3,
  58: 2,
  59: 8,
  60: "lllvar",
  73: 2,
  135: 2,
  138: 1,
};

/** The fields of a command by number; undefined where they cannot be read. */
export function readFields(body: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined {
  const fields = new Map<number, Uint8Array>();
  let at = 0;
  while (at < body.length) {
    const number = body[at] ?? 0;
    const kind = ECR_FIELDS[number];
    if (kind === undefined) return undefined;
    const header = lengthAt(body, at + 1, kind);
    if (!header || header.start + header.length > body.length) return undefined;
    fields.set(number, body.slice(header.start, header.start + header.length));
    at = header.start + header.length;
  }
  return fields;
}

function lengthAt(body: Uint8Array, at: number, kind: number | "llvar" | "lllvar" | "tlv"): { start: number; length: number } | undefined {
  if (typeof kind === "number") return { start: at, length: kind };
  if (kind === "tlv") {
    const first = body[at] ?? 0;
    if (first < 0x80) return { start: at + 1, length: first };
    if (first === 0x81) return { start: at + 2, length: body[at + 1] ?? 0 };
    return first === 0x82 ? { start: at + 3, length: ((body[at + 1] ?? 0) << 8) | (body[at + 2] ?? 0) } : undefined;
  }
  const start = at + (kind === "llvar" ? 2 : 3);
  let length = 0;
  for (const byte of body.subarray(at, start)) {
    if ((byte & 0xf0) !== 0xf0 || (byte & 0x0f) > 9) return undefined;
    length = length * 10 + (byte & 0x0f);
  }
  return start > body.length ? undefined : { start, length };
}
