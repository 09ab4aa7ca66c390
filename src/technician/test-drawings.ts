/** 203 dpi, as nearly all receipt printers have it. */
const DOTS_PER_MM = 8;
const RULER_DOTS = 64;
const WEDGE_STEPS = 8;
const WEDGE_DOTS = 48;
/** Digits of three by five dots, a row per octal digit. */
const DIGITS = ["75557", "26227", "71747", "71717", "55711", "74717", "74757", "71111", "75757", "75717"];
const DIGIT_SCALE = 3;

/** One byte of grey per pixel, row by row from the top. */
export interface GreyPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** A ruler in millimetres over the whole width, with numbers each centimetre. */
export function ruler(widthDots: number): GreyPicture {
  const lengthMm = Math.floor((widthDots - 1) / DOTS_PER_MM);
  const pixels = new Uint8Array(widthDots * RULER_DOTS).fill(0xff);
  const black = (x: number, y: number): void => {
    if (x < widthDots && y < RULER_DOTS) pixels[y * widthDots + x] = 0;
  };
  for (let mm = 0; mm <= lengthMm; mm++) {
    const height = mm % 10 === 0 ? 36 : mm % 5 === 0 ? 26 : 16;
    for (let y = 0; y < height; y++) for (const x of [0, 1]) black(mm * DOTS_PER_MM + x, y);
    if (mm % 10 !== 0) continue;
    const number = [...String(mm)];
    // The last one stays on the paper.
    const left = Math.min(mm * DOTS_PER_MM, widthDots - number.length * 4 * DIGIT_SCALE);
    number.forEach((digit, place) => {
      drawDigit(DIGITS[Number(digit)] ?? "", (x, y) => black(left + place * 4 * DIGIT_SCALE + x, 42 + y));
    });
  }
  return { width: widthDots, height: RULER_DOTS, pixels };
}

function drawDigit(rows: string, black: (x: number, y: number) => void): void {
  [...rows].forEach((row, y) => {
    for (const x of [0, 1, 2]) {
      if ((Number(row) & (4 >> x)) === 0) continue;
      for (let dot = 0; dot < DIGIT_SCALE ** 2; dot++) black(x * DIGIT_SCALE + (dot % 3), y * DIGIT_SCALE + Math.floor(dot / 3));
    }
  });
}

/** Steps from white to black. */
export function wedge(widthDots: number): GreyPicture {
  const row = Uint8Array.from(
    { length: widthDots },
    (_, x) => 255 - Math.round((255 * Math.floor((x * WEDGE_STEPS) / widthDots)) / (WEDGE_STEPS - 1)),
  );
  const pixels = new Uint8Array(widthDots * WEDGE_DOTS);
  for (let y = 0; y < WEDGE_DOTS; y++) pixels.set(row, y * widthDots);
  return { width: widthDots, height: WEDGE_DOTS, pixels };
}
