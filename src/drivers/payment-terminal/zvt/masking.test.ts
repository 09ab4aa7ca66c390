import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tlv } from "../../../formats/tlv.js";
import { asciiBytes, fromHex, toHex } from "../../../kernel/bytes.js";
import { encodeApdu } from "./apdu.js";
import { BMPS, type BmpField, encodeBmps } from "./bmp.js";
import { endOfDay, registration, repeatReceipt, reversal, statusEnquiry } from "./commands.js";
import { maskApdu } from "./masking.js";
import { decodeMessage } from "./messages.js";
import { CAPTURES } from "./testing/captures.js";

const masked = (apdu: Uint8Array | string): string => toHex(maskApdu(typeof apdu === "string" ? fromHex(apdu) : apdu));

const PAN = "4929123456788769";
const PAN_ASCII = toHex(asciiBytes(PAN));
/** Everything of the card number but its last four digits, as it could stand in a trace. */
const TRACES = [PAN.slice(0, 12), PAN_ASCII.slice(0, 24)];
/** Also where nibbles are shifted by one, and for parts of it: six digits in a row, twelve of ASCII. */
const PARTS = TRACES.flatMap((trace, index) => {
  const size = index === 0 ? 7 : 14;
  return Array.from({ length: trace.length - size + 1 }, (_, at) => trace.slice(at, at + size)).filter(
    (_, at) => index === 0 || at % 2 === 0,
  );
});
const expectNoCard = (hex: string): void => expect(PARTS.filter((part) => hex.includes(part))).toEqual([]);

describe("passwords", () => {
  it.each([
    ["06 00", registration("192837", 0xde), "060006eeeeeede0704"],
    ["06 20", repeatReceipt("192837"), "062005eeeeee0303"],
    ["06 30", reversal("192837", 12), "063006eeeeee870012"],
    ["06 50", endOfDay("192837"), "065003eeeeee"],
    ["05 01", statusEnquiry({ password: "192837", service: 1 }), "050105eeeeee0301"],
    ["BMP 3D", fromHex("0601043d192837"), "0601043deeeeee"],
    ["a command that is not listed", fromHex("069506192837192837"), "069506eeeeeeeeeeee"],
    ["a cut-off 06 50", fromHex("0650021928"), "065002eeee"],
  ])("of %s are masked by their place", (_, apdu, hex) => {
    expect(masked(apdu)).toBe(hex);
  });
});

describe("card data", () => {
  it("of a captured payment: all but the last four digits, and what the page needs no trace for", () => {
    expect(masked(CAPTURES["1680728165.675509000_pt_ecr.blob"])).toBe(
      "040f5a2700040000000025004909780c2255580d040522f0f8eeeeeeeeeeee80748702313beeeeeeeeeeeeeeee0b000975196029525235350eeeee8a068c018bf1f1" +
        `${"ee".repeat(11)}2a${"ee".repeat(15)}`,
    );
  });

  it("of a captured card reading: its UID and what its chip said", () => {
    expect(masked(CAPTURES["1680728161.963129000_pt_ecr.blob"])).toBe(
      "040f35270006314c0aeeeeeeeeeeeeeeeeeeee1f4505eeeeeeeeee1f4c01ee1f4d02eeee1f4f02eeee1f5001ee60094307eeeeeeeeeeeeee",
    );
  });

  it("of a captured receipt: every line, not its shape", () => {
    const hex = masked(CAPTURES["1680728215.585561000_pt_ecr.blob"]);
    expect(hex).toContain("1f0701022582045507000728");
    expect(hex).toContain(`0728${"ee".repeat(40)}0728`);
    expect(hex.endsWith("0901ff")).toBe(true);
    expect(hex).not.toContain("38303734");
  });

  it.each([
    ["16 digits", "f0f84929123456788765", "f0f8eeeeeeeeeeee8765"],
    ["15 digits", "f0f8492912345678876f", "f0f8eeeeeeeeeee8876f"],
    ["19 digits", "f1f09704221234567887654f", "f1f0eeeeeeeeeeeeeee7654f"],
    ["9 digits", "f0f5123456789f", "f0f5eeeee6789f"],
    ["8 digits, too few to be one", "f0f412345678", "f0f4eeeeeeee"],
    ["22 digits, too many to be one", `f1f1${"12".repeat(11)}`, `f1f1${"ee".repeat(11)}`],
  ])("a number of %s", (_, bmp, expected) => {
    const apdu = encodeApdu(0x040f, fromHex(`22${bmp}`));
    expect(masked(apdu)).toBe(`${toHex(apdu.subarray(0, 4))}${expected}`);
  });

  it("in a print line, masked but for the attribute", () => {
    expect(masked(encodeApdu(0x06d1, fromHex("40"), asciiBytes(PAN)))).toBe(`06d11140${"ee".repeat(16)}`);
  });

  it.each([
    ["an unknown BMP", 0x040f, "2700 fe 4929123456788765", "2700eeeeeeeeeeeeeeeeee"],
    ["a container that lies", 0x040f, "0608 4929123456788765", "0608eeeeeeeeeeeeeeee"],
    ["a shown tag that is too long", 0x040f, "060a 1208 4929123456788765", "060a1208eeeeeeeeeeeeeeee"],
    ["a container in a container that lies", 0x040f, "060a 2508 4929123456788765", "060a2508eeeeeeeeeeeeeeee"],
    ["an unknown command", 0x04aa, "4929123456788765", "eeeeeeeeeeeeeeee"],
    ["the data of an answer", 0x8000, "4929123456788765", "eeeeeeeeeeeeeeee"],
    ["the software version", 0x060f, "f0f0f8 4929123456788765 00", "f0f0f8eeeeeeeeeeeeeeee00"],
    ["what follows an abort's code", 0x061e, "6c fe29123456788765", "6ceeeeeeeeeeeeeeee"],
    ["what follows an intermediate status", 0x04ff, "0a02 fe29123456788765", "0a02eeeeeeeeeeeeeeee"],
  ])("in %s", (_, control, data, expected) => {
    expect(masked(encodeApdu(control, fromHex(data)))).toBe(
      toHex(encodeApdu(control)).slice(0, 4) + fromHex(data).length.toString(16).padStart(2, "0") + expected,
    );
  });

  it("in what is no APDU: all but two bytes", () => {
    expect(masked("040f05492912345678")).toBe("040feeeeeeeeeeeeee");
    expect(masked("040f")).toBe("040f");
    expect(masked("04")).toBe("04");
    expect(masked("")).toBe("");
  });

  /** The card number as it could stand in a field: BCD, with any bytes around it, ASCII, or both tracks' ways. */
  const planted = fc.constantFrom(
    fromHex(PAN),
    asciiBytes(PAN),
    asciiBytes(`${PAN}=26121010000`),
    fromHex(`${PAN}d26121010000f`.padEnd(30, "f")),
    asciiBytes(`Card ${PAN} declined`),
  );
  const carriers = [...BMPS].filter(([, { length }]) => length === "ll" || length === "lll").map(([bmp]) => bmp);
  const honest: fc.Arbitrary<BmpField> = fc
    .constantFrom(0x27, 0x04, 0x0b, 0x0c, 0x0d, 0x29, 0x49, 0x87)
    .map((bmp) => ({ bmp, value: new Uint8Array(Number(BMPS.get(bmp)?.length)).fill(0x01) }));
  const inTlv = fc
    .tuple(planted, fc.constantFrom(0x07, 0x12, 0x1f08, 0x1f09, 0x1f1a, 0x46, 0x47, 0x5a, 0x9f6b, 0x43), fc.nat(3))
    .map(([value, tag, depth]) => {
      let nested = tlv(tag, value);
      for (let level = 0; level < depth; level++) nested = tlv(0x25, tlv(0x09, Uint8Array.of(1)), nested);
      return { bmp: 0x06, value: nested };
    });
  const card = fc.oneof(
    fc.tuple(fc.constantFrom(...carriers), planted).map(([bmp, value]) => ({ bmp, value })),
    inTlv,
  );

  it("planted anywhere comes out of no message, with the rest left as it was", () => {
    fc.assert(
      fc.property(
        fc.array(honest, { maxLength: 4 }),
        card,
        fc.array(honest, { maxLength: 4 }),
        fc.constantFrom(0x040f, 0x0601, 0x060f, 0x06d3),
        (before, field, after, control) => {
          const apdu = encodeApdu(control, encodeBmps([...before, field, ...after]));
          const out = maskApdu(apdu);
          expect(out).toHaveLength(apdu.length);
          expectNoCard(toHex(out));
          const clear = toHex(encodeBmps(before));
          expect(toHex(out.subarray(apdu[2] === 0xff ? 5 : 3)).startsWith(clear)).toBe(true);
          expect(toHex(out).endsWith(toHex(encodeBmps(after)))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("planted anywhere is in nothing that decoding hands out", () => {
    fc.assert(
      fc.property(card, fc.constantFrom(0x040f, 0x060f, 0x06d3, 0x061e), (field, control) => {
        const head = control === 0x061e ? [Uint8Array.of(0x6c)] : [];
        expect(JSON.stringify(decodeMessage(encodeApdu(control, ...head, encodeBmps([field]))))).not.toContain(PAN.slice(0, 12));
      }),
    );
  });

  it("of any bytes: the length stays, the input stays, and masking twice is masking once", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .tuple(fc.constantFrom(0x040f, 0x04ff, 0x0600, 0x060f, 0x061e, 0x06d1, 0x06d3), fc.uint8Array({ maxLength: 60 }))
        .map(([control, data]) => encodeApdu(control, data)),
    );
    fc.assert(
      fc.property(bytes, (apdu) => {
        const before = toHex(apdu);
        const once = maskApdu(apdu);
        expect(once).toHaveLength(apdu.length);
        expect(toHex(apdu)).toBe(before);
        expect(maskApdu(once)).toEqual(once);
      }),
      { numRuns: 500 },
    );
  });

  it("is the rule: these are the only BMPs that a trace shows in clear", () => {
    const clear = [...BMPS].filter(([, { trace }]) => trace === "shown").map(([bmp]) => bmp);
    expect(clear).toEqual([1, 2, 3, 4, 5, 0x0b, 0x0c, 0x0d, 0x17, 0x19, 0x27, 0x29, 0x37, 0x49, 0x87, 0x88, 0x8a, 0x8c, 0xa0, 0xaa]);
  });
});
