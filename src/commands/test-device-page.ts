import type { PrintBlock, PrintDocument } from "../protocol/printer.js";
import { rulerPng, wedgePng } from "./test-device-drawing.js";

/** What the test page's QR code says, and what the scanner's test expects: the one can be tried with the other. */
export const TEST_CODE = "STATIOND-TEST Đúng 0123456789";

const VOWELS = [..."aăâeêioôơuưy"];
/** None, huyền, sắc, hỏi, ngã, nặng. */
const TONES = ["", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"];

/** Every letter of Vietnamese that carries a mark, two vowels to a line, in small and capital letters. */
export function vietnameseLines(): string[] {
  const lower = VOWELS.map((vowel) => TONES.map((tone) => `${vowel}${tone}`.normalize("NFC")).join(" "));
  const pairs = lower.flatMap((letters, index) => (index % 2 === 0 ? [`${letters}  ${lower[index + 1] ?? ""}`] : []));
  return [...pairs, ...pairs.map((line) => line.toUpperCase()), "đ Đ  Nghiêng ngả, phượng hoàng, khuỷu tay, quẫy"];
}

export interface PageFacts {
  readonly device: string;
  readonly widthDots: number;
  readonly printedAt: Date;
  readonly version: string;
}

/** What a technician looks at: letters, length, greys, a code, both margins. */
export function testPage({ device, widthDots, printedAt, version }: PageFacts): PrintDocument {
  const image = (png: Uint8Array, dither: boolean): PrintBlock => ({
    type: "image",
    mediaType: "image/png",
    base64: Buffer.from(png).toString("base64"),
    dither,
  });
  return {
    title: "test page",
    blocks: [
      { type: "text", text: "TRANG IN THỬ", align: "center", size: 2, bold: true },
      { type: "text", text: `${device}, ${printedAt.toISOString().slice(0, 16)}Z, stationd ${version}`, align: "center" },
      { type: "rule", line: "solid" },
      ...vietnameseLines().map((text): PrintBlock => ({ type: "text", text })),
      { type: "rule", line: "dashed" },
      { type: "text", text: "mm" },
      image(rulerPng(widthDots), false),
      image(wedgePng(widthDots), true),
      {
        type: "columns",
        columns: [
          { text: "|<", align: "left" },
          { text: ">|", align: "right" },
        ],
      },
      { type: "qr", data: TEST_CODE, align: "center" },
      { type: "feed", lines: 2 },
    ],
  };
}
