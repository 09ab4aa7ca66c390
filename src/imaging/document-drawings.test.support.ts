import { type Canvas, createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import type { RawPage } from "../contracts/document-scanner.js";
import { cssFont } from "./fonts.js";

export const DPI = 100;
const px = (mm: number): number => (mm * DPI) / 25.4;

export interface Drawing {
  readonly widthMm?: number;
  readonly heightMm?: number;
  /** The whole picture under the lamp, and what is drawn where no sheet lies. */
  readonly lid?: string;
  readonly paper?: string;
  /** Where the sheet lies on the glass. */
  readonly sheet?: { readonly leftMm: number; readonly topMm: number; readonly widthMm: number; readonly heightMm: number };
  /** Clockwise, about the sheet's middle. */
  readonly skewDegrees?: number;
  /** In millimetres from the sheet's corner. */
  readonly draw?: (context: SKRSContext2D) => void;
  /** Of each pixel, up to so much up and down, as sensors have it. */
  readonly noise?: number;
}

/** What a scanner would see. */
export function drawScan(drawing: Drawing): Canvas {
  const { widthMm = 210, heightMm = 297, lid = "#f8f8f4", paper = "#f8f8f4", skewDegrees = 0, draw = () => {}, noise = 0 } = drawing;
  const { sheet = { leftMm: 0, topMm: 0, widthMm, heightMm } } = drawing;
  const canvas = createCanvas(Math.round(px(widthMm)), Math.round(px(heightMm)));
  const context = canvas.getContext("2d");
  context.fillStyle = lid;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(px(1), px(1));
  context.translate(sheet.leftMm + sheet.widthMm / 2, sheet.topMm + sheet.heightMm / 2);
  context.rotate((skewDegrees * Math.PI) / 180);
  context.translate(-sheet.widthMm / 2, -sheet.heightMm / 2);
  context.fillStyle = paper;
  context.fillRect(0, 0, sheet.widthMm, sheet.heightMm);
  context.fillStyle = "#202020";
  draw(context);
  if (noise > 0) addNoise(canvas, noise);
  return canvas;
}

function addNoise(canvas: Canvas, most: number): void {
  const context = canvas.getContext("2d");
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  let state = 1;
  for (let at = 0; at < image.data.length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const by = (state / 2 ** 32 - 0.5) * 2 * most;
    for (let channel = 0; channel < 3; channel++) image.data[at + channel] = (image.data[at + channel] ?? 0) + by;
  }
  context.putImageData(image, 0, 0);
}

const TEXT = [
  "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
  "Độc lập – Tự do – Hạnh phúc",
  "ĐƠN ĐỀ NGHỊ CẤP BẢN SAO TRÍCH LỤC HỘ TỊCH",
  "Họ, chữ đệm, tên người yêu cầu: Nguyễn Văn Mẫu, sinh ngày 01 tháng 01 năm 1990,",
  "nơi cư trú: số 1, đường Mẫu, phường Mẫu, thành phố Mẫu. Đề nghị cơ quan cấp bản sao",
  "trích lục khai sinh cho người có tên dưới đây, với lý do bổ sung hồ sơ.",
];

/** A page of text with 25 mm of margin. */
export function text(lines = 38, { sizeMm = 4, style = "#202020", leftMm = 25, topMm = 30 } = {}) {
  return (context: SKRSContext2D): void => {
    context.fillStyle = style;
    context.font = cssFont(sizeMm, false);
    for (let line = 0; line < lines; line++) context.fillText(TEXT[line % TEXT.length] ?? "", leftMm, topMm + line * sizeMm * 1.5);
  };
}

export function asPage(canvas: Canvas, mediaType: "image/png" | "image/jpeg" = "image/png"): RawPage {
  const bytes = mediaType === "image/png" ? canvas.toBuffer("image/png") : canvas.toBuffer("image/jpeg", 92);
  return { mediaType, bytes, resolutionDpi: DPI };
}

/** Netpbm's binary formats, as scanimage writes them. */
export function asPnm(canvas: Canvas, kind: "P4" | "P5" | "P6"): RawPage {
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const head = Buffer.from(`${kind}\n# SANE data follows\n${width} ${height}${kind === "P4" ? "" : "\n255"}\n`, "latin1");
  const row = kind === "P4" ? Math.ceil(width / 8) : kind === "P5" ? width : 3 * width;
  const body = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 4 * (y * width + x);
      if (kind === "P6") for (let channel = 0; channel < 3; channel++) body[y * row + 3 * x + channel] = data[from + channel] ?? 0;
      else if (kind === "P5") body[y * row + x] = data[from + 1] ?? 0;
      else if ((data[from + 1] ?? 0) < 128) body[y * row + (x >> 3)] = (body[y * row + (x >> 3)] ?? 0) | (0x80 >> (x & 7));
    }
  }
  return { mediaType: "image/x-portable-anymap", bytes: Buffer.concat([head, body]), resolutionDpi: DPI };
}
