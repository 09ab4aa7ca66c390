import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tlv } from "../formats/tlv.js";
import { concatBytes, fromHex } from "../kernel/bytes.js";
import { type CardDetailsRecord, parseDg13, withoutSensitive } from "./dg13.js";

type Part = Uint8Array;
const utf8 = (text: string, tag = 0x0c): Part => tlv(tag, new TextEncoder().encode(text));
const sequence = (...parts: Part[]): Part => tlv(0x30, ...parts);
const field = (n: number, ...values: Part[]): Part => sequence(tlv(0x02, Uint8Array.of(n)), ...values);
const OID = tlv(0x06, fromHex("0281d31e0100 08"));
const file = (fields: readonly Part[], setTag = 0x31): Part =>
  tlv(0x6d, sequence(tlv(0x02, Uint8Array.of(1)), OID, tlv(setTag, ...fields)));

/** An invented person. */
const TEXTS: readonly (readonly [n: number, text: string])[] = [
  [1, "001190000001"],
  [2, "Nguyễn Thị Mẫu"],
  [3, "01/02/1990"],
  [4, "Nữ"],
  [5, "Việt Nam"],
  [6, "Kinh"],
  [7, "Không"],
  [8, "Xã Mẫu, Hà Nội"],
  [9, "Số 1 Đường Mẫu, Hà Nội"],
  [10, "Nốt ruồi C: 1cm"],
  [11, "03/04/2021"],
  [12, "01/02/2030"],
];
const plain = TEXTS.map(([n, text]) => field(n, utf8(text, n === 1 ? 0x13 : 0x0c)));
const parents = field(13, sequence(utf8("Nguyễn Văn Mẫu"), utf8("Trần Thị Mẫu")));
const spouse = field(14, sequence(utf8("Lê Văn Mẫu")));
const others = [field(15, utf8("012345678", 0x13)), field(16, utf8("0000000000000000", 0x13))];
const change = (n: number, text: string): Part[] => TEXTS.map(([at, old]) => field(at, utf8(at === n ? text : old)));

const RECORD: CardDetailsRecord = {
  idNumber: "001190000001",
  oldIdNumber: "012345678",
  name: "Nguyễn Thị Mẫu",
  birthDate: "1990-02-01",
  sex: "female",
  nationality: "Việt Nam",
  ethnicity: "Kinh",
  religion: "Không",
  placeOfOrigin: "Xã Mẫu, Hà Nội",
  residence: "Số 1 Đường Mẫu, Hà Nội",
  identifyingMarks: "Nốt ruồi C: 1cm",
  issueDate: "2021-04-03",
  expiryDate: "2030-02-01",
  parents: ["Nguyễn Văn Mẫu", "Trần Thị Mẫu"],
  spouse: "Lê Văn Mẫu",
  unknown: [{ n: 16, text: "0000000000000000" }],
};
const all = [...plain, parents, spouse, ...others];

describe("DG13", () => {
  it("is read by the numbers of its fields, whatever their order and nesting", () => {
    expect(parseDg13(file(all))).toEqual(RECORD);
    expect(parseDg13(file(all.toReversed()))).toEqual(RECORD);
    expect(parseDg13(file(all, 0x30))).toEqual(RECORD);
    expect(parseDg13(tlv(0x6d, tlv(0x31, ...all)))).toEqual(RECORD);
    expect(parseDg13(tlv(0x6d, sequence(sequence(OID, tlv(0x31, sequence(...all))))))).toEqual(RECORD);
    // Padding after the file.
    expect(parseDg13(concatBytes([file(all), Uint8Array.of(0x30)]))).toEqual(RECORD);
  });

  it("reads both forms of the parents, and a missing one", () => {
    const siblings = field(13, sequence(utf8("Nguyễn Văn Mẫu")), sequence(utf8("Trần Thị Mẫu")));
    expect(parseDg13(file([...plain, siblings]))?.parents).toEqual(RECORD.parents);
    expect(parseDg13(file([...plain, field(13, sequence(utf8(""), utf8("Trần Thị Mẫu")))]))?.parents).toEqual(["", "Trần Thị Mẫu"]);
    expect(parseDg13(file([...plain, field(13, sequence(utf8(""), utf8(" ")))]))).not.toHaveProperty("parents");
    expect(parseDg13(file(plain))).not.toHaveProperty("spouse");
  });

  it("knows the old number by its nine digits, in either of two fields", () => {
    const swapped = [field(15, utf8("0000000000000000")), field(16, utf8("012345678"))];
    expect(parseDg13(file([...plain, ...swapped]))).toMatchObject({
      oldIdNumber: "012345678",
      unknown: [{ n: 15, text: "0000000000000000" }],
    });
    expect(parseDg13(file([...plain, field(17, utf8("x")), field(300 & 0xff), field(15, utf8(""))]))?.unknown).toEqual([
      { n: 17, text: "x" },
      { n: 44 },
      { n: 15 },
    ]);
    expect(parseDg13(file(plain))).not.toHaveProperty("oldIdNumber");
  });

  it("composes letters, and shows a text on one line", () => {
    expect(parseDg13(file(TEXTS.map(([n, text]) => field(n, utf8(text.normalize("NFD"))))))?.name).toBe("Nguyễn Thị Mẫu");
    expect(parseDg13(file(change(9, "Số 1\r\n\u202eĐường\u001b Mẫu ")))?.residence).toBe("Số 1 Đường Mẫu");
  });

  it("says unlimited where the card does", () => {
    for (const text of ["Không thời hạn", "KHÔNG THỜI HẠN".normalize("NFD"), "31/12/9999"]) {
      expect(parseDg13(file(change(12, text)))?.expiryDate).toBe("unlimited");
    }
  });

  it.each([
    [3, "31/02/1990", "birthDate"],
    [4, "x", "sex"],
    [11, "2021-04-03", "issueDate"],
    [12, "Không", "expiryDate"],
    [9, "", "residence"],
  ] as const)("leaves out field %i where it is «%s»", (n, text, key) => {
    const { [key]: _, ...rest } = parseDg13(file(plain)) as CardDetailsRecord;
    expect(parseDg13(file(change(n, text)))).toEqual(rest);
  });

  it("is none without a number, a name or a sound structure", () => {
    expect(parseDg13(file(change(1, "00119000000")))).toBeUndefined();
    expect(parseDg13(file(change(2, " ")))).toBeUndefined();
    expect(parseDg13(file(change(2, "Mẫu")).subarray(0, -1))).toBeUndefined();
    expect(parseDg13(new Uint8Array())).toBeUndefined();
    expect(parseDg13(file([...plain, field(17, utf8("x".repeat(16_384)))]))).toBeUndefined();
    const deep = Array.from({ length: 7 }).reduce<Part>((inner) => sequence(inner), utf8("x"));
    expect(parseDg13(file([...plain, deep]))).toBeUndefined();
    const bad = field(2, tlv(0x0c, Uint8Array.of(0xc3, 0x28)));
    expect(parseDg13(file([...plain.filter((_, index) => index !== 1), bad]))).toBeUndefined();
  });

  it("any bytes, and any damage to a real file, end in a record or in none", () => {
    const whole = file(all);
    const damaged = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
      .map((changes) => changes.reduce((bytes, [at, byte]) => bytes.with(at, byte), whole));
    const nested = fc.letrec<{ node: Part }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 10 },
        fc.uint8Array({ maxLength: 9 }).map((value) => tlv(0x0c, value)),
        fc.nat(20).map((n) => tlv(0x02, Uint8Array.of(n))),
        fc.tuple(fc.constantFrom(0x30, 0x31, 0xa0), fc.array(tie("node"), { maxLength: 4 })).map(([tag, parts]) => tlv(tag, ...parts)),
      ),
    })).node;
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), damaged, nested), (bytes) => {
        const record = parseDg13(bytes);
        if (record) expect(record.idNumber).toMatch(/^\d{12}$/);
      }),
      { numRuns: 1_000 },
    );
    expect(parseDg13(new Uint8Array(16_384).fill(0x30))).toBeUndefined();
  });
});

describe("what is handed out", () => {
  const { unknown: _, ethnicity, religion, parents: both, spouse: married, ...open } = RECORD;
  it("has no sensitive field, and none of unknown meaning", () => {
    expect(withoutSensitive(RECORD, [])).toEqual(open);
  });
  it("has the sensitive fields that are named, where there are any", () => {
    expect(withoutSensitive(RECORD, ["ethnicity"])).toEqual({ ...open, ethnicity });
    expect(withoutSensitive(RECORD, ["ethnicity", "religion", "parents", "spouse"])).toEqual({
      ...open,
      ethnicity,
      religion,
      parents: both,
      spouse: married,
    });
    expect(withoutSensitive({ ...open, unknown: [] }, ["spouse"])).toEqual(open);
  });
});
