/** A small picture, one byte per dot, 1 = black: what a line is put together from. */
export interface Dots {
  readonly width: number;
  readonly height: number;
  readonly ink: Uint8Array;
}

export function blankDots(width: number, height: number): Dots {
  return { width, height, ink: new Uint8Array(width * height) };
}

/** Black wins; what falls outside is lost, as beyond the edge of the paper. */
export function paint(onto: Dots, from: Dots, left: number, top: number): void {
  for (let y = 0; y < from.height; y++) {
    const row = top + y;
    if (row < 0 || row >= onto.height) continue;
    for (let x = 0; x < from.width; x++) {
      const column = left + x;
      if (from.ink[y * from.width + x] && column >= 0 && column < onto.width) onto.ink[row * onto.width + column] = 1;
    }
  }
}

export function scaleDots(dots: Dots, byX: number, byY: number): Dots {
  if (byX === 1 && byY === 1) return dots;
  const width = dots.width * byX;
  const height = dots.height * byY;
  const ink = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) ink[y * width + x] = dots.ink[Math.floor(y / byY) * dots.width + Math.floor(x / byX)] ?? 0;
  }
  return { width, height, ink };
}

export function invertDots(dots: Dots): Dots {
  return { ...dots, ink: dots.ink.map((ink) => 1 - ink) };
}

export function turnUpsideDown(dots: Dots): Dots {
  return { ...dots, ink: dots.ink.slice().reverse() };
}

/** A quarter turn clockwise. */
export function turnClockwise(dots: Dots): Dots {
  const turned = blankDots(dots.height, dots.width);
  for (let y = 0; y < dots.height; y++) {
    for (let x = 0; x < dots.width; x++) turned.ink[x * turned.width + (dots.height - 1 - y)] = dots.ink[y * dots.width + x] ?? 0;
  }
  return turned;
}

/** Rows of `bytesPerRow` packed bytes, most significant bit left, cropped to `width` dots. */
export function unpackDots(packed: Uint8Array, bytesPerRow: number, height: number, width: number): Dots {
  const dots = blankDots(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      dots.ink[y * width + x] = ((packed[y * bytesPerRow + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1;
    }
  }
  return dots;
}

/** One packed row per dot row, most significant bit left. */
export function packRows(dots: Dots): Uint8Array[] {
  const stride = Math.ceil(dots.width / 8);
  return Array.from({ length: dots.height }, (_, y) => {
    const row = new Uint8Array(stride);
    for (let x = 0; x < dots.width; x++) {
      if (dots.ink[y * dots.width + x]) row[x >> 3] = (row[x >> 3] ?? 0) | (0x80 >> (x & 7));
    }
    return row;
  });
}
