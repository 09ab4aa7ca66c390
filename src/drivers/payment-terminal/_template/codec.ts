import { asciiBytes } from "../../../kernel/bytes.js";
import { frameOptions } from "./framing.js";

/** An invented bank's messages. A bank's driver replaces these tables, and nothing in the functions below them. */

export const FRAME = frameOptions({ length: "bcd2", maxBytes: 512 });

/** An answer's kind is its request's plus one. */
export const KINDS = { sale: "10", void: "20", last: "30", cancel: "40" } as const;
export const ANSWERS = { sale: "11", void: "21", last: "31" } as const;

/** Codes whose meaning the bank's manual gives in plain words. Any other is doubt, never a decline: time-outs and host errors stay out. */
export const RESULTS: Readonly<Record<string, "approved" | "declined" | "cancelled">> = {
  "00": "approved",
  "05": "declined",
  "51": "declined",
  "54": "declined",
  "17": "cancelled",
};
/** Of an inquiry. */
export const FOUND = "00";
export const NOTHING_YET = "25";
export const BUSY = "09";

/** Fixed-width head: kind, then code (blank in a request). */
const KIND_CHARACTERS = 2;
const HEAD_CHARACTERS = 4;

/**
 * Tagged fields: two characters tag, two digits length, value. `shown`: may stand in a trace; at most 12 characters then, because a card
 * number has 13 or more. `keep`: what is kept of a value that must not be known whole.
 */
interface Field {
  readonly tag: string;
  readonly pattern: RegExp;
  readonly shown: boolean;
  keep?(value: string): string;
}
const TABLE = {
  /** Whole đồng. Look up how many decimals the bank's amounts have. */
  amountVnd: { tag: "40", pattern: /^\d{1,12}$/, shown: true },
  /** What the transaction was, in the answer to an inquiry: S sale, V void. */
  type: { tag: "41", pattern: /^[SV]$/, shown: true },
  /** How it ended, in the answer to an inquiry. */
  result: { tag: "39", pattern: /^[0-9A-Z]{2}$/, shown: true },
  approvalCode: { tag: "01", pattern: /^[0-9A-Z]{6}$/, shown: true },
  /** Grows by one with each transaction, 999999 → 000001. */
  traceNumber: { tag: "65", pattern: /^\d{6}$/, shown: true },
  /** Of a void: the trace number of what it takes back. */
  originalTrace: { tag: "66", pattern: /^\d{6}$/, shown: true },
  terminalId: { tag: "16", pattern: /^[0-9A-Z]{8}$/, shown: true },
  approvedAt: { tag: "03", pattern: /^\d{14}$/, shown: false },
  /** Masked by the terminal, they say. */
  cardLastFour: { tag: "30", pattern: /^[\d*]{9,15}\d{4}$/, shown: false, keep: (pan: string) => pan.slice(-4) },
} as const satisfies Readonly<Record<string, Field>>;

export type FieldName = keyof typeof TABLE;
const FIELDS: readonly (readonly [FieldName, Field])[] = Object.entries(TABLE) as [FieldName, Field][];

export type Fields = { readonly [F in FieldName]?: string };
export interface Message {
  readonly kind: string;
  readonly code: string;
  readonly fields: Fields;
}

/** The payload of a frame. */
export function encodeMessage(kind: string, fields: Fields = {}, code = "  "): Uint8Array {
  const tagged = FIELDS.map(([name, { tag }]) => {
    const value = fields[name];
    return value === undefined ? "" : `${tag}${String(value.length).padStart(2, "0")}${value}`;
  });
  return asciiBytes(kind + code + tagged.join(""));
}

/** Undefined where anything of it is not as the table says: half a result is none. Tags that the table does not know are passed over. */
export function decodeMessage(payload: Uint8Array): Message | undefined {
  const split = splitMessage(payload);
  if (!split) return undefined;
  const fields: { [F in FieldName]?: string } = {};
  for (const { tag, value } of split.tagged) {
    const [name, field] = FIELDS.find(([, known]) => known.tag === tag) ?? [];
    if (!name || !field) continue;
    if (fields[name] !== undefined || !field.pattern.test(value)) return undefined;
    fields[name] = field.keep ? field.keep(value) : value;
  }
  return { kind: split.head.slice(0, KIND_CHARACTERS), code: split.head.slice(KIND_CHARACTERS), fields };
}

/** What a trace may hold of a payload: the head, and those fields that the table shows. */
export function traceOf(payload: Uint8Array): string {
  const split = splitMessage(payload);
  if (!split) return "unreadable";
  const shown = split.tagged.map(({ tag, value }) => {
    const field = FIELDS.find(([, known]) => known.tag === tag)?.[1];
    return `${tag}=${field?.shown && field.pattern.test(value) ? value : "*"}`;
  });
  return [split.head, ...shown].join(" ");
}

interface Split {
  readonly head: string;
  readonly tagged: readonly { readonly tag: string; readonly value: string }[];
}

function splitMessage(payload: Uint8Array): Split | undefined {
  const text = Array.from(payload, (byte) => String.fromCharCode(byte)).join("");
  const head = text.slice(0, HEAD_CHARACTERS);
  if (!/^\d\d(\d\d|[A-Z]{2}| {2})$/.test(head)) return undefined;
  const tagged: { tag: string; value: string }[] = [];
  for (let at = HEAD_CHARACTERS; at < text.length; ) {
    const [, tag, length] = /^(\d\d)(\d\d)/.exec(text.slice(at, at + 4)) ?? [];
    const end = at + 4 + Number(length);
    if (tag === undefined || end > text.length) return undefined;
    tagged.push({ tag, value: text.slice(at + 4, end) });
    at = end;
  }
  return { head, tagged };
}
