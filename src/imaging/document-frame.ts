import type { Grey, Ink } from "./document-ink.js";

/** A rectangle of the straightened page, in pixels of the small picture, from the picture's middle. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

type Side = keyof Frame;
const SIDES = ["left", "top", "right", "bottom"] as const;

/** A lid that differs less from the paper cannot be told from it. */
const LEAST_CONTRAST = 6;
/** Of the sheet's own edge; narrower things that lie about on the glass are none. */
const LEAST_EDGE_MM = 15;
/** What is cut away must be nothing but lid. */
const MOST_FOREIGN = 0.02;
const BAND_PX = 3;
const OUTSIDE = Number.NEGATIVE_INFINITY;
/** A quarter of a card on A4. */
const LEAST_SHARE = 0.02;
/** Beside the sheet lies its shadow. */
const SHADOW_PX = 6;
/** Where nothing of the lid is left. */
const INWARD_PX = 1.5;

/** As large as the picture, and larger where straightening has moved writing beyond its edges. */
export function wholeFrame(grey: Grey, ink: Ink, turnDegrees: number): Frame {
  const { width, height } = grey;
  const frame = { left: -width / 2, top: -height / 2, right: width / 2, bottom: height / 2 };
  if (turnDegrees === 0) return frame;
  const { outward } = turning(grey, turnDegrees);
  const CELL = 8;
  for (let y = 0; y < height; y += CELL) {
    for (let x = 0; x < width; x += CELL) {
      if (inkIn(ink, width, x, y, CELL) < 6) continue;
      const [centerX, centerY] = outward(x + CELL / 2, y + CELL / 2);
      frame.left = Math.min(frame.left, centerX - CELL / 2);
      frame.right = Math.max(frame.right, centerX + CELL / 2);
      frame.top = Math.min(frame.top, centerY - CELL / 2);
      frame.bottom = Math.max(frame.bottom, centerY + CELL / 2);
    }
  }
  return frame;
}

function inkIn({ mask }: Ink, width: number, left: number, top: number, size: number): number {
  let count = 0;
  for (let y = top; y < top + size; y++) for (let x = left; x < Math.min(width, left + size); x++) count += mask[y * width + x] ?? 0;
  return count;
}

/**
 * The sheet on a darker lid, however little darker: on each side the first line that has a long piece of paper, where that begins at once.
 * A side without a lid, and one where more than lid would be cut away, stays as it is in `whole`.
 */
export function sheetFrame(grey: Grey, turnDegrees: number, whole: Frame): Frame {
  const sample = sampler(grey, turnDegrees);
  const reach = { x: Math.ceil(sample.halfWidth), y: Math.ceil(sample.halfHeight) };
  const paper = brightestOften(grey);
  const leastEdge = LEAST_EDGE_MM * grey.pxPerMm;
  const frame: Record<Side, number> = { ...whole };
  for (const side of SIDES) {
    const lid = lidLevel(grey, side);
    if (paper - lid < LEAST_CONTRAST) continue;
    const tolerance = (paper - lid) / 2;
    const isUpright = side === "left" || side === "right";
    const step = side === "left" || side === "top" ? 1 : -1;
    const lines: Line[] = [];
    const start = (isUpright ? reach.x : reach.y) * -step;
    for (let position = start; Math.abs(position) <= Math.abs(start); position += step) {
      lines.push(
        lookAt(
          isUpright ? reach.y : reach.x,
          (along) => {
            const value = isUpright ? sample.at(position, along) : sample.at(along, position);
            return value === OUTSIDE ? value : value - lid;
          },
          tolerance,
        ),
      );
    }
    const edge = lines.findIndex(({ longest }) => longest >= leastEdge);
    const isSudden = (lines[edge + 3]?.longest ?? 0) >= 2 * (lines[edge - 2]?.longest ?? 0);
    const cut = lines.slice(0, Math.max(0, edge - SHADOW_PX));
    const foreign = cut.reduce((sum, line) => sum + line.foreign, 0);
    const inside = cut.reduce((sum, line) => sum + line.inside, 0);
    const position = start + step * (edge + INWARD_PX);
    if (edge >= 0 && isSudden && foreign <= MOST_FOREIGN * inside && position * step > whole[side] * step) frame[side] = position;
  }
  return frame.right - frame.left < leastEdge || frame.bottom - frame.top < leastEdge ? whole : frame;
}

interface Line {
  readonly inside: number;
  readonly foreign: number;
  /** The longest piece of paper. */
  readonly longest: number;
}

/** `above`: how much brighter than the lid. */
function lookAt(reach: number, above: (along: number) => number, tolerance: number): Line {
  let [inside, foreign, longest, run] = [0, 0, 0, 0];
  for (let along = -reach; along <= reach; along++) {
    const value = above(along);
    run = value !== OUTSIDE && value > tolerance ? run + 1 : 0;
    longest = Math.max(longest, run);
    if (value === OUTSIDE) continue;
    inside++;
    if (Math.abs(value) > tolerance) foreign++;
  }
  return { inside, foreign, longest };
}

/** The brightest value of which there is a card's worth. */
function brightestOften({ pixels }: Grey): number {
  const histogram = new Uint32Array(256);
  for (const value of pixels) histogram[value] = (histogram[value] ?? 0) + 1;
  let brightest = 255;
  for (let above = 0; brightest > 0; brightest--) {
    above += histogram[brightest] ?? 0;
    if (above > LEAST_SHARE * pixels.length) break;
  }
  return brightest;
}

/** The median along one edge of the picture. */
function lidLevel({ width, height, pixels }: Grey, side: Side): number {
  const values: number[] = [];
  const isUpright = side === "left" || side === "right";
  for (let along = 0; along < (isUpright ? height : width); along++) {
    for (let depth = 1; depth <= BAND_PX; depth++) {
      const x = side === "left" ? depth : side === "right" ? width - 1 - depth : along;
      const y = side === "top" ? depth : side === "bottom" ? height - 1 - depth : along;
      values.push(pixels[y * width + x] ?? 0);
    }
  }
  return values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** From the picture to the straightened one, and back; both from the middle. */
function turning({ width, height }: Grey, degrees: number) {
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  return {
    sin,
    cos,
    outward: (x: number, y: number): readonly [x: number, y: number] => {
      const [dx, dy] = [x - width / 2, y - height / 2];
      return [dx * cos - dy * sin, dx * sin + dy * cos];
    },
  };
}

function sampler(grey: Grey, degrees: number) {
  const { width, height, pixels } = grey;
  const { sin, cos } = turning(grey, degrees);
  return {
    halfWidth: (width * cos + height * Math.abs(sin)) / 2,
    halfHeight: (height * cos + width * Math.abs(sin)) / 2,
    at(dx: number, dy: number): number {
      const x = Math.floor(dx * cos + dy * sin + width / 2);
      const y = Math.floor(-dx * sin + dy * cos + height / 2);
      return x < 0 || y < 0 || x >= width || y >= height ? OUTSIDE : (pixels[y * width + x] ?? OUTSIDE);
    },
  };
}
