/** Machine-readable zone of a card, TD1: three lines of 30 characters (ICAO 9303-5 §4.2). Fields without their trailing fillers. */
export interface Td1 {
  /** Three lines, with line breaks between. */
  readonly text: string;
  /** `I` and one more letter, or none. */
  readonly documentCode: string;
  readonly issuingState: string;
  /** Whole, also where it is too long for its field and goes on in the optional data. */
  readonly documentNumber: string;
  /** As printed: `yyMMdd`, with fillers for what is unknown. */
  readonly birthDate: string;
  readonly expiryDate: string;
  readonly sex: "male" | "female" | "unspecified";
  readonly nationality: string;
  readonly surname: string;
  readonly givenNames: string;
  /** Surname first, blanks for fillers. */
  readonly name: string;
  /** The name fills its line to the end, and so may be cut off (ICAO 9303-3 §4.6). */
  readonly nameMayBeCut: boolean;
  /** Of the first line, what a long document number leaves of it; of the second line. */
  readonly optional1: string;
  readonly optional2: string;
  /** Which check digits fit. `composite` is over the first two lines. */
  readonly checks: Readonly<Record<"documentNumber" | "birthDate" | "expiryDate" | "composite", boolean>>;
}

/** What an MRZ is made of; `nationality` is the issuing state where it is left out. */
export interface Td1Fields {
  readonly documentCode?: string;
  readonly issuingState: string;
  readonly documentNumber: string;
  /** `yyMMdd`. */
  readonly birthDate: string;
  readonly expiryDate: string;
  readonly sex: Td1["sex"];
  readonly nationality?: string;
  /** Capital letters, blanks and hyphens. */
  readonly surname: string;
  readonly givenNames: string;
  readonly optional1?: string;
  readonly optional2?: string;
}

const LINE = 30;
const WEIGHTS = [7, 3, 1] as const;

/** ICAO 9303-3 §4.9: weights 7-3-1, letters are 10 to 35, a filler is 0. @throws RangeError for other characters */
export function checkDigit(text: string): string {
  let sum = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (!/[A-Z0-9<]/.test(character)) throw new RangeError("no character of an MRZ");
    sum += (WEIGHTS[at % 3] ?? 0) * (character === "<" ? 0 : Number.parseInt(character, 36));
  }
  return String(sum % 10);
}

/** Parts of the first two lines that the composite check digit covers: 6–30 of the first, 1–7, 9–15, 19–29 of the second. */
function compositeOf(first: string, second: string): string {
  return first.slice(5) + second.slice(0, 7) + second.slice(8, 15) + second.slice(18, 29);
}

/** 90 characters of an MRZ, line breaks or none. Undefined where they are not; a check digit that does not fit is told, not refused. */
export function parseTd1(text: string): Td1 | undefined {
  const zone = text.replaceAll(/\r?\n/g, "");
  if (!/^[A-Z0-9<]{90}$/.test(zone)) return undefined;
  const [first, second, third] = [zone.slice(0, LINE), zone.slice(LINE, 2 * LINE), zone.slice(2 * LINE)];
  const number = numberOf(first);
  const [birth, expiry] = [second.slice(0, 6), second.slice(8, 14)];
  const [surname = "", ...given] = third.split("<<");
  const words = (part: string): string => part.replaceAll(/<+/g, " ").trim();
  const names = [words(surname), words(given.join("<"))] as const;
  return {
    text: [first, second, third].join("\n"),
    documentCode: trimmed(first.slice(0, 2)),
    issuingState: trimmed(first.slice(2, 5)),
    documentNumber: number.documentNumber,
    birthDate: birth,
    expiryDate: expiry,
    sex: sexOf(second.charAt(7)),
    nationality: trimmed(second.slice(15, 18)),
    surname: names[0],
    givenNames: names[1],
    name: names.join(" ").trim(),
    nameMayBeCut: !third.endsWith("<"),
    optional1: number.optional,
    optional2: trimmed(second.slice(18, 29)),
    checks: {
      documentNumber: number.fits,
      birthDate: second.charAt(6) === checkDigit(birth),
      expiryDate: second.charAt(14) === checkDigit(expiry),
      composite: second.charAt(29) === checkDigit(compositeOf(first, second)),
    },
  };
}

function sexOf(letter: string): Td1["sex"] {
  if (letter === "M") return "male";
  return letter === "F" ? "female" : "unspecified";
}

function trimmed(field: string): string {
  return field.replace(/<+$/, "");
}

/** ICAO 9303-5 §4.2.2, numbers of more than 9 characters: a filler instead of the check digit says that number and check digit go on in the optional data. */
function numberOf(first: string): { documentNumber: string; optional: string; fits: boolean } {
  const [field, check, optional] = [first.slice(5, 14), first.charAt(14), first.slice(15)];
  const long = check === "<" ? /^([A-Z0-9]+)(\d)(?:<(.*))?$/.exec(optional) : null;
  if (!long) return { documentNumber: trimmed(field), optional: trimmed(optional), fits: check === checkDigit(field) };
  const [, rest = "", digit = "", after = ""] = long;
  return { documentNumber: field + rest, optional: trimmed(after), fits: digit === checkDigit(field + rest) };
}

/**
 * Three lines with all check digits. A name that is too long is cut at the end of its line.
 * @throws RangeError where a field has other characters or is too long
 */
export function buildTd1(fields: Td1Fields): string {
  const { documentNumber, optional1 = "" } = fields;
  const isLong = documentNumber.length > 9;
  const start = documentNumber.slice(0, 9).padEnd(9, "<");
  const rest = isLong
    ? `<${documentNumber.slice(9)}${checkDigit(documentNumber)}${optional1 && `<${optional1}`}`
    : checkDigit(start) + optional1;
  const first = filled(fields.documentCode ?? "I", 2) + filled(fields.issuingState, 3) + start + filled(rest, 16);
  const birth = filled(fields.birthDate, 6);
  const expiry = filled(fields.expiryDate, 6);
  const sex = { male: "M", female: "F", unspecified: "<" }[fields.sex];
  const head = birth + checkDigit(birth) + sex + expiry + checkDigit(expiry) + filled(fields.nationality ?? fields.issuingState, 3);
  const second = head + filled(fields.optional2 ?? "", 11);
  const name = [fields.surname, fields.givenNames].map((part) => part.trim().replaceAll(/[ -]+/g, "<")).join("<<");
  return [first, second + checkDigit(compositeOf(first, second)), filled(name.slice(0, LINE), LINE)].join("\n");
}

function filled(field: string, length: number): string {
  if (field.length > length || /[^A-Z0-9<]/.test(field)) throw new RangeError("a field does not fit into an MRZ");
  return field.padEnd(length, "<");
}
