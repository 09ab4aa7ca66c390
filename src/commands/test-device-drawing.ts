import { crc32, deflateSync } from "node:zlib";

/** 203 dpi, as nearly all receipt printers have it. */
const DOTS_PER_MM = 8;
const RULER_DOTS = 64;
const WEDGE_STEPS = 8;
const WEDGE_DOTS = 48;
/** Digits of three by five dots, a row per octal digit. */
const DIGITS = ["75557", "26227", "71747", "71717", "55711", "74717", "74757", "71111", "75757", "75717"];
const DIGIT_SCALE = 3;

/** A ruler in millimetres over the whole width, with numbers each centimetre. PNG. */
export function rulerPng(widthDots: number): Uint8Array {
  const lengthMm = Math.floor((widthDots - 1) / DOTS_PER_MM);
  const pixels = new Uint8Array(widthDots * RULER_DOTS).fill(0xff);
  const black = (x: number, y: number): void => {
    if (x < widthDots && y < RULER_DOTS) pixels[y * widthDots + x] = 0;
  };
  for (let mm = 0; mm <= lengthMm; mm++) {
    const height = mm % 10 === 0 ? 36 : mm % 5 === 0 ? 26 : 16;
    for (let y = 0; y < height; y++) for (const x of [0, 1]) black(mm * DOTS_PER_MM + x, y);
    if (mm % 10 !== 0) continue;
    [...String(mm)].forEach((digit, place) => {
      drawDigit(DIGITS[Number(digit)] ?? "", (x, y) => black(mm * DOTS_PER_MM + place * 4 * DIGIT_SCALE + x, 42 + y));
    });
  }
  return greyPng(widthDots, RULER_DOTS, pixels);
}

function drawDigit(rows: string, black: (x: number, y: number) => void): void {
  [...rows].forEach((row, y) => {
    for (const x of [0, 1, 2]) {
      if ((Number(row) & (4 >> x)) === 0) continue;
      for (let dot = 0; dot < DIGIT_SCALE ** 2; dot++) black(x * DIGIT_SCALE + (dot % 3), y * DIGIT_SCALE + Math.floor(dot / 3));
    }
  });
}

/** Steps from white to black. PNG. */
export function wedgePng(widthDots: number): Uint8Array {
  const row = Uint8Array.from(
    { length: widthDots },
    (_, x) => 255 - Math.round((255 * Math.floor((x * WEDGE_STEPS) / widthDots)) / (WEDGE_STEPS - 1)),
  );
  const pixels = new Uint8Array(widthDots * WEDGE_DOTS);
  for (let y = 0; y < WEDGE_DOTS; y++) pixels.set(row, y * widthDots);
  return greyPng(widthDots, WEDGE_DOTS, pixels);
}

/** PNG, 8 bits of grey per pixel (ISO/IEC 15948, 11.2 and 11.3). */
function greyPng(width: number, height: number, pixels: Uint8Array): Uint8Array {
  const rows = Buffer.alloc((width + 1) * height);
  // Each row begins with its filter: none.
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
