import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildTd1, checkDigit, parseTd1, type Td1Fields } from "./mrz.js";

/** The specimen of ICAO 9303-5, appendix B: a person who does not exist. */
const SPECIMEN = ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"].join("\n");

const letters = (min: number, max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"), minLength: min, maxLength: max });
const signs = (min: number, max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(..."ABCXYZ0123456789"), minLength: min, maxLength: max });
const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 6, maxLength: 6 });
const person = fc.record({
  documentCode: fc.constantFrom("I", "ID", "AC"),
  issuingState: letters(1, 3),
  documentNumber: signs(1, 22),
  birthDate: digits,
  expiryDate: digits,
  sex: fc.constantFrom("male" as const, "female" as const, "unspecified" as const),
  nationality: letters(1, 3),
  surname: letters(1, 12),
  givenNames: fc.array(letters(1, 4), { minLength: 1, maxLength: 3 }).map((words) => words.join(" ")),
  optional2: signs(0, 11),
});

describe("check digits", () => {
  it("are those of the standard's examples (ICAO 9303-3 §4.9, 9303-11 appendix D.2)", () => {
    expect(checkDigit("520727")).toBe("3");
    expect(checkDigit("AB2134<<<")).toBe("5");
    expect(checkDigit("L898902C<")).toBe("3");
    expect(checkDigit("690806")).toBe("1");
    expect(checkDigit("")).toBe("0");
  });
  it("are of the MRZ's characters only", () => {
    expect(() => checkDigit("ạ")).toThrow(RangeError);
    expect(() => checkDigit("a")).toThrow(RangeError);
  });
});

describe("TD1", () => {
  it("is parsed", () => {
    expect(parseTd1(SPECIMEN)).toEqual({
      text: SPECIMEN,
      documentCode: "I",
      issuingState: "UTO",
      documentNumber: "D23145890",
      birthDate: "740812",
      expiryDate: "120415",
      sex: "female",
      nationality: "UTO",
      surname: "ERIKSSON",
      givenNames: "ANNA MARIA",
      name: "ERIKSSON ANNA MARIA",
      nameMayBeCut: false,
      optional1: "",
      optional2: "",
      checks: { documentNumber: true, birthDate: true, expiryDate: true, composite: true },
    });
    expect(parseTd1(SPECIMEN.replaceAll("\n", "\r\n"))).toEqual(parseTd1(SPECIMEN));
    expect(parseTd1(SPECIMEN.replaceAll("\n", ""))).toEqual(parseTd1(SPECIMEN));
  });

  it("takes a long document number from the optional data (ICAO 9303-11 appendix D.2)", () => {
    const long = parseTd1("I<UTOD23145890<7349<<<<<<<<<<<3407127M9507122UTO<<<<<<<<<<<2STEVENSON<<PETER<JOHN<<<<<<<<<");
    expect(long).toMatchObject({
      documentNumber: "D23145890734",
      optional1: "",
      checks: { documentNumber: true, birthDate: true, expiryDate: true, composite: true },
    });
    expect(parseTd1("I<UTOD23145890<7349<AB<<<<<<<<3407127M9507122UTO<<<<<<<<<<<2STEVENSON<<PETER<JOHN<<<<<<<<<")?.optional1).toBe("AB");
  });

  it.each([
    ["documentNumber", 14],
    ["birthDate", 36],
    ["expiryDate", 44],
    ["composite", 59],
  ] as const)("tells that the check digit of %s does not fit, and of no other field but the composite", (field, at) => {
    const zone = SPECIMEN.replaceAll("\n", "");
    const wrong = parseTd1(zone.slice(0, at) + ((Number(zone.charAt(at)) + 1) % 10) + zone.slice(at + 1));
    expect(wrong?.checks).toEqual({ documentNumber: true, birthDate: true, expiryDate: true, composite: false, [field]: false });
  });

  it("is 90 characters of the MRZ's alphabet", () => {
    for (const text of [
      "",
      SPECIMEN.slice(1),
      `${SPECIMEN}<`,
      SPECIMEN.toLowerCase(),
      SPECIMEN.replace("ERIKSSON", "ERIKSSÖN"),
      SPECIMEN.replace("<", " "),
    ]) {
      expect(parseTd1(text)).toBeUndefined();
    }
  });

  it("comes back as it was built", () => {
    fc.assert(
      fc.property(person, (fields: Td1Fields) => {
        expect(parseTd1(buildTd1(fields))).toMatchObject({
          ...fields,
          name: `${fields.surname} ${fields.givenNames}`.slice(0, 29),
          checks: { documentNumber: true, birthDate: true, expiryDate: true, composite: true },
        });
      }),
    );
  });

  it("keeps optional data beside a short and beside a long number", () => {
    const fields: Td1Fields = {
      issuingState: "UTO",
      documentNumber: "D2",
      birthDate: "740812",
      expiryDate: "120415",
      sex: "male",
      surname: "A",
      givenNames: "B",
    };
    for (const documentNumber of ["D2", "D23145890", "D23145890734"]) {
      expect(parseTd1(buildTd1({ ...fields, documentNumber, optional1: "AB1" }))).toMatchObject({ documentNumber, optional1: "AB1" });
    }
    expect(() => buildTd1({ ...fields, documentNumber: "D23145890734", optional1: "ABCDEFGHIJKL" })).toThrow(RangeError);
    expect(() => buildTd1({ ...fields, surname: "Ạ" })).toThrow(RangeError);
  });

  it("cuts a name at the end of its line, and tells", () => {
    const fields = {
      issuingState: "UTO",
      documentNumber: "1",
      birthDate: "740812",
      expiryDate: "120415",
      sex: "male",
      surname: "A".repeat(20),
    } as const;
    expect(parseTd1(buildTd1({ ...fields, givenNames: "B".repeat(20) }))).toMatchObject({ nameMayBeCut: true, givenNames: "B".repeat(8) });
    expect(parseTd1(buildTd1({ ...fields, givenNames: "B" }))?.nameMayBeCut).toBe(false);
  });

  it("any text is parsed or refused, never thrown at; one changed digit of a checked field is noticed", () => {
    const zone = fc.string({ unit: fc.constantFrom(..."ABZ0123456789<<<<"), minLength: 90, maxLength: 90 });
    fc.assert(
      fc.property(fc.oneof(zone, fc.string({ unit: "binary", maxLength: 200 })), (text) => {
        const parsed = parseTd1(text);
        if (parsed) expect(parsed.text.replaceAll("\n", "")).toBe(text.replaceAll(/\r?\n/g, ""));
      }),
    );
    fc.assert(
      fc.property(person, fc.nat(5), fc.integer({ min: 1, max: 9 }), (fields, at, by) => {
        const built = buildTd1(fields).replaceAll("\n", "");
        const digit = (Number(built.charAt(30 + at)) + by) % 10;
        const changed = parseTd1(built.slice(0, 30 + at) + digit + built.slice(31 + at));
        // Weights 7, 3 and 1 are prime to 10: every change of one digit shows.
        expect(changed?.checks).toMatchObject({ birthDate: false, composite: false, expiryDate: true });
      }),
    );
  });
});
