import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tlv } from "../../formats/tlv.js";
import { asciiBytes, concatBytes, fromHex, toHex } from "../../kernel/bytes.js";
import { DeviceError } from "../../kernel/errors.js";
import { parseDg11, parseDg12 } from "./additional-details.js";
import { parseCom } from "./com.js";
import { parseDg1 } from "./dg1.js";
import { parseDg2 } from "./dg2.js";
import { parseDg15 } from "./dg15.js";
import { listedDataGroups } from "./security-object.js";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
const u32 = (value: number): Uint8Array => concatBytes([u16(value >>> 16), u16(value & 0xffff)]);

const JPEG = fromHex("ffd8ffe000104a464946");
const JP2 = fromHex("0000000c6a5020200d0a870a");
const J2K = fromHex("ff4fff51002f0000");

/** ISO 19794-5 record of one face. */
function faceRecord(image: Uint8Array, points = 0, length = 20 + 8 * points + 12 + image.length): Uint8Array {
  const face = concatBytes([u32(length), u16(points), new Uint8Array(14 + 8 * points), new Uint8Array(12), image]);
  return concatBytes([asciiBytes("FAC\x00010\x00"), u32(14 + face.length), u16(1), face]);
}
const template = (body: Uint8Array): Uint8Array => tlv(0x7f60, tlv(0xa1, fromHex("8002010181010287020101880200 08")), body);
const dg2 = (...templates: Uint8Array[]): Uint8Array => tlv(0x75, tlv(0x7f61, fromHex("020101"), ...templates));

describe("DG2", () => {
  it.each([
    ["jpeg", JPEG],
    ["jp2", JP2],
    ["j2k", J2K],
  ] as const)("holds a %s, with or without points in the face", (format, image) => {
    for (const points of [0, 1, 40]) {
      const portrait = parseDg2(dg2(template(tlv(0x5f2e, faceRecord(image, points)))));
      expect(portrait.format).toBe(format);
      expect(toHex(portrait.image)).toBe(toHex(image));
    }
    expect(parseDg2(dg2(template(tlv(0x7f2e, faceRecord(image))))).format).toBe(format);
    expect(parseDg2(dg2(template(tlv(0x5f2e, image)))).format).toBe(format);
    const nested = tlv(0x7f2e, tlv(0xa1, tlv(0xa0, fromHex("800103"), tlv(0xa1, tlv(0x81, image)))));
    expect(toHex(parseDg2(dg2(template(nested))).image)).toBe(toHex(image));
  });

  it("of several faces gives the first", () => {
    const two = dg2(template(tlv(0x5f2e, faceRecord(J2K))), template(tlv(0x5f2e, faceRecord(JPEG))));
    expect(parseDg2(two).format).toBe("j2k");
    const trailing = concatBytes([faceRecord(JP2), faceRecord(JPEG).subarray(14)]);
    expect(toHex(parseDg2(dg2(template(tlv(0x5f2e, trailing)))).image)).toBe(toHex(JP2));
  });

  it("is cut to what is there where a length lies", () => {
    expect(toHex(parseDg2(dg2(template(tlv(0x5f2e, faceRecord(JPEG, 0, 0xffffffff))))).image)).toBe(toHex(JPEG));
    expect(() => parseDg2(dg2(template(tlv(0x5f2e, faceRecord(JPEG, 0, 3)))))).toThrow(DeviceError);
    const points = faceRecord(JPEG);
    points.set([0xff, 0xff], 18);
    expect(() => parseDg2(dg2(template(tlv(0x5f2e, points))))).toThrow(DeviceError);
  });

  it("without an image, or nested endlessly, is malformed", () => {
    let deep = tlv(0x81, JPEG);
    for (let level = 0; level < 40; level++) deep = tlv(0xa1, deep);
    for (const body of [tlv(0x7f2e, deep), tlv(0x5f2e, asciiBytes("GIF89a")), tlv(0x5f2e, new Uint8Array())]) {
      expect(() => parseDg2(dg2(template(body)))).toThrow(expect.objectContaining({ kind: "card_error", details: { file: "DG2" } }));
    }
  });
});

describe("text", () => {
  it("of DG1 in each format", () => {
    const line = "IDVNM0012345674001001234567<<8";
    const [second, third] = ["0101011M9912317VNM<<<<<<<<<<<2", "NGUYEN<<VAN<AN<<<<<<<<<<<<<<<<"];
    const td1 = line + second + third;
    expect(parseDg1(tlv(0x61, tlv(0x5f1f, asciiBytes(td1))))).toMatchObject({ format: "td1", text: td1, lines: [line, second, third] });
    expect(parseDg1(tlv(0x61, tlv(0x5f1f, asciiBytes("<".repeat(72)))))).toMatchObject({
      format: "td2",
      lines: ["<".repeat(36), "<".repeat(36)],
    });
    for (const bad of ["<".repeat(89), `${td1.slice(1)}a`, ""]) {
      expect(() => parseDg1(tlv(0x61, tlv(0x5f1f, asciiBytes(bad)))), bad).toThrow(expect.objectContaining({ kind: "card_error" }));
    }
  });

  it("never stands in an error", () => {
    const secret = "IDVNMSECRET";
    try {
      parseDg1(tlv(0x61, tlv(0x5f1f, asciiBytes(secret))));
      expect.unreachable();
    } catch (thrown) {
      expect(JSON.stringify([thrown, String(thrown), (thrown as Error).cause])).not.toContain("SECRET");
    }
  });

  it("of DG11 and DG12 by name", () => {
    const dg11 = tlv(
      0x6b,
      tlv(0x5c, fromHex("5f0e5f2b5f11")),
      tlv(0x5f0e, utf8("Nguyễn<<Văn\u0007An")),
      tlv(0xa0, fromHex("020102"), tlv(0x5f0f, utf8("An")), tlv(0x5f0f, utf8("Ân"))),
      tlv(0x5f2b, fromHex("20010203")),
      tlv(0x5f11, Uint8Array.of(0x41, 0xe9)),
      tlv(0x5f16, JPEG),
      tlv(0x5f42, utf8("ă".repeat(5_000))),
    );
    const { address, ...fields } = parseDg11(dg11);
    expect(fields).toEqual({ fullName: "Nguyễn<<Văn An", otherName1: "An", otherName2: "Ân", birthDate: "20010203", placeOfBirth: "Aé" });
    expect(address).toBe("ă".repeat(1_024));
    const dg12 = tlv(0x6c, tlv(0x5f19, asciiBytes("UTOPIA")), tlv(0x5f26, asciiBytes("20240101")), tlv(0x5f55, fromHex("20240101120000")));
    expect(parseDg12(dg12)).toEqual({ issuingAuthority: "UTOPIA", issueDate: "20240101", personalizedAt: "20240101120000" });
    expect(() => parseDg12(dg11)).toThrow(DeviceError);
  });

  it("of EF.COM lists what the chip says it has", () => {
    const com = tlv(0x60, tlv(0x5f01, asciiBytes("0107")), tlv(0x5f36, asciiBytes("040000")), tlv(0x5c, fromHex("6175636d6e6f99")));
    expect(parseCom(com)).toEqual({ ldsVersion: "0107", dataGroups: [1, 2, 3, 13, 14, 15] });
    expect(() => parseCom(fromHex("61015c"))).toThrow(DeviceError);
  });

  it("is no key: DG15", () => {
    expect(toHex(parseDg15(fromHex("6f0430020500")))).toBe("30020500");
    expect(() => parseDg15(fromHex("6f0431020500"))).toThrow(expect.objectContaining({ kind: "card_error" }));
  });
});

describe("hostile files", () => {
  const good = [
    dg2(template(tlv(0x5f2e, faceRecord(JPEG, 2)))),
    dg2(template(tlv(0x7f2e, tlv(0xa1, tlv(0x81, JP2))))),
    tlv(0x6b, tlv(0x5f0e, utf8("Nguyễn Văn An")), tlv(0xa0, fromHex("020101"), tlv(0x5f0f, utf8("An")))),
    tlv(0x61, tlv(0x5f1f, asciiBytes("<".repeat(90)))),
    tlv(0x60, tlv(0x5c, fromHex("6175"))),
  ];
  const parsers = [parseDg1, parseDg2, parseDg11, parseDg12, parseDg15, parseCom];

  it("are understood, or are a card_error", () => {
    const changed = fc
      .tuple(fc.constantFrom(...good), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 5 }), fc.nat(400))
      .map(([file, changes, length]) => {
        const copy = file.slice(0, length);
        for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
        return copy;
      });
    let understood = 0;
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 300 })), (file) => {
        listedDataGroups(file);
        for (const parse of parsers) {
          try {
            const read = parse(file);
            expect(JSON.stringify(read).length).toBeLessThan(40 * file.length + 100);
            understood++;
          } catch (thrown) {
            expect(thrown).toMatchObject({ kind: "card_error" });
          }
        }
      }),
    );
    expect(understood).toBeGreaterThan(0);
  });
});
