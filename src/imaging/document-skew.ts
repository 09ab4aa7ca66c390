import type { Grey, Ink } from "./document-ink.js";

const MOST_DEGREES = 5;
const COARSE = { stepDegrees: 0.25, binPx: 3 };
const FINE = { stepDegrees: 0.05, reachDegrees: 0.4, binPx: 1 };
/** Fewer pixels of ink have no direction. */
const LEAST_INK = 150;
const MOST_POINTS = 60_000;
/** How far the best angle must stand out of the usual one: lines of text do, pictures and stamps do not. */
const STANDS_OUT = 1.6;
/** Half a millimetre across a page: straightening would blur more than it mends. */
const LEAST_DEGREES = 0.15;

interface Points {
  readonly along: Float64Array;
  readonly across: Float64Array;
  readonly extent: number;
}

/**
 * The turn that straightens the page, degrees clockwise, at most 5; 0 where it lies straight or nothing tells.
 * By projection: seen along the lines of a text, ink and gaps alternate most sharply.
 */
export function straightening(grey: Grey, ink: Ink): number {
  if (ink.count < LEAST_INK) return 0;
  const { rows, columns } = pointsOf(grey, ink);
  const [lying, standing] = [best(rows), best(columns)];
  const { degrees, clarity } = lying.clarity >= standing.clarity ? lying : standing;
  if (clarity < STANDS_OUT || Math.abs(degrees) > MOST_DEGREES + 0.1 || Math.abs(degrees) < LEAST_DEGREES) return 0;
  return -Math.round(degrees * 100) / 100;
}

/** The same points for lines that lie and for lines that stand, as of a page that was fed sideways. */
function pointsOf({ width, height }: Grey, { mask, count }: Ink): { rows: Points; columns: Points } {
  const every = Math.ceil(count / MOST_POINTS);
  const most = Math.ceil(count / every);
  const [xs, ys, minusYs] = [new Float64Array(most), new Float64Array(most), new Float64Array(most)];
  const noisyXs = new Float64Array(most);
  let seen = 0;
  let found = 0;
  for (let at = 0; at < mask.length; at++) {
    if (!mask[at] || seen++ % every !== 0) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    // Whole numbers fall into whole bins at 0 degrees only, which would favour it.
    const noise = ((Math.imul(at, 0x9e3779b1) >>> 8) & 0xffff) / 0x10000 - 0.5;
    xs[found] = x;
    ys[found] = y + noise;
    noisyXs[found] = x + noise;
    minusYs[found] = -y;
    found++;
  }
  const extent = width + height;
  return { rows: { along: xs, across: ys, extent }, columns: { along: minusYs, across: noisyXs, extent } };
}

function best(points: Points): { degrees: number; clarity: number } {
  const coarse: { degrees: number; score: number }[] = [];
  for (let degrees = -MOST_DEGREES - 0.5; degrees <= MOST_DEGREES + 0.5; degrees += COARSE.stepDegrees) {
    coarse.push({ degrees, score: sharpness(points, degrees, COARSE.binPx) });
  }
  const sorted = [...coarse].sort((a, b) => a.score - b.score);
  const [top, usual] = [sorted.at(-1), sorted[Math.floor(sorted.length / 2)]];
  if (!top || !usual || usual.score === 0) return { degrees: 0, clarity: 0 };
  const steps = Math.round(FINE.reachDegrees / FINE.stepDegrees);
  const fine = Array.from({ length: 2 * steps + 1 }, (_, index) => {
    const degrees = top.degrees + (index - steps) * FINE.stepDegrees;
    return { degrees, score: sharpness(points, degrees, FINE.binPx) };
  });
  // The middle of what is nearly as good as the best: steadier than the best alone.
  const most = Math.max(...fine.map(({ score }) => score));
  const least = Math.min(...fine.map(({ score }) => score));
  let [sum, weights] = [0, 0];
  for (const { degrees, score } of fine) {
    const weight = Math.max(0, score - least - 0.6 * (most - least)) ** 2;
    sum += weight * degrees;
    weights += weight;
  }
  return { degrees: weights === 0 ? top.degrees : sum / weights, clarity: top.score / usual.score };
}

/** How much neighbouring strips differ, seen under this angle. */
function sharpness({ along, across, extent }: Points, degrees: number, binPx: number): number {
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  const middle = Math.ceil(extent / binPx);
  const bins = new Int32Array(2 * middle + 2);
  for (let index = 0; index < along.length; index++) {
    const bin = middle + Math.floor(((across[index] ?? 0) * cos - (along[index] ?? 0) * sin) / binPx);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  let score = 0;
  for (let bin = 1; bin < bins.length; bin++) score += ((bins[bin] ?? 0) - (bins[bin - 1] ?? 0)) ** 2;
  return score;
}
