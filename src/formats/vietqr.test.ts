import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asciiBytes } from "../kernel/bytes.js";
import { crc16CcittFalse } from "./crc16.js";
import { emvcoValue, parseEmvcoObjects, parseEmvcoPayload } from "./emvco.js";
import { readVietQr, writeVietQr } from "./vietqr.js";

/** Codes as banks print them: to an account with amount and purpose, and one printed once for all. */
const WITH_AMOUNT = "00020101021238530010A0000007270123000697041601092576788590208QRIBFTTA5303704540410005802VN62150811Chuyen tien6304BBB8";
const WITHOUT_AMOUNT = "00020101021138580010A000000727012800069704070114190304136010180208QRIBFTTA53037045802VN63040283";

const object = (id: string, value: string): string => `${id}${String(value.length).padStart(2, "0")}${value}`;
const seal = (body: string): string =>
  `${body}6304${crc16CcittFalse(new TextEncoder().encode(`${body}6304`))
    .toString(16)
    .toUpperCase()
    .padStart(4, "0")}`;
const ACCOUNT = object("00", "A000000727") + object("01", object("00", "970416") + object("01", "257678859")) + object("02", "QRIBFTTA");
const build = (changes: Partial<Record<"01" | "38" | "53" | "54" | "58" | "62", string | undefined>> = {}): string => {
  const fields = { "01": "12", "38": ACCOUNT, "53": "704", "54": "1000", "58": "VN", "62": object("08", "Chuyen tien"), ...changes };
  return seal(
    "000201" +
      Object.entries(fields)
        .sort(([a], [b]) => Number(a) - Number(b))
        .map(([id, value]) => (value === undefined ? "" : object(id, value)))
        .join(""),
  );
};

describe("CRC-16/CCITT-FALSE", () => {
  it("has the check value of its catalogue", () => {
    expect(crc16CcittFalse(asciiBytes("123456789"))).toBe(0x29b1);
    expect(crc16CcittFalse(new Uint8Array())).toBe(0xffff);
  });
});

describe("EMVCo objects", () => {
  it("are walked by their lengths", () => {
    expect(parseEmvcoObjects("0002010102125802VN")).toEqual({
      ok: true,
      objects: [
        { id: "00", value: "01" },
        { id: "01", value: "12" },
        { id: "58", value: "VN" },
      ],
    });
  });
  it("count characters, not bytes or UTF-16 units", () => {
    const parsed = parseEmvcoObjects("5906Hà Nội6003a😀b");
    expect(parsed.ok && parsed.objects).toEqual([
      { id: "59", value: "Hà Nội" },
      { id: "60", value: "a😀b" },
    ]);
    expect(parsed.ok && emvcoValue(parsed.objects, "61")).toBeUndefined();
  });
  it.each([
    ["0003", "malformed"],
    ["000201x", "malformed"],
    ["0000", "malformed"],
    ["00 2ab", "malformed"],
    ["0002010002015", "duplicate"],
    ["5801a".repeat(600), "too_long"],
  ])("%s is refused: %s", (text, reason) => {
    expect(parseEmvcoObjects(text)).toEqual({ ok: false, reason });
  });
  it.each([
    [seal("010212"), "no_format_indicator"],
    [seal("000202"), "no_format_indicator"],
    ["000201", "no_crc"],
    [`${seal("000201")}5802VN`, "no_crc"],
    ["0002016304ZZZZ", "no_crc"],
    [WITH_AMOUNT.replace("BBB8", "BBB5"), "wrong_crc"],
    [WITH_AMOUNT.replace("54041000", "54049000"), "wrong_crc"],
  ])("payload %s is refused: %s", (text, reason) => {
    expect(parseEmvcoPayload(text)).toEqual({ ok: false, reason });
  });
});

describe("VietQR", () => {
  it("writes codes of banks to the letter, and reads whatever it writes", () => {
    for (const code of [WITH_AMOUNT, WITHOUT_AMOUNT]) {
      const read = readVietQr(code);
      expect(read && writeVietQr(read)).toBe(code);
    }
    const digits = (length: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^\\d{${length}}$`));
    const code = fc.record({
      bankBin: digits(6),
      account: fc.stringMatching(/^[0-9A-Za-z]{1,19}$/),
      service: fc.constantFrom("QRIBFTTA", "QRIBFTTC"),
      amountVnd: fc.integer({ min: 1, max: 9_999_999_999_999 }),
      purpose: fc.string({ unit: "binary", minLength: 1, maxLength: 25 }),
      dynamic: fc.boolean(),
    });
    fc.assert(
      fc.property(code, (made) => {
        expect(readVietQr(writeVietQr(made))).toEqual(made);
      }),
    );
  });
  it("reads codes of banks", () => {
    expect(readVietQr(WITH_AMOUNT)).toEqual({
      bankBin: "970416",
      account: "257678859",
      service: "QRIBFTTA",
      amountVnd: 1000,
      purpose: "Chuyen tien",
      dynamic: true,
    });
    expect(readVietQr(WITHOUT_AMOUNT)).toEqual({ bankBin: "970407", account: "19030413601018", service: "QRIBFTTA", dynamic: false });
    expect(build()).toBe(WITH_AMOUNT);
    expect(readVietQr(WITH_AMOUNT.replace("BBB8", "bbb8"))).toBeDefined();
  });

  it.each<[string, Parameters<typeof build>[0]]>([
    ["another currency", { "53": "840" }],
    ["no currency", { "53": undefined }],
    ["another country", { "58": "TH" }],
    ["an amount with decimals", { "54": "1000.00" }],
    ["a zero amount", { "54": "000" }],
    ["an amount of words", { "54": "1e6" }],
    ["an amount too long", { "54": "12345678901234" }],
    ["an unknown initiation", { "01": "13" }],
    ["another network", { "38": ACCOUNT.replace("A000000727", "A000000728") }],
    ["a bank that is none", { "38": ACCOUNT.replace("970416", "97041A") }],
    ["a torn account", { "38": ACCOUNT.slice(0, -3) }],
    ["no service", { "38": ACCOUNT.slice(0, -12) }],
    ["a torn purpose", { "62": "0899x" }],
  ])("refuses %s", (_, changes) => {
    expect(readVietQr(build(changes))).toBeUndefined();
  });

  it("refuses wrong checksums and never throws", () => {
    expect(readVietQr(WITH_AMOUNT.replace("BBB8", "BBB5"))).toBeUndefined();
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), fc.string().map(seal), fc.stringMatching(/^(0002\d*){0,9}$/)),
        (text) => void readVietQr(text),
      ),
    );
  });

  it("notices any one changed character", () => {
    fc.assert(
      fc.property(fc.nat(WITH_AMOUNT.length - 5), fc.stringMatching(/^[0-9A-Za-z ]$/), (at, character) => {
        fc.pre(WITH_AMOUNT[at] !== character);
        expect(readVietQr(WITH_AMOUNT.slice(0, at) + character + WITH_AMOUNT.slice(at + 1))).toBeUndefined();
      }),
    );
  });
});
