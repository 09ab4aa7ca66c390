import { expect, it } from "vitest";
import { asciiBytes, concatBytes } from "../../../kernel/bytes.js";
import { jpeg, utf8 } from "./documents.test.support.js";
import { recognisePage } from "./page.js";

it("goes by what a page is, and wants it whole", () => {
  const png = concatBytes([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    new Uint8Array(9_000),
    asciiBytes("IEND"),
    new Uint8Array(4),
  ]);
  expect(recognisePage(jpeg())).toBe("image/jpeg");
  expect(recognisePage(concatBytes([jpeg(5_000), new Uint8Array(500)]))).toBe("image/jpeg");
  expect(recognisePage(png)).toBe("image/png");
  expect(recognisePage(concatBytes([asciiBytes("II*\0"), new Uint8Array(9)]))).toBe("image/tiff");
  expect(recognisePage(concatBytes([asciiBytes("MM\0*"), new Uint8Array(9)]))).toBe("image/tiff");
  for (const half of [jpeg(5_000).subarray(0, 3_000), png.subarray(0, 8_000), concatBytes([jpeg(5_000), new Uint8Array(2_000)])]) {
    expect(() => recognisePage(half)).toThrow(/cut off/);
  }
  for (const none of [new Uint8Array(), Uint8Array.of(0xff), utf8("%PDF-1.7"), utf8("<html>")])
    expect(() => recognisePage(none)).toThrow(/no picture/);
});
