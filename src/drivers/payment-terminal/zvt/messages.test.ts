import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tlv } from "../../../formats/tlv.js";
import { asciiBytes, concatBytes, fromHex, toHex } from "../../../kernel/bytes.js";
import { decodeApdu, encodeApdu } from "./apdu.js";
import { BMPS, encodeBmps, splitBmps } from "./bmp.js";
import { decodeMessage, decodeStatusReport } from "./messages.js";
import { resultCode } from "./result-codes.js";
import { decodeStatusInformation, type StatusInformation } from "./status-information.js";
import { CAPTURES } from "./testing/captures.js";

const capture = (name: keyof typeof CAPTURES) => decodeMessage(fromHex(CAPTURES[name]));
/** What a status information says, without what it does not. */
function said(status: StatusInformation): Partial<StatusInformation> {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
}
const status = (hex: string): Partial<StatusInformation> => said(decodeStatusInformation(fromHex(hex)));

describe("captures of a real terminal", () => {
  it("of a payment", () => {
    const message = capture("1680728165.675509000_pt_ecr.blob");
    expect(message.type === "statusInformation" && said(message.status)).toEqual({
      resultCode: 0,
      amount: 2500,
      currency: 978,
      time: "22:55:58",
      date: "04-05",
      maskedPan: "************8074",
      receipt: 231,
      trace: 975,
      paymentType: 0x60,
      terminalId: "52523535",
      cardType: 6,
      cardName: "MasterCard",
      contractNumber: "804011926",
      malformed: [],
      unparsedBytes: 0,
    });
  });

  it("of a card that was read", () => {
    const message = capture("1680728161.963129000_pt_ecr.blob");
    expect(message.type === "statusInformation" && said(message.status)).toEqual({ resultCode: 0, malformed: [], unparsedBytes: 0 });
  });

  it("of a receipt", () => {
    const block = capture("1680728215.585561000_pt_ecr.blob");
    if (block.type !== "printBlock") throw new TypeError(block.type);
    const texts = block.lines.map(({ text }) => text);
    expect(block.receiptType).toBe(2);
    expect(texts).toHaveLength(33);
    expect(texts.slice(0, 3)).toEqual(["", "         ** Customer Receipt **", ""]);
    expect(texts).toContain("Terminal-Id:                    52523535");
    expect(texts).toContain("Card No.:               xxxxxxxxxxxx8074");
    expect(texts).toContain("AID59= 081520");
    expect(block.lines.every(({ attribute }) => attribute === undefined)).toBe(true);
  });

  it("of what goes on and how it ends", () => {
    expect(capture("1680728162.647465000_pt_ecr.blob")).toEqual({
      type: "intermediateStatus",
      status: { code: 0x17, stage: undefined, removeCard: false, timeoutMinutes: undefined },
    });
    expect(capture("1680728165.827009000_pt_ecr.blob").type).toBe("completion");
    expect(capture("partial_reversal.blob")).toEqual({ type: "aborted", code: 0xb8, receipt: undefined });
  });

  it("come back byte for byte", () => {
    /** Bytes before the BMPs, by control field. */
    const head: Readonly<Record<number, number>> = { 1279: 1, 1536: 6, 1616: 3, 1566: 1 };
    for (const [name, hex] of Object.entries(CAPTURES)) {
      const apdu = decodeApdu(fromHex(hex));
      if (!apdu) throw new TypeError(name);
      const at = head[apdu.control] ?? 0;
      const { fields, rest } = splitBmps(apdu.data.subarray(at));
      expect(rest.length, name).toBe(0);
      expect(toHex(encodeApdu(apdu.control, apdu.data.subarray(0, at), encodeBmps(fields))), name).toBe(hex);
    }
  });
});

describe("status information", () => {
  it("of a payment in dong", () => {
    const sale = status("2700 04000000150000 490704 0b000012 370000 11 88000345 871234 17 0001 1940 29 12345678");
    expect(sale).toEqual({
      resultCode: 0,
      amount: 150_000,
      amountVnd: 150_000,
      currency: 704,
      trace: 12,
      originalTrace: 11,
      turnover: 345,
      receipt: 1234,
      cardSequence: 1,
      paymentType: 0x40,
      terminalId: "12345678",
      malformed: [],
      unparsedBytes: 0,
    });
  });

  it("is in dong where it says no currency, and in none where that cannot be read", () => {
    expect(status("04000000150000").amountVnd).toBe(150_000);
    expect(status("04000000150000490840")).not.toHaveProperty("amountVnd");
    expect(status("04000000150000 49ff04")).not.toHaveProperty("amountVnd");
  });

  it.each([
    ["a result code said twice", "2700 276c", { malformed: ["27"], unparsedBytes: 0 }],
    ["an amount that is no number", "2700 04a00000150000", { resultCode: 0, malformed: ["04"], unparsedBytes: 0 }],
    ["a receipt number that means none", "87ffff", { malformed: ["87"], unparsedBytes: 0 }],
    ["a time and a date that do not exist", "0c240000 0d0230 0d", { malformed: ["0c"], date: "02-30", unparsedBytes: 1 }],
    ["a thirteenth month", "0d1301", { malformed: ["0d"], unparsedBytes: 0 }],
    [
      "an unknown BMP before the result",
      "04000000150000 fe 2700",
      { amount: 150_000, amountVnd: 150_000, malformed: [], unparsedBytes: 3 },
    ],
    ["totals of another length", "60f0f0f100", { malformed: ["60"], unparsedBytes: 0 }],
    ["nothing", "", { malformed: [], unparsedBytes: 0 }],
  ])("leaves out %s", (_, hex, expected) => {
    expect(status(hex)).toEqual(expected);
  });

  it.each([
    ["4111111111111111", "************1111"],
    ["411111111111111f", "***********1111"],
    ["970422eeeeeeeeee002f", "****************002"],
    ["5eeeeeee", "********"],
  ])("has of card number %s only %s", (digits, masked) => {
    const size = digits.length / 2;
    const read = status(`22f${Math.floor(size / 10)}f${size % 10}${digits}`);
    expect(read.maskedPan).toBe(masked);
  });

  it("has no card number where it is too long for one, or no digits", () => {
    expect(status("22f1f14111111111111111111111")).toEqual({ malformed: ["22"], unparsedBytes: 0 });
    expect(status("22f0f2abcd")).toEqual({ malformed: ["22"], unparsedBytes: 0 });
  });

  it("has no card number in its texts either", () => {
    const text = asciiBytes("Card 4111111111111111 declined");
    const read = decodeStatusInformation(
      encodeBmps([
        { bmp: 0x3c, value: text },
        { bmp: 0x8b, value: text },
      ]),
    );
    expect([read.additionalText, read.cardName]).toEqual(new Array(2).fill("Card ************1111 declined"));
  });

  it("counts the totals of an end of day", () => {
    const scheme = (count: number, amount: string) => concatBytes([Uint8Array.of(count), fromHex(amount)]);
    const value = concatBytes([
      fromHex("00010023"),
      scheme(0, "000000000000"),
      scheme(2, "000000100000"),
      scheme(20, "000012000000"),
      ...new Array(3).fill(scheme(0, "000000000000")),
      scheme(200, "000000000001"),
    ]);
    const { totals } = decodeStatusInformation(encodeBmps([{ bmp: 0x60, value }]));
    expect(totals).toMatchObject({ firstReceipt: 1, lastReceipt: 23, count: 222, amount: 12_100_001 });
    expect(totals?.schemes.filter(({ count }) => count > 0)).toEqual([
      { scheme: "jcb", count: 2, amount: 100_000 },
      { scheme: "mastercard", count: 20, amount: 12_000_000 },
      { scheme: "other", count: 200, amount: 1 },
    ]);
    value[20] = 0xff;
    expect(decodeStatusInformation(encodeBmps([{ bmp: 0x60, value }])).malformed).toEqual(["60"]);
  });
});

describe("intermediate status", () => {
  it.each([
    ["0a", "present_card", false],
    ["01", "enter_pin", false],
    ["04", "authorising", false],
    ["05", "reversing_itself", false],
    ["0b", "remove_card", true],
    ["15", "wrong_pin", false],
    ["1c", undefined, false],
    ["1d", undefined, false],
    ["45", "reversing_itself", true],
    ["4b", "remove_card", true],
    ["5c", "remove_card", true],
    ["c7", undefined, false],
    ["ff", undefined, false],
  ])("%s is %s", (code, stage, removeCard) => {
    const message = decodeMessage(fromHex(`04ff01${code}`));
    expect(message.type === "intermediateStatus" && message.status).toMatchObject({ stage, removeCard, timeoutMinutes: undefined });
  });

  it.each([
    ["0a02", 2],
    ["0a06", 6],
    ["0a150603240107", 15],
    ["0a0600", undefined],
    ["0a0603240107", undefined],
  ])("%s has a time-out of %s minutes", (hex, timeoutMinutes) => {
    const message = decodeMessage(encodeApdu(0x04ff, fromHex(hex)));
    expect(message.type === "intermediateStatus" && message.status).toMatchObject({ stage: "present_card", timeoutMinutes });
  });
});

describe("messages", () => {
  it.each([
    ["800000", { type: "accepted" }],
    ["840000", { type: "accepted" }],
    ["846c00", { type: "refused", code: 0x6c }],
    ["061e016c", { type: "aborted", code: 0x6c, receipt: undefined }],
    ["061e04b4870012", { type: "aborted", code: 0xb4, receipt: 12 }],
    ["061e066f0978870012", { type: "aborted", code: 0x6f, receipt: 12 }],
    ["06d10340 4142", { type: "printLine", line: { attribute: 0x40, text: "AB" } }],
    ["06d10100", { type: "printLine", line: { attribute: 0, text: "" } }],
    [
      "060f0a 1900 2952523535 490704",
      { type: "completion", completion: { resultCode: undefined, statusByte: 0, terminalId: "52523535", currency: 704 } },
    ],
    ["061e00", { type: "other", control: 0x061e }],
    ["06d100", { type: "other", control: 0x06d1 }],
    ["04ff00", { type: "other", control: 0x04ff }],
    ["800001", { type: "other", control: 0x8000 }],
    ["040d00", { type: "other", control: 0x040d }],
    ["", { type: "other", control: 0 }],
  ])("%s", (hex, expected) => {
    expect(decodeMessage(fromHex(hex))).toEqual(expected);
  });

  it("of a receipt carry each line's attribute and no card number", () => {
    const lines = tlv(0x25, tlv(0x09, fromHex("80")), tlv(0x07, asciiBytes("PAN 4111111111111111")), tlv(0x07, fromHex("94")));
    expect(decodeMessage(encodeApdu(0x06d3, tlv(0x06, lines)))).toEqual({
      type: "printBlock",
      receiptType: undefined,
      lines: [
        { text: "PAN ************1111", attribute: 0x80 },
        { text: "ö", attribute: 0x80 },
      ],
    });
  });

  it("tell the terminal's version and state after a status enquiry", () => {
    const report = (hex: string) => decodeStatusReport(fromHex(hex));
    expect(report("f0f0f7322e31342e313500")).toEqual({ softwareVersion: "2.14.15", statusCode: 0 });
    expect(report(`f0f1f6${toHex(asciiBytes("4111111111111111"))}00`)?.softwareVersion).toBe("************1111");
    expect(report("dc")).toEqual({ softwareVersion: undefined, statusCode: 0xdc });
    expect(report("f0f0f131")).toBeUndefined();
    expect(report("")).toBeUndefined();
  });

  it("of any bytes are read without harm", () => {
    const control = fc.constantFrom(0x040f, 0x04ff, 0x060f, 0x061e, 0x06d1, 0x06d3, 0x8000, 0x8483, 0x0601);
    const body = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(...BMPS.keys()), fc.integer({ min: 0xf0, max: 0xf9 })), { maxLength: 120 });
    fc.assert(
      fc.property(control, body, fc.boolean(), (field, bytes, lies) => {
        const apdu = encodeApdu(field, Uint8Array.from(bytes));
        expect(decodeMessage(lies ? apdu.subarray(0, -1) : apdu).type).toEqual(expect.any(String));
        decodeStatusReport(Uint8Array.from(bytes));
      }),
      { numRuns: 500 },
    );
  });
});

describe("result codes", () => {
  it.each([
    [0x00, "approved"],
    [0x01, "declined"],
    [0x63, "declined"],
    [0x64, "card_refused"],
    [0x6c, "cancelled"],
    [0x78, "card_refused"],
    [0x7d, "communication"],
    [0x9a, "protocol"],
    [0x9c, "busy"],
    [0xa0, "busy"],
    [0xb4, "already_reversed"],
    [0xb5, "not_reversible"],
    [0xf0, "end_of_day_needed"],
    [0xff, "terminal_fault"],
    [0x80, "unknown"],
  ])("%i is %s", (code, meaning) => {
    expect(resultCode(code).meaning).toBe(meaning);
  });

  it("have one that is money", () => {
    const codes = Array.from({ length: 256 }, (_, code) => code);
    expect(codes.filter((code) => resultCode(code).meaning === "approved")).toEqual([0]);
  });
});
