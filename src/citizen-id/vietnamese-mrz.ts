import { checkDigit, type Td1 } from "../formats/mrz.js";
import { documentNumberOf } from "./can.js";
import { isoDate, vietnamToday } from "./dates.js";
import { readIdNumber } from "./id-number.js";

/** What the MRZ of a citizen's card says (DG1), dates as ISO 8601. */
export interface VietnameseMrz {
  /** Three lines of 30 characters. */
  readonly text: string;
  readonly documentNumber: string;
  readonly issuingState: string;
  readonly nationality: string;
  /** Transliterated, surname first. */
  readonly name: string;
  readonly nameMayBeCut: boolean;
  /** Only `yyyy` or `yyyy-MM` where the MRZ says no more. */
  readonly birthDate: string;
  readonly sex: Td1["sex"];
  /** ISO 8601, or `unlimited`. */
  readonly expiryDate: string;
  /** 12 digits, where they are there and fit the document number and their own check digit. */
  readonly idNumber?: string;
  /** All check digits fit, that of the ID number included. */
  readonly checkDigits: boolean;
}

const UNLIMITED = "991231";

/** Undefined where its dates are none. `nowMs` decides the century of the birth date. */
export function vietnameseMrz(td1: Td1, nowMs: number): VietnameseMrz | undefined {
  const id = idNumberOf(td1);
  const birthDate = birthDateOf(td1.birthDate, id.idNumber, vietnamToday(nowMs));
  const expiryDate = td1.expiryDate === UNLIMITED ? "unlimited" : expiryOf(td1.expiryDate);
  if (birthDate === undefined || expiryDate === undefined) return undefined;
  const { text, documentNumber, issuingState, nationality, name, nameMayBeCut, sex, checks } = td1;
  const checkDigits = id.fits && checks.documentNumber && checks.birthDate && checks.expiryDate && checks.composite;
  return {
    ...{ text, documentNumber, issuingState, nationality, name, nameMayBeCut, birthDate, sex, expiryDate },
    ...(id.idNumber === undefined ? {} : { idNumber: id.idNumber }),
    checkDigits,
  };
}

/** First line of a citizen's card: the last 9 digits as document number, all 12 as optional data, `<<`, and their check digit. */
function idNumberOf({ issuingState, documentNumber, optional1 }: Td1): { idNumber?: string; fits: boolean } {
  const fields = /^(\d{12})<<(\d)$/.exec(optional1);
  if (issuingState !== "VNM" || !fields) return { fits: true };
  const [, idNumber = "", digit] = fields;
  const fits = digit === checkDigit(idNumber) && documentNumberOf(idNumber) === documentNumber;
  return fits ? { idNumber, fits } : { fits };
}

/** Cards with a chip exist since 2021, and none that expires runs for longer than a working life: always of this century. */
function expiryOf(digits: string): string | undefined {
  return isoDate(`20${digits.slice(0, 2)}`, digits.slice(2, 4), digits.slice(4));
}

/** Nobody is born in the future. Where both centuries are possible the ID number decides, else the younger age. */
function birthDateOf(printed: string, idNumber: string | undefined, today: string): string | undefined {
  const years = [`20${printed.slice(0, 2)}`, `19${printed.slice(0, 2)}`];
  const dates = years.map((year) => birthDateIn(year, printed)).filter((date): date is string => date !== undefined && date <= today);
  const year = idNumber === undefined ? undefined : readIdNumber(idNumber)?.birthYear;
  return dates.find((date) => Number(date.slice(0, 4)) === year) ?? dates[0];
}

/** ICAO 9303-3 §4.8: fillers stand for an unknown day, or month and day. */
function birthDateIn(year: string, printed: string): string | undefined {
  const [month, day] = [printed.slice(2, 4), printed.slice(4)];
  if (day !== "<<") return isoDate(year, month, day);
  if (month !== "<<") return isoDate(year, month, "01")?.slice(0, 7);
  return isoDate(year, "01", "01")?.slice(0, 4);
}
