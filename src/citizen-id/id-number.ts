export type Sex = "male" | "female";

/** What the 12 digits of a citizen's ID number say. */
export interface IdNumber {
  /** Three digits: province, or country, where the birth was registered. */
  readonly regionCode: string;
  readonly sex: Sex;
  readonly birthYear: number;
}

/**
 * 3 digits region + 1 digit century and sex (0 male, 1 female of 1900–1999; 2, 3 of 2000–2099; and so on)
 * + 2 digits year of birth + 6 random. Undefined where the text is not 12 digits.
 */
export function readIdNumber(idNumber: string): IdNumber | undefined {
  const fields = /^(\d{3})(\d)(\d{2})\d{6}$/.exec(idNumber);
  if (!fields) return undefined;
  const [, regionCode = "", centuryAndSex = "", year = ""] = fields;
  const century = 1900 + 100 * Math.floor(Number(centuryAndSex) / 2);
  return { regionCode, sex: Number(centuryAndSex) % 2 === 0 ? "male" : "female", birthYear: century + Number(year) };
}

/**
 * Does the number fit the person? `birthDate` is ISO 8601. A mismatch proves no forgery (registers have errors, and
 * sex can be registered anew), but a person should look.
 */
export function idNumberFits(idNumber: string, birthDate: string, sex: Sex): boolean {
  const read = readIdNumber(idNumber);
  return read !== undefined && read.sex === sex && read.birthYear === Number(birthDate.slice(0, 4));
}
