import type { PrintBlock, PrintDocument } from "../protocol/printer.js";

/** What the test page's QR code says, and what the scanner's test expects: the one can be tried with the other. */
export const TEST_CODE = "STATIOND-TEST Đúng 0123456789";

/** 80 mm of paper at 203 dpi; where a printer does not tell. */
const USUAL_WIDTH_DOTS = 576;
const MOST_WIDTH_DOTS = 1_024;

const VOWELS = [..."aăâeêioôơuưy"];
/** None, huyền, sắc, hỏi, ngã, nặng. */
const TONES = ["", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"];

/** Every letter of Vietnamese that carries a mark, two vowels to a line, in small and capital letters. */
export function vietnameseLines(): string[] {
  const lower = VOWELS.map((vowel) => TONES.map((tone) => `${vowel}${tone}`.normalize("NFC")).join(" "));
  const pairs = lower.flatMap((letters, index) => (index % 2 === 0 ? [`${letters}  ${lower[index + 1] ?? ""}`] : []));
  return [...pairs, ...pairs.map((line) => line.toUpperCase()), "đ Đ  Nghiêng ngả, phượng hoàng, khuỷu tay, quẫy"];
}

/** How wide the page is drawn, by what a printer says of itself. */
export function pageWidthDots(capabilities: Readonly<Record<string, unknown>>): number {
  return typeof capabilities.widthDots === "number" ? Math.min(MOST_WIDTH_DOTS, capabilities.widthDots) : USUAL_WIDTH_DOTS;
}

export interface PageFacts {
  readonly device: string;
  readonly printedAt: Date;
  readonly version: string;
  /** `ruler` and `wedge` of the paper's width as PNG, in base64. */
  readonly ruler: string;
  readonly wedge: string;
}

/** What a technician looks at: letters, length, greys, a code, both margins. */
export function testPage({ device, printedAt, version, ruler, wedge }: PageFacts): PrintDocument {
  const image = (base64: string, dither: boolean): PrintBlock => ({ type: "image", mediaType: "image/png", base64, dither });
  return {
    title: "test page",
    blocks: [
      { type: "text", text: "TRANG IN THỬ", align: "center", size: 2, bold: true },
      { type: "text", text: `${device}, ${printedAt.toISOString().slice(0, 16)}Z, stationd ${version}`, align: "center" },
      { type: "rule", line: "solid" },
      ...vietnameseLines().map((text): PrintBlock => ({ type: "text", text })),
      { type: "rule", line: "dashed" },
      { type: "text", text: "mm" },
      image(ruler, false),
      image(wedge, true),
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

export const LOOK_AT_PAPER =
  "Look at the paper: letters with all their marks, |< and >| at the margins, eight steps from white to black, the ruler as long as a real one, the code readable.";

/** What to do where the paper does not look right. */
export const PAPER_ADVICE: readonly string[] = [
  "Margins cut or ruler too short: widthDots of the device. Pale or striped: clean the head, other paper.",
  "Marks missing: another profile of the driver (stationd config reference).",
];
