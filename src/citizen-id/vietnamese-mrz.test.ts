import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildTd1, checkDigit, parseTd1, type Td1, type Td1Fields } from "../formats/mrz.js";
import { canOf, documentNumberOf } from "./can.js";
import { readIdNumber } from "./id-number.js";
import { vietnameseMrz } from "./vietnamese-mrz.js";

const NOW = Date.parse("2026-05-04T03:00:00Z");

/** The MRZ of an invented person's card. */
function zone(idNumber: string, fields: Partial<Td1Fields> = {}): Td1 {
  const text = buildTd1({
    documentCode: "ID",
    issuingState: "VNM",
    documentNumber: documentNumberOf(idNumber),
    optional1: `${idNumber}<<${checkDigit(idNumber)}`,
    birthDate: "900201",
    expiryDate: "300201",
    sex: "female",
    surname: "NGUYEN",
    givenNames: "THI MAU",
    ...fields,
  });
  const td1 = parseTd1(text);
  expect(td1).toBeDefined();
  return td1 as Td1;
}

it("the ID number opens the card: its last six digits are the CAN, its last nine the document number", () => {
  expect(canOf("001190000001")).toBe("000001");
  expect(documentNumberOf("001190000001")).toBe("190000001");
});

describe("the MRZ of a citizen's card", () => {
  it("is read, with the ID number in it", () => {
    const td1 = zone("001190000001");
    expect(td1.text.slice(0, 30)).toBe("IDVNM1900000015001190000001<<6");
    expect(vietnameseMrz(td1, NOW)).toEqual({
      text: td1.text,
      documentNumber: "190000001",
      issuingState: "VNM",
      nationality: "VNM",
      name: "NGUYEN THI MAU",
      nameMayBeCut: false,
      birthDate: "1990-02-01",
      sex: "female",
      expiryDate: "2030-02-01",
      idNumber: "001190000001",
      checkDigits: true,
    });
  });

  it("has no ID number where another country's card, another number or a wrong check digit stands", () => {
    const other = vietnameseMrz(zone("001190000001", { issuingState: "UTO" }), NOW);
    expect(other).toMatchObject({ checkDigits: true });
    expect(other).not.toHaveProperty("idNumber");
    for (const fields of [{ documentNumber: "190000002" }, { optional1: "001190000001<<7" }]) {
      const wrong = vietnameseMrz(zone("001190000001", fields), NOW);
      expect(wrong).toMatchObject({ checkDigits: false });
      expect(wrong).not.toHaveProperty("idNumber");
    }
    expect(vietnameseMrz(zone("001190000001", { optional1: "" }), NOW)).not.toHaveProperty("idNumber");
  });

  it.each(["documentNumber", "birthDate", "expiryDate", "composite"] as const)("tells that the check digit of %s does not fit", (field) => {
    const td1 = zone("001190000001");
    expect(vietnameseMrz({ ...td1, checks: { ...td1.checks, [field]: false } }, NOW)?.checkDigits).toBe(false);
  });

  it.each([
    ["991231", "unlimited"],
    ["991230", "2099-12-30"],
    ["260504", "2026-05-04"],
  ])("expiry %s is %s", (expiryDate, expected) => {
    expect(vietnameseMrz(zone("001190000001", { expiryDate }), NOW)?.expiryDate).toBe(expected);
  });

  it.each([
    // Where the ID number knows the century, it decides.
    ["001115000001", "150203", "1915-02-03"],
    ["001315000001", "150203", "2015-02-03"],
    ["001126000001", "260504", "1926-05-04"],
    // One of another year does not, nor one of a year to come.
    ["001190000001", "150203", "2015-02-03"],
    ["001390000001", "900203", "1990-02-03"],
    // Nobody is born tomorrow.
    ["001190000001", "260504", "2026-05-04"],
    ["001190000001", "260505", "1926-05-05"],
    // Unknown days and months.
    ["001190000001", "9002<<", "1990-02"],
    ["001190000001", "90<<<<", "1990"],
    ["001190000001", "000229", "2000-02-29"],
  ])("%s, born %s: %s", (idNumber, birthDate, expected) => {
    expect(vietnameseMrz(zone(idNumber, { birthDate }), NOW)?.birthDate).toBe(expected);
  });

  it("is none with dates that are none", () => {
    for (const fields of [
      { birthDate: "901301" },
      { birthDate: "<<<<<<" },
      { birthDate: "90<<01" },
      { expiryDate: "300230" },
      { expiryDate: "<<<<<<" },
    ]) {
      expect(vietnameseMrz(zone("001190000001", fields), NOW)).toBeUndefined();
    }
  });

  it("of anyone gives birth date and ID number back", () => {
    const day = fc
      .date({ min: new Date("1900-01-01T00:00:00Z"), max: new Date(NOW), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10));
    fc.assert(
      fc.property(day, fc.nat(999), fc.boolean(), fc.nat(999_999), (born, region, isFemale, random) => {
        const year = Number(born.slice(0, 4));
        const idNumber = `${String(region).padStart(3, "0")}${(year >= 2000 ? 2 : 0) + (isFemale ? 1 : 0)}${born.slice(2, 4)}${String(random).padStart(6, "0")}`;
        expect(readIdNumber(idNumber)?.birthYear).toBe(year);
        const read = vietnameseMrz(zone(idNumber, { birthDate: born.slice(2).replaceAll("-", "") }), NOW);
        expect(read).toMatchObject({ idNumber, birthDate: born, checkDigits: true });
      }),
    );
  });

  it("of any 90 characters is read or refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."VNM0123456789<<<"), minLength: 80, maxLength: 80 }), fc.nat(), (rest, nowMs) => {
        const td1 = parseTd1(`IDVNM19000${rest}`) as Td1;
        const read = vietnameseMrz(td1, nowMs);
        if (read) expect(read.birthDate).toMatch(/^\d{4}(-\d\d){0,2}$/);
      }),
    );
  });
});
