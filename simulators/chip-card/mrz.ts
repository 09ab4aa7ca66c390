import type { Person } from "./people.js";

/** Check digit: weights 7, 3, 1; letters count from 10, the filler is 0 (ICAO 9303-3 §4.9). */
export function checkDigit(text: string): string {
  let sum = 0;
  for (const [index, character] of [...text].entries()) {
    const value = character === "<" ? 0 : Number.parseInt(character, 36);
    sum += value * ([7, 3, 1][index % 3] ?? 0);
  }
  return String(sum % 10);
}

const checked = (text: string): string => text + checkDigit(text);
const yymmdd = (iso: string): string => iso.replaceAll("-", "").slice(2);
/** "Never" is written as a date of 1999. */
const expiryOf = ({ expires }: Person): string => (expires === undefined ? "991231" : yymmdd(expires));
const documentNumber = ({ id }: Person): string => id.slice(-9);

/** The three lines of 30 characters of a citizen card (ICAO 9303-5 §4.2), without line ends. */
export function machineReadableZone(person: Person): string {
  const first = `IDVNM${checked(documentNumber(person))}${person.id}<<${checkDigit(person.id)}`;
  const birth = checked(yymmdd(person.born));
  const expiry = checked(expiryOf(person));
  const optional = "<".repeat(11);
  const second = `${birth}${person.sex === "male" ? "M" : "F"}${expiry}VNM${optional}`;
  const composite = checkDigit(first.slice(5) + birth + expiry + optional);
  return `${first}${second}${composite}${nameLine(person.name)}`;
}

/** The fields that open the chip by BAC, or by PACE with the MRZ; dates are yyMMdd. */
export const mrzFields = (person: Person) => ({
  documentNumber: documentNumber(person),
  birthDate: yymmdd(person.born),
  expiryDate: expiryOf(person),
});

/** The same with their check digits, as they are hashed. */
export function mrzKey(person: Person): string {
  const { documentNumber, birthDate, expiryDate } = mrzFields(person);
  return checked(documentNumber) + checked(birthDate) + checked(expiryDate);
}

/** Surname, two fillers, given names; cut at 30 (ICAO 9303-5 §4.2.2.3). */
function nameLine(name: string): string {
  const [surname = "", ...given] = name
    .replaceAll(/[đĐ]/g, "D")
    .normalize("NFD")
    .toUpperCase()
    .replaceAll(/[^A-Z ]/g, "")
    .split(/ +/);
  return [surname, "", ...given].join("<").slice(0, 30).padEnd(30, "<");
}
