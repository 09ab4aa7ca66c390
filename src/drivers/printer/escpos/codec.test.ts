import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { receiptPrinter } from "../../../../simulators/receipt-printer/index.js";
import { createHost, settle } from "../../../../simulators/testing.js";
import { asciiBytes, concatBytes, fromHex, toHex } from "../../../kernel/bytes.js";
import { manualClock } from "../../../kernel/clock.js";
import { seededRandom } from "../../../kernel/random.js";
import { encodeText } from "./code-page.js";
import {
  AUTO_STATUS_ON,
  askCounter,
  askProcessId,
  askStatus,
  kickDrawer,
  nativeBarcode,
  nativeQr,
  RASTER_HEADER_BYTES,
  raster,
} from "./codec.js";
import { encode } from "./encoder.js";
import { createReplySorter, type Reply } from "./replies.js";

const hex = (bytes: Uint8Array): string => toHex(bytes);

describe("commands, byte for byte", () => {
  it("status, confirmation, counter, drawer", () => {
    expect(hex(askStatus(4))).toBe("100404");
    expect(hex(AUTO_STATUS_ON)).toBe("1d610f");
    expect(hex(askProcessId("AB12"))).toBe("1d284806003030" + "41423132");
    expect(hex(askCounter(178))).toBe("1d673200b200");
    // The library sends C3 BA for the last byte.
    expect(hex(kickDrawer(2))).toBe("1b700019fa");
  });
  it("QR model 2: size, correction, data, print", () => {
    const qr = nativeQr(asciiBytes("HS"), 6, "M");
    expect(hex(qr)).toBe("1d286b0400314132001d286b03003143061d286b03003145311d286b050031503048531d286b0300315130");
  });
  it("Code 128 says its set and doubles braces", () => {
    const bytes = nativeBarcode({ symbology: "code128", data: "A{1", heightDots: 80, moduleDots: 2, label: true });
    expect(hex(bytes)).toBe("1d68501d77021d4802" + "1d6b4906" + "7b42417b7b31");
  });
  it("the fenced library encodes initialisation and cut", () => {
    expect(hex(encode((encoder) => encoder.cut(true, 4)))).toMatch(/1d56/);
  });
});

describe("raster", () => {
  const bitmaps = fc
    .record({ stride: fc.integer({ min: 1, max: 72 }), heightDots: fc.integer({ min: 1, max: 300 }), seed: fc.nat() })
    .map(({ stride, heightDots, seed }) => {
      const random = seededRandom(seed);
      // Mostly the bytes that a printer must not see together.
      const bits = Uint8Array.from(
        { length: stride * heightDots },
        () => [0x10, 0x04, 0x05, 0x14, 0x00, 0xff][Math.floor(random.fraction() * 6)] ?? 0,
      );
      return { widthDots: stride * 8, heightDots, bits };
    });
  it("holds no real-time command, covers every row once, and only ever adds dots", () => {
    fc.assert(
      fc.property(bitmaps, fc.integer({ min: 8, max: 128 }), (bitmap, bandRows) => {
        const bytes = concatBytes(raster(bitmap, bandRows));
        const stride = bitmap.widthDots / 8;
        let rows = 0;
        for (let at = 0; at < bytes.length; ) {
          expect([...bytes.subarray(at, at + 4)]).toEqual([0x1d, 0x76, 0x30, 0]);
          const width = (bytes[at + 4] ?? 0) + 256 * (bytes[at + 5] ?? 0);
          const height = (bytes[at + 6] ?? 0) + 256 * (bytes[at + 7] ?? 0);
          expect(height).toBeLessThanOrEqual(bandRows);
          const body = bytes.subarray(at + RASTER_HEADER_BYTES, at + RASTER_HEADER_BYTES + width * height);
          expect(hex(body).match(/^(..)*?10(04|05|14)/)).toBeNull();
          for (let row = 0; row < height; row++) {
            for (let column = 0; column < stride; column++) {
              const wanted = bitmap.bits[(rows + row) * stride + column] ?? 0;
              const sent = column < width ? (body[row * width + column] ?? 0) : 0;
              expect(sent & wanted).toBe(wanted);
            }
          }
          rows += height;
          at += RASTER_HEADER_BYTES + width * height;
        }
        expect(rows).toBe(bitmap.heightDots);
      }),
      { numRuns: 30 },
    );
  });
});

describe("what comes back, sorted", () => {
  const all = (bytes: Uint8Array, cuts: readonly number[] = []): Reply[] => {
    const sorter = createReplySorter();
    const replies: Reply[] = [];
    let start = 0;
    for (const size of [...cuts, bytes.length]) {
      replies.push(...sorter.push(bytes.subarray(start, start + size)));
      start += size;
    }
    return replies;
  };
  it("any bytes in any chunks: no throw, and the same replies however they were cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 100 }), (bytes, cuts) => {
        expect(all(bytes, cuts)).toEqual(all(bytes));
      }),
      { numRuns: 500 },
    );
  });
  it("knows each kind, with flow control and status in between", () => {
    expect(all(fromHex("3722 41424344 00"))).toEqual([{ type: "process_id", id: "ABCD" }]);
    expect(all(fromHex("3722 41 13 42 11 4344 00"))).toEqual([
      { type: "flow", on: false },
      { type: "flow", on: true },
      { type: "process_id", id: "ABCD" },
    ]);
    expect(all(fromHex("5f 3137 00"))).toEqual([{ type: "text", text: "17" }]);
    expect(all(fromHex("16"))).toEqual([{ type: "status", byte: 0x16 }]);
    expect(all(fromHex("14000000"))).toEqual([{ type: "auto_status", bytes: [0x14, 0, 0, 0] }]);
    expect(all(fromHex("14 12 000000"))).toEqual([
      { type: "status", byte: 0x12 },
      { type: "auto_status", bytes: [0x14, 0, 0, 0] },
    ]);
  });
});

describe("code pages", () => {
  const tones = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"];
  const small = [...[..."aăâeêioôơuưy"].flatMap((vowel) => tones.map((tone) => (vowel + tone).normalize("NFC"))), "đ"].filter(
    (letter) => letter > "\u007f",
  );
  /** What a printer of the same page makes of it: another reading of the same tables. */
  const printed = async (page: number, bytes: Uint8Array): Promise<string> => {
    const printer = receiptPrinter.create(receiptPrinter.options.parse({}), {
      clock: manualClock(),
      random: seededRandom(1),
      changed() {},
    });
    const host = createHost();
    printer.attach(host.farEnd);
    host.send(concatBytes([Uint8Array.of(0x1b, 0x74, page), bytes, Uint8Array.of(0x0a, 0x1d, 0x56, 0)]));
    await settle();
    const text = printer.receipts[0]?.texts ?? "";
    await printer.close();
    return text.normalize("NFC");
  };
  it("CP1258 carries all 134 letters, and never a control byte or a question mark", async () => {
    const letters = [...small, ...small.map((letter) => letter.toUpperCase())];
    expect(letters).toHaveLength(134);
    for (const letter of letters) {
      const bytes = encodeText(letter, "cp1258");
      expect(bytes, letter).toBeDefined();
      expect(
        [...(bytes ?? [])].every((byte) => byte >= 0x20 && byte !== 0x3f),
        letter,
      ).toBe(true);
      expect(await printed(52, bytes ?? new Uint8Array()), letter).toBe(letter);
    }
  });
  it("TCVN-3 carries the small letters, and says of toned capitals that it cannot", async () => {
    for (const letter of small) expect(await printed(30, encodeText(letter, "tcvn3") ?? new Uint8Array()), letter).toBe(letter);
    expect(encodeText("Ế", "tcvn3")).toBeUndefined();
  });
});
