import { readTlv, readTlvs, type Tlv, TlvError } from "../formats/tlv.js";
import { isoDate } from "./dates.js";
import type { Sex } from "./id-number.js";

/** What is printed on the card, with diacritics (DG13). Texts are NFC on one line, dates ISO 8601; what is unreadable is left out. */
export interface CardDetailsRecord {
  /** 12 digits. */
  readonly idNumber: string;
  /** 9 digits. */
  readonly oldIdNumber?: string;
  readonly name: string;
  readonly birthDate?: string;
  readonly sex?: Sex;
  readonly nationality?: string;
  readonly ethnicity?: string;
  readonly religion?: string;
  readonly placeOfOrigin?: string;
  readonly residence?: string;
  readonly identifyingMarks?: string;
  readonly issueDate?: string;
  /** ISO 8601, or `unlimited`. */
  readonly expiryDate?: string;
  /** Father, mother; an empty text where the card names only the other. */
  readonly parents?: readonly string[];
  readonly spouse?: string;
  /** Fields whose meaning is not known, in their order. */
  readonly unknown: readonly UnknownField[];
}

export interface UnknownField {
  readonly n: number;
  readonly text?: string;
}

/** Fields that need the citizen's express consent. */
export type SensitiveDetail = "ethnicity" | "religion" | "parents" | "spouse";

/** Real files have less than a tenth of this. */
const MAX_BYTES = 16_384;
/** The file, sequence, set, field, parents and their texts are 6 deep: a little more is allowed. */
const MAX_DEPTH = 8;

const CONSTRUCTED = 0x20;
const INTEGER = 0x02;
/** UTF8String, NumericString, PrintableString, T61String, IA5String, VisibleString: cards write them all in UTF-8. */
const TEXTS = new Set([0x0c, 0x12, 0x13, 0x14, 0x16, 0x1a]);

/** One numbered field: every text in it, in order. */
interface Field {
  readonly n: number;
  readonly texts: readonly string[];
}

/**
 * Reads `6D{ SEQ{ INT 1, OID, SET OF SEQ{ INT n, value } } }` by the numbers of its fields, in whatever order and nesting they come.
 * Undefined where the bytes are no such structure, or have no ID number or no name; any other field that is unreadable is left out.
 */
export function parseDg13(bytes: Uint8Array): CardDetailsRecord | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  const fields: Field[] = [];
  try {
    // What may follow the file's one object is padding.
    collect([readTlv(bytes)], 0, fields);
  } catch (thrown) {
    if (thrown instanceof TlvError) return undefined;
    throw thrown;
  }
  return recordOf(fields);
}

/** Gathers the innermost sequences that begin with a number; the outermost one does, too, but has others within. */
function collect(objects: readonly Tlv[], depth: number, fields: Field[]): void {
  if (depth > MAX_DEPTH) throw new TlvError("nested too deeply");
  for (const object of objects) {
    if (!isConstructed(object)) continue;
    const children = readTlvs(object.value);
    const before = fields.length;
    collect(children, depth + 1, fields);
    const [first, ...values] = children;
    if (fields.length > before || first?.tag !== INTEGER || first.value.length > 2) continue;
    fields.push({ n: first.value.reduce((n, byte) => n * 256 + byte, 0), texts: textsOf(values) });
  }
}

function isConstructed({ tag }: Tlv): boolean {
  return tag < 0x100 && (tag & CONSTRUCTED) !== 0;
}

/** Every text, however deep: `collect` has bounded the depth. */
function textsOf(objects: readonly Tlv[]): string[] {
  return objects.flatMap((object) => {
    if (isConstructed(object)) return textsOf(readTlvs(object.value));
    return TEXTS.has(object.tag) ? [plainText(object.value)] : [];
  });
}

/** On one line and without characters that show nothing or turn the line round. Empty where the bytes are no UTF-8. */
function plainText(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  if (text.includes("\u{fffd}")) return "";
  return text
    .normalize("NFC")
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim();
}

const TEXT_FIELDS = {
  5: "nationality",
  6: "ethnicity",
  7: "religion",
  8: "placeOfOrigin",
  9: "residence",
  10: "identifyingMarks",
} as const satisfies Record<number, keyof CardDetailsRecord>;
/** Sources disagree which of the two is the old ID number; the other's meaning is not known. */
const OLD_ID_NUMBERS = [15, 16];
const KNOWN = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);

function recordOf(fields: readonly Field[]): CardDetailsRecord | undefined {
  const texts = (n: number): readonly string[] => fields.find((field) => field.n === n)?.texts ?? [];
  const text = (n: number): string | undefined => texts(n).find((one) => one !== "");
  const [idNumber, name] = [text(1) ?? "", text(2)];
  if (!/^\d{12}$/.test(idNumber) || name === undefined) return undefined;
  const old = fields.find(({ n, texts: [value = ""] }) => OLD_ID_NUMBERS.includes(n) && /^\d{9}$/.test(value));
  const unknown = fields.filter((field) => !KNOWN.has(field.n) && field !== old);
  const plain = Object.entries(TEXT_FIELDS).map(([n, key]) => [key, text(Number(n))] as const);
  return {
    ...present({
      ...Object.fromEntries(plain),
      oldIdNumber: old?.texts[0],
      birthDate: dateOf(text(3)),
      sex: sexOf(text(4)),
      issueDate: dateOf(text(11)),
      expiryDate: expiryOf(text(12)),
      parents: text(13) === undefined ? undefined : texts(13),
      spouse: text(14),
    }),
    idNumber,
    name,
    unknown: unknown.map(({ n, texts: [value] }) => (value === undefined || value === "" ? { n } : { n, text: value })),
  };
}

/** Leaves out what is undefined. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** `dd/mm/yyyy`. */
function dateOf(text = ""): string | undefined {
  const [, day = "", month = "", year = ""] = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(text) ?? [];
  return isoDate(year, month, day);
}

/** A card without an end says so in words; a year without end is one, too. */
function expiryOf(text = ""): string | undefined {
  if (/^không thời hạn$/i.test(text) || text === "31/12/9999") return "unlimited";
  return dateOf(text);
}

function sexOf(text = ""): Sex | undefined {
  const word = text.toLocaleLowerCase("vi");
  if (word === "nam") return "male";
  return word === "nữ" ? "female" : undefined;
}

/** A record that may be handed out: without the sensitive fields that are not allowed, and without those of unknown meaning. */
export function withoutSensitive(record: CardDetailsRecord, allowed: readonly SensitiveDetail[]): Omit<CardDetailsRecord, "unknown"> {
  const { unknown: _, ethnicity, religion, parents, spouse, ...open } = record;
  const sensitive = Object.entries(present({ ethnicity, religion, parents, spouse })).filter(([key]) => allowed.some((one) => one === key));
  return { ...open, ...Object.fromEntries(sensitive) };
}
