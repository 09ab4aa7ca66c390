import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCardCode } from "./card-code.js";
import { idNumberFits, readIdNumber } from "./id-number.js";
import { parseScan } from "./scan.js";

/** Invented people: the random part of these numbers is all zeros or a count. */
const FULL = "001190000001|012345678|Nguyễn Thị Mẫu|01021990|Nữ|Số 1 Đường Mẫu, Hà Nội|03042021";

const change = (field: number, value: string): string => FULL.split("|").with(field, value).join("|");

describe("the code of a citizen's card", () => {
  it("is read", () => {
    expect(parseScan(FULL)).toEqual({
      kind: "citizenCard",
      idNumber: "001190000001",
      oldIdNumber: "012345678",
      name: "Nguyễn Thị Mẫu",
      birthDate: "1990-02-01",
      sex: "female",
      address: "Số 1 Đường Mẫu, Hà Nội",
      issueDate: "2021-04-03",
      idNumberFits: true,
      extra: [],
    });
  });

  it("may have no old number, no issue date, or more fields than are known", () => {
    const six = FULL.split("|").slice(0, 6).join("|");
    expect(parseCardCode(six)).not.toHaveProperty("issueDate");
    expect(parseCardCode(change(6, ""))).not.toHaveProperty("issueDate");
    expect(parseCardCode(change(1, ""))).not.toHaveProperty("oldIdNumber");
    expect(parseCardCode(`${FULL}|Mẹ Mẫu||x`)?.extra).toEqual(["Mẹ Mẫu", "", "x"]);
  });

  it("reads decomposed letters as composed ones", () => {
    expect(parseCardCode(FULL.normalize("NFD"))).toEqual(parseCardCode(FULL));
  });

  it("is marked where number and person do not agree", () => {
    expect(parseCardCode(change(4, "Nam"))?.idNumberFits).toBe(false);
    expect(parseCardCode(change(3, "01021991"))?.idNumberFits).toBe(false);
    expect(parseCardCode(change(3, "01022090"))?.idNumberFits).toBe(false);
  });

  it.each([
    ["eleven digits", change(0, "00119000001")],
    ["letters in the number", change(0, "00119000000O")],
    ["a short old number", change(1, "12345678")],
    ["no name", change(2, " ")],
    ["a control character", change(2, "Mẫu\u001b[2J")],
    ["a name that did not decode", change(2, "M\ufffdu")],
    ["31 April", change(3, "31041990")],
    ["29 February of a common year", change(3, "29021900")],
    ["month 13", change(3, "01131990")],
    ["a date of another form", change(3, "1990-02-01")],
    ["another sex", change(4, "nu")],
    ["a sex of the prototype", change(4, "constructor")],
    ["no address", change(5, "")],
    ["an issue date that is none", change(6, "99999999")],
    ["five fields", FULL.split("|").slice(0, 5).join("|")],
    ["too much text", `${FULL}|${"x".repeat(1_024)}`],
  ])("is none with %s", (_, text) => {
    expect(parseScan(text)).toEqual({ kind: "plain" });
  });

  it("knows leap years", () => {
    expect(parseCardCode(change(3, "29022000"))?.birthDate).toBe("2000-02-29");
  });
});

describe("the ID number", () => {
  it("says region, century, sex and year", () => {
    expect(readIdNumber("001190000001")).toEqual({ regionCode: "001", sex: "female", birthYear: 1990 });
    expect(readIdNumber("079205000001")).toEqual({ regionCode: "079", sex: "male", birthYear: 2005 });
    expect(readIdNumber("079350000001")).toEqual({ regionCode: "079", sex: "female", birthYear: 2050 });
    expect(readIdNumber("0792050000010")).toBeUndefined();
    expect(readIdNumber("07920500000a")).toBeUndefined();
  });
  it("is compared with the person", () => {
    expect(idNumberFits("079205000001", "2005-12-31", "male")).toBe(true);
    expect(idNumberFits("079205000001", "2005-12-31", "female")).toBe(false);
    expect(idNumberFits("079205000001", "1905-12-31", "male")).toBe(false);
    expect(idNumberFits("none", "1905-12-31", "male")).toBe(false);
  });
});

describe("any text", () => {
  it("is parsed without a throw", () => {
    const field = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...FULL.split("|")));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary", maxLength: 2_000 }),
          fc.array(field).map((fields) => fields.join("|")),
        ),
        (text) => {
          expect(["plain", "citizenCard", "vietqr"]).toContain(parseScan(text).kind);
        },
      ),
    );
  });
  it("with a valid transfer code is one", () => {
    const transfer = "00020101021138580010A000000727012800069704070114190304136010180208QRIBFTTA53037045802VN63040283";
    expect(parseScan(transfer)).toEqual({
      kind: "vietqr",
      bankBin: "970407",
      account: "19030413601018",
      service: "QRIBFTTA",
      dynamic: false,
    });
    expect(parseScan("HS-2026-000123")).toEqual({ kind: "plain" });
  });
});
