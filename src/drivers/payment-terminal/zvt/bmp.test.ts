import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tlv } from "../../../formats/tlv.js";
import { concatBytes, fromHex, toHex } from "../../../kernel/bytes.js";
import { BMPS, type BmpField, encodeBmps, leadingLllVar, splitBmps, tlvLeaves } from "./bmp.js";
import { decodeDigits, decodeNumber, decodeText, encodeNumber } from "./values.js";

const split = (hex: string): { fields: string[]; rest: string } => {
  const { fields, rest } = splitBmps(fromHex(hex));
  return { fields: fields.map(({ bmp, value }) => `${bmp.toString(16)}:${toHex(value)}`), rest: toHex(rest) };
};

/** Any BMPs of the table, as long as each may be. */
const anyFields = fc.array(
  fc.constantFrom(...BMPS.entries()).chain(([bmp, { length }]) => {
    const most = length === "ll" ? 99 : length === "lll" ? 400 : 300;
    const bounds = typeof length === "number" ? { minLength: length, maxLength: length } : { maxLength: most };
    return fc.uint8Array(bounds).map((value): BmpField => ({ bmp, value }));
  }),
  { maxLength: 8 },
);

describe("BMPs", () => {
  it.each([
    ["270004000000002500", ["27:00", "4:000000002500"], ""],
    ["22f0f8559883eeeeee8074870231", ["22:559883eeeeee8074", "87:0231"], ""],
    ["22f0f0", ["22:"], ""],
    ["3cf0f0f2414287ffff", ["3c:4142", "87:ffff"], ""],
    ["06031f0701", ["6:1f0701"], ""],
    ["0681022400 2700", ["6:2400", "27:00"], ""],
    ["068200022400", ["6:2400"], ""],
  ])("%s", (hex, fields, rest) => {
    expect(split(hex)).toEqual({ fields, rest });
  });

  it.each([
    ["an unknown one", "2700 fe 0400", ["27:00"], "fe0400"],
    ["a value that is cut off", "2700 040000", ["27:00"], "040000"],
    ["a length that is no digits", "22f0fa00", [], "22f0fa00"],
    ["a length that is cut off", "3cf0f0", [], "3cf0f0"],
    ["a value shorter than its length", "22f9f900", [], "22f9f900"],
    ["a container of unknown length", "068000", [], "068000"],
    ["a container longer than the message", "0684ffffffff", [], "0684ffffffff"],
  ])("end at %s, and all after it is kept as it came", (_, hex, fields, rest) => {
    expect(split(hex)).toEqual({ fields, rest });
  });

  it("of any values come back as they were written", () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        expect(splitBmps(encodeBmps(fields))).toEqual({ fields, rest: new Uint8Array() });
      }),
    );
  });

  it("of any bytes are split without harm, and none is lost", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const { fields, rest } = splitBmps(bytes);
        const size = fields.reduce((sum, { value }) => sum + value.length, 0);
        expect(size + rest.length).toBeLessThanOrEqual(bytes.length);
        expect(toHex(bytes).endsWith(toHex(rest))).toBe(true);
      }),
    );
  });

  it("are no more than an honest message has", () => {
    const { fields, rest } = splitBmps(new Uint8Array(60_000).fill(0x01));
    expect([fields.length, rest.length]).toEqual([256, 60_000 - 512]);
  });

  it("show nothing that is long enough for a card number", () => {
    for (const [bmp, { trace, length }] of BMPS) if (trace === "shown") expect(length, bmp.toString(16)).toBeLessThanOrEqual(6);
    expect([0x22, 0x23, 0x24, 0x2d, 0x3a, 0x0e, 0x3c, 0x3d].map((bmp) => BMPS.get(bmp)?.trace)).toEqual([
      "pan",
      ...new Array(7).fill("masked"),
    ]);
  });
});

describe("containers", () => {
  it("give their leaves in order, however deep", () => {
    const leaves = tlvLeaves(fromHex("1f0701022509070141090180070142410106"));
    expect(leaves.map(({ tag, value }) => `${tag.toString(16)}:${toHex(value)}`)).toEqual(["1f07:02", "7:41", "9:80", "7:42", "41:06"]);
  });

  it("that lie are told, and the others are read on", () => {
    const broken: string[] = [];
    const leaves = tlvLeaves(fromHex("2503070541 070142"), (value) => broken.push(toHex(value)));
    expect({ leaves: leaves.map(({ value }) => toHex(value)), broken }).toEqual({ leaves: ["42"], broken: ["070541"] });
  });

  it("are read only so deep", () => {
    let nested: Uint8Array = tlv(0x07, fromHex("41"));
    for (let level = 0; level < 7; level++) nested = tlv(0x25, nested);
    expect(tlvLeaves(nested)).toHaveLength(1);
    expect(tlvLeaves(tlv(0x25, nested))).toEqual([]);
    for (let level = 0; level < 5_000; level++) nested = tlv(0x25, nested);
    expect(tlvLeaves(nested)).toEqual([]);
  });
});

describe("values", () => {
  it("of three digits of length stand without a number", () => {
    const found = leadingLllVar(fromHex("f0f0f7322e31342e313500"));
    expect(found && [decodeText(found.value), toHex(found.rest)]).toEqual(["2.14.15", "00"]);
    for (const hex of ["", "f0f0", "f0f0f1", "1900f0", "f0f0fa"]) expect(leadingLllVar(fromHex(hex)), hex).toBeUndefined();
  });

  it("of BCD are numbers, or nothing", () => {
    expect(decodeNumber(fromHex("000000002500"))).toBe(2500);
    expect(decodeNumber(fromHex("999999999999"))).toBe(999_999_999_999);
    for (const hex of ["", "ffff", "00a0", "1e"]) expect(decodeNumber(fromHex(hex)), hex).toBeUndefined();
    expect(decodeDigits(fromHex("0012"))).toBe("0012");
    expect(toHex(encodeNumber(150_000, 6))).toBe("000000150000");
    expect(() => encodeNumber(10_000, 2)).toThrow();
    expect(() => encodeNumber(-1, 2)).toThrow();
  });

  it("of text are of code page 437, without what controls a printer", () => {
    expect(decodeText(fromHex("1b40 4d9a 8194 e1 7f 20 00"))).toBe(" @MÜüöß");
    expect(decodeText(concatBytes([Uint8Array.of(0x80), Uint8Array.of(0xfe)]))).toBe("Ç■");
  });
});
