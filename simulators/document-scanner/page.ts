import { createRequire } from "node:module";
import { createCanvas, GlobalFonts, type SKRSContext2D } from "@napi-rs/canvas";
import { asciiBytes, concatBytes } from "../../src/kernel/bytes.js";
import type { Page } from "./options.js";

const JPEG_QUALITY = 85;
const MM_PER_INCH = 25.4;
/** Pages that were drawn before, as JPEG: what a test scans again and again. */
const MOST_KEPT = 4;

/** What a page is scanned with. Millimetres of the glass. */
export interface Window {
  readonly resolutionDpi: number;
  readonly leftMm: number;
  readonly topMm: number;
  readonly widthMm: number;
  readonly heightMm: number;
  readonly mode: "color" | "gray";
}

/** The row of squares that says a page's number: most significant bit left, black is 1. Near the middle, where skew moves it little. */
export const SQUARES = { count: 8, sideMm: 8, pitchMm: 10, yMm: 150 } as const;

const LIDS = { white: "#f6f5f2", gray: "#8c8c8c", black: "#1c1c1c" } as const;
export type Lid = keyof typeof LIDS;

/** Neither subset alone has all Vietnamese letters, so each is a family of its own and the list falls through. */
const FAMILIES = ["latin", "latin-ext", "vietnamese"].flatMap((subset) =>
  [400, 700].map((weight) => ({ family: `scanner simulator ${subset} ${weight}`, weight, file: `${subset}-${weight}` })),
);
const fontOf = (sizeMm: number, weight: 400 | 700 = 400): string =>
  `${sizeMm}px ${FAMILIES.filter((one) => one.weight === weight)
    .map(({ family }) => `"${family}"`)
    .join(", ")}`;

function registerFonts(): void {
  const { resolve } = createRequire(import.meta.url);
  for (const { family, file } of FAMILIES) {
    if (!GlobalFonts.has(family))
      GlobalFonts.registerFromPath(resolve(`@fontsource/be-vietnam-pro/files/be-vietnam-pro-${file}-normal.woff2`), family);
  }
}

/** Draws pages when they are scanned, and keeps a few. */
export function createPages(lid: Lid): (page: Page & { readonly number: number }, window: Window) => Promise<Uint8Array> {
  const kept = new Map<string, Promise<Uint8Array>>();
  return (page, window) => {
    const key = JSON.stringify([page, window]);
    const made = kept.get(key) ?? drawPage(page, window, LIDS[lid]);
    kept.delete(key);
    kept.set(key, made);
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    return made;
  };
}

async function drawPage(page: Page & { readonly number: number }, window: Window, lid: string): Promise<Uint8Array> {
  registerFonts();
  const dotsPerMm = window.resolutionDpi / MM_PER_INCH;
  const canvas = createCanvas(Math.max(1, Math.round(window.widthMm * dotsPerMm)), Math.max(1, Math.round(window.heightMm * dotsPerMm)));
  const pen = canvas.getContext("2d");
  pen.fillStyle = lid;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  // From here on everything is in millimetres of the sheet.
  pen.scale(dotsPerMm, dotsPerMm);
  pen.translate(-window.leftMm + page.widthMm / 2, -window.topMm + page.heightMm / 2);
  pen.rotate((page.skewDegrees * Math.PI) / 180);
  pen.translate(-page.widthMm / 2, -page.heightMm / 2);
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, page.widthMm, page.heightMm);
  if (page.blank === "dirty") drawDirt(pen, page);
  if (page.blank === "no") drawForm(pen, page);
  const jpeg = await canvas.encode("jpeg", JPEG_QUALITY);
  return withDensity(window.mode === "gray" ? await gray(jpeg) : jpeg, window.resolutionDpi);
}

/** One component, as scanners send grey. */
async function gray(jpeg: Uint8Array): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return await sharp(jpeg).toColourspace("b-w").jpeg({ quality: JPEG_QUALITY }).toBuffer();
}

/** Says the resolution in a JFIF header (JFIF 1.02, APP0), which replaces the one that is there. */
function withDensity(jpeg: Uint8Array, dpi: number): Uint8Array {
  const header = Uint8Array.of(0xff, 0xe0, 0, 16, ...asciiBytes("JFIF\0"), 1, 2, 1, dpi >> 8, dpi & 0xff, dpi >> 8, dpi & 0xff, 0, 0);
  const rest = jpeg[3] === 0xe0 ? 4 + (jpeg[4] ?? 0) * 256 + (jpeg[5] ?? 0) : 2;
  return concatBytes([jpeg.subarray(0, 2), header, jpeg.subarray(rest)]);
}

const FIELDS = [
  ["Họ, chữ đệm và tên người khai", "NGUYỄN VĂN KHÔNG CÓ THẬT"],
  ["Ngày, tháng, năm sinh", "31/02/1990"],
  ["Số định danh cá nhân", "000 000 000 000"],
  ["Nơi cư trú", "Số 0, ngõ Mơ Ước, phường Tưởng Tượng"],
  ["Nội dung đề nghị", "Cấp bản sao trích lục giấy tờ hộ tịch"],
  ["Hồ sơ kèm theo", "Đơn, bản sao giấy khai sinh, ảnh 4×6"],
] as const;
const PROSE = [
  "Tôi cam đoan những nội dung khai trên đây là đúng sự thật và chịu trách nhiệm",
  "trước pháp luật về cam đoan của mình. Tờ khai này được vẽ bằng chương trình,",
  "không phải giấy tờ của bất kỳ ai, và chỉ dùng để thử máy quét tài liệu.",
  "Đề nghị cơ quan tiếp nhận xem xét, giải quyết theo quy định hiện hành.",
] as const;

function drawForm(pen: SKRSContext2D, page: Page & { readonly number: number }): void {
  const right = page.widthMm - 20;
  // Smaller sheets are the same form, cut off.
  pen.save();
  pen.beginPath();
  pen.rect(0, 0, page.widthMm, page.heightMm);
  pen.clip();
  pen.fillStyle = "#161616";
  pen.textAlign = "center";
  pen.font = fontOf(4.6, 700);
  pen.fillText("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", page.widthMm / 2, 24);
  pen.fillText("Độc lập – Tự do – Hạnh phúc", page.widthMm / 2, 31);
  pen.fillRect(page.widthMm / 2 - 30, 33.5, 60, 0.4);
  pen.font = fontOf(7, 700);
  pen.fillText("TỜ KHAI (BẢN VẼ THỬ)", page.widthMm / 2, 50);
  pen.textAlign = "left";
  for (const [index, [name, value]] of FIELDS.entries()) {
    const y = 68 + index * 11;
    pen.font = fontOf(4);
    pen.fillStyle = "#161616";
    pen.fillText(`${index + 1}. ${name}:`, 20, y);
    pen.fillRect(92, y + 1.4, Math.max(0, right - 92), 0.25);
    pen.fillStyle = page.color ? "#1b3f9c" : "#161616";
    pen.fillText(value, 94, y);
  }
  pen.fillStyle = "#161616";
  drawNumber(pen, page.number, page.widthMm);
  pen.font = fontOf(4);
  for (const [index, line] of PROSE.entries()) pen.fillText(line, 20, 178 + index * 7.5);
  pen.strokeStyle = "#161616";
  pen.lineWidth = 0.3;
  for (let row = 0; row <= 4; row++) pen.strokeRect(20, 212 + row * 7, Math.max(1, right - 20), 7);
  drawStamp(pen, page.widthMm - 60, 262, page.color ? "#c8102e" : "#303030");
  pen.restore();
}

/** Large for people; as squares for programs. */
function drawNumber(pen: SKRSContext2D, number: number, sheetWidthMm: number): void {
  pen.font = fontOf(46, 700);
  pen.fillText(String(number), 24, 284);
  const left = (sheetWidthMm - SQUARES.count * SQUARES.pitchMm) / 2;
  for (let bit = 0; bit < SQUARES.count; bit++) {
    if ((number >> (SQUARES.count - 1 - bit)) & 1) {
      pen.fillRect(left + bit * SQUARES.pitchMm + 1, SQUARES.yMm - SQUARES.sideMm / 2, SQUARES.sideMm, SQUARES.sideMm);
    }
  }
}

function drawStamp(pen: SKRSContext2D, x: number, y: number, ink: string): void {
  pen.save();
  pen.translate(x, y);
  pen.rotate(-0.2);
  pen.strokeStyle = ink;
  pen.fillStyle = ink;
  pen.lineWidth = 0.9;
  for (const radius of [17, 15]) {
    pen.beginPath();
    pen.arc(0, 0, radius, 0, 2 * Math.PI);
    pen.stroke();
  }
  pen.textAlign = "center";
  pen.font = fontOf(3.6, 700);
  pen.fillText("MÁY QUÉT GIẢ LẬP", 0, -2, 28);
  pen.fillText("★ ★ ★", 0, 5);
  pen.restore();
}

/** Dust, and the shadow along one edge: what a blank page is never without. */
function drawDirt(pen: SKRSContext2D, page: Page & { readonly number: number }): void {
  const shadow = pen.createLinearGradient(0, 0, 9, 0);
  shadow.addColorStop(0, "rgba(60, 60, 60, 0.45)");
  shadow.addColorStop(1, "rgba(60, 60, 60, 0)");
  pen.fillStyle = shadow;
  pen.fillRect(0, 0, 9, page.heightMm);
  pen.fillStyle = "rgba(90, 85, 80, 0.7)";
  // The same dust each time: a low-discrepancy sequence is as good as chance.
  for (let speck = 1; speck <= 40; speck++) {
    const at = (step: number, span: number): number => ((speck * step + page.number * 0.37) % 1) * span;
    pen.beginPath();
    pen.arc(at(0.618_034, page.widthMm), at(0.754_878, page.heightMm), 0.1 + 0.15 * at(0.569_84, 1), 0, 2 * Math.PI);
    pen.fill();
  }
}
