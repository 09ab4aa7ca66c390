import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, toHex } from "../kernel/bytes.js";
import { findTlv, readTlv, readTlvs, TlvError, tlv, tlvHeader, unwrapTlv } from "./tlv.js";

/** Tags of one to three bytes, well formed (ISO 7816-4 §5.2.2.1). */
const tag = fc.oneof(
  fc.integer({ min: 0, max: 0xff }).filter((one) => (one & 0x1f) !== 0x1f),
  fc.tuple(fc.nat(7), fc.integer({ min: 0x1f, max: 0x7f })).map(([kind, low]) => ((kind << 5) | 0x1f) * 0x100 + low),
  fc
    .tuple(fc.nat(7), fc.integer({ min: 0x81, max: 0xff }), fc.nat(0x7f))
    .map(([kind, mid, low]) => (((kind << 5) | 0x1f) << 16) + mid * 0x100 + low),
);

describe("TLV", () => {
  it.each([
    ["5f1f0141", 0x5f1f, "41"],
    ["7f61020400", 0x7f61, "0400"],
    ["04", undefined, ""],
    ["3003020101ffff", 0x30, "020101"],
    ["30820003020101", 0x30, "020101"],
    ["30840000000141", 0x30, "41"],
    ["df8101020102", 0xdf8101, "0102"],
  ])("%s is read", (hex, expected, value) => {
    const bytes = fromHex(hex);
    if (expected === undefined) return expect(() => readTlv(bytes)).toThrow(TlvError);
    expect({ tag: readTlv(bytes).tag, value: toHex(readTlv(bytes).value) }).toEqual({ tag: expected, value });
  });

  it.each([
    ["an indefinite length", "30800000"],
    ["a length of five bytes", "30850000000001ff"],
    ["a tag of four bytes", "7f8181010100"],
    ["a value that is cut off", "300502"],
    ["a length that is cut off", "3082ff"],
    ["a length of four gigabytes", "3084ffffffff00"],
    ["a tag that is cut off", "7f"],
    ["nothing", ""],
  ])("%s is refused", (_, hex) => {
    expect(() => readTlv(fromHex(hex))).toThrow(TlvError);
  });

  it("is refused where one value holds more objects than any file of this field", () => {
    expect(readTlvs(new Uint8Array(2 * 1_024))).toHaveLength(1_024);
    expect(() => readTlvs(new Uint8Array(2 * 1_025))).toThrow(TlvError);
  });

  it("is found by tag and unwrapped by the right one only", () => {
    const objects = readTlvs(fromHex("800101810102800103"));
    expect(objects.map((object) => object.tag)).toEqual([0x80, 0x81, 0x80]);
    expect(findTlv(objects, 0x80)).toEqual(Uint8Array.of(1));
    expect(findTlv(objects, 0x82)).toBeUndefined();
    expect(unwrapTlv(fromHex("7c0101"), 0x7c)).toEqual(Uint8Array.of(1));
    expect(() => unwrapTlv(fromHex("7c0101"), 0x7d)).toThrow(TlvError);
  });

  it("of any tag and value comes back as it was written, from any offset", () => {
    const length = fc.oneof(fc.nat(300), fc.constantFrom(127, 128, 255, 256, 65_535, 65_536, 70_000));
    fc.assert(
      fc.property(tag, length, fc.nat(255), fc.uint8Array({ maxLength: 9 }), fc.nat(3), (written, size, fill, after, cut) => {
        const value = new Uint8Array(size).fill(fill);
        const object = tlv(written, value.subarray(0, size >> 1), value.subarray(size >> 1));
        const read = readTlv(concatBytes([after, object, after]), after.length);
        expect(read.tag).toBe(written);
        expect(Buffer.compare(read.value, value)).toBe(0);
        expect(Buffer.compare(read.raw, object)).toBe(0);
        expect(tlvHeader(object)).toEqual({ tag: written, valueAt: object.length - size, end: object.length });
        if (object.length > cut + 1) expect(() => readTlv(object.subarray(0, object.length - 1 - cut))).toThrow(TlvError);
      }),
    );
  });

  it("a header that has not come whole is undefined, byte for byte", () => {
    fc.assert(
      fc.property(tag, fc.constantFrom(1, 127, 128, 256, 65_536), (written, size) => {
        const object = tlv(written, new Uint8Array(size));
        for (let had = 0; had < object.length - size; had++) expect(tlvHeader(object.subarray(0, had))).toBeUndefined();
      }),
    );
  });

  it("any bytes are objects that make up the whole, or a TlvError", () => {
    const nested = fc.tuple(tag, fc.uint8Array({ maxLength: 30 })).map(([outer, value]) => tlv(outer, value));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.array(nested).map(concatBytes)), (bytes) => {
        try {
          const objects = readTlvs(bytes);
          expect(toHex(concatBytes(objects.map(({ raw }) => raw)))).toBe(toHex(bytes));
          for (const { raw, value } of objects) expect(raw.length).toBeGreaterThan(value.length);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(TlvError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
