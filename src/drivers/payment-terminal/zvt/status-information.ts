import { toHex } from "../../../kernel/bytes.js";
import { splitBmps } from "./bmp.js";
import { maskCardNumbers, maskPan } from "./pan-filter.js";
import { decodeDigits, decodeNumber, decodeText } from "./values.js";

/** ISO 4217 number of the dong, whose smallest unit is the dong itself. */
export const VND = 704;

/** What an end of day counted (BMP 60). */
export interface Totals {
  readonly firstReceipt: number;
  readonly lastReceipt: number;
  readonly count: number;
  /** In the smallest unit of the currency. */
  readonly amount: number;
  readonly schemes: readonly { readonly scheme: Scheme; readonly count: number; readonly amount: number }[];
}

/** In the order of BMP 60. */
const SCHEMES = ["girocard", "jcb", "mastercard", "amex", "visa", "diners", "other"] as const;
export type Scheme = (typeof SCHEMES)[number];

/**
 * A status information (04 0F). What the message does not say, says twice, or says in a way that the specification does
 * not know, is undefined; no caller may read that as zero or as approved.
 */
export interface StatusInformation {
  /** 0 is approved; see `resultCode`. */
  readonly resultCode: number | undefined;
  /** In the smallest unit of the currency. */
  readonly amount: number | undefined;
  /** The amount, where it is dong: the currency says so or is not said. */
  readonly amountVnd: number | undefined;
  /** ISO 4217 number. */
  readonly currency: number | undefined;
  readonly receipt: number | undefined;
  readonly trace: number | undefined;
  /** Of the payment that this one reverses: there in reversals only. */
  readonly originalTrace: number | undefined;
  readonly turnover: number | undefined;
  /** Eight digits. */
  readonly terminalId: string | undefined;
  readonly contractNumber: string | undefined;
  /** "23:59:58", the terminal's own clock. */
  readonly time: string | undefined;
  /** "12-31": the message has no year. */
  readonly date: string | undefined;
  readonly paymentType: number | undefined;
  readonly cardSequence: number | undefined;
  /** All but the last four digits are `*`. */
  readonly maskedPan: string | undefined;
  readonly cardName: string | undefined;
  readonly cardType: number | undefined;
  /** The host's or the terminal's words for the cardholder, card numbers masked. Not for logs: it may hold anything. */
  readonly additionalText: string | undefined;
  readonly totals: Totals | undefined;
  /** BMPs that are there and yet undefined above: "04". */
  readonly malformed: readonly string[];
  /** Bytes from the first unknown or cut-off BMP on: nothing is known of what they say. */
  readonly unparsedBytes: number;
}

/** BCD in pairs, each within its bounds: time and date. */
function pairs(value: Uint8Array, separator: string, bounds: readonly (readonly [least: number, most: number])[]): string | undefined {
  const digits = decodeDigits(value)?.match(/../g);
  const valid = digits?.every((pair, index) => {
    const [least, most] = bounds[index] ?? [1, 0];
    return Number(pair) >= least && Number(pair) <= most;
  });
  return valid ? digits?.join(separator) : undefined;
}

/** Digits, `E` for one that the terminal masked, an `F` at the end where the count is odd. */
function decodePan(value: Uint8Array): string | undefined {
  const digits = toHex(value).replace(/f$/, "").replaceAll("e", "*");
  // Longer than any card number: some other thing is in here.
  return /^[\d*]{1,19}$/.test(digits) ? maskPan(digits) : undefined;
}

const text = (value: Uint8Array): string => maskCardNumbers(decodeText(value));

/** Receipt numbers (2 bytes BCD each), then per scheme a count (1 byte binary) and an amount (6 bytes BCD). */
function decodeTotals(value: Uint8Array): Totals | undefined {
  if (value.length !== 4 + 7 * SCHEMES.length) return undefined;
  const firstReceipt = decodeNumber(value.subarray(0, 2));
  const lastReceipt = decodeNumber(value.subarray(2, 4));
  if (firstReceipt === undefined || lastReceipt === undefined) return undefined;
  const schemes: { scheme: Scheme; count: number; amount: number }[] = [];
  for (const [index, scheme] of SCHEMES.entries()) {
    const at = 4 + 7 * index;
    const amount = decodeNumber(value.subarray(at + 1, at + 7));
    if (amount === undefined) return undefined;
    schemes.push({ scheme, count: value[at] ?? 0, amount });
  }
  return {
    firstReceipt,
    lastReceipt,
    count: schemes.reduce((sum, { count }) => sum + count, 0),
    amount: schemes.reduce((sum, { amount }) => sum + amount, 0),
    schemes,
  };
}

/** Reads the data of a 04 0F, whatever it holds. Never throws; the full card number goes no further than this. */
export function decodeStatusInformation(data: Uint8Array): StatusInformation {
  const { fields, rest } = splitBmps(data);
  const malformed = new Set<string>();

  const read = <T>(bmp: number, decode: (value: Uint8Array) => T | undefined): T | undefined => {
    const found = fields.filter((field) => field.bmp === bmp);
    const only = found[0];
    if (!only) return undefined;
    // Of two values no reader can tell which one is meant.
    const value = found.length === 1 ? decode(only.value) : undefined;
    if (value === undefined) malformed.add(bmp.toString(16).padStart(2, "0"));
    return value;
  };
  const byte = (value: Uint8Array): number | undefined => value[0];

  const amount = read(0x04, decodeNumber);
  const currency = read(0x49, decodeNumber);
  const inDong = !malformed.has("49") && (currency === undefined || currency === VND);
  const status = {
    resultCode: read(0x27, byte),
    amount,
    amountVnd: inDong ? amount : undefined,
    currency,
    receipt: read(0x87, decodeNumber),
    trace: read(0x0b, decodeNumber),
    originalTrace: read(0x37, decodeNumber),
    turnover: read(0x88, decodeNumber),
    terminalId: read(0x29, decodeDigits),
    contractNumber: read(0x2a, text),
    time: read(0x0c, (value) =>
      pairs(value, ":", [
        [0, 23],
        [0, 59],
        [0, 59],
      ]),
    ),
    date: read(0x0d, (value) =>
      pairs(value, "-", [
        [1, 12],
        [1, 31],
      ]),
    ),
    paymentType: read(0x19, byte),
    cardSequence: read(0x17, decodeNumber),
    maskedPan: read(0x22, decodePan),
    cardName: read(0x8b, text),
    cardType: read(0x8a, byte),
    additionalText: read(0x3c, text),
    totals: read(0x60, decodeTotals),
  };
  return { ...status, malformed: [...malformed], unparsedBytes: rest.length };
}
