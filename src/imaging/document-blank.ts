import { borderPx, type Grey, type Ink } from "./document-ink.js";

/** More than this is a text or a picture, whatever its spots look like. */
const SURELY_WRITTEN = 0.02;
/** What is left after dust, holes and streaks: two letters. */
const WRITTEN_MM2 = 3;
const DUST_MM = 1.2;
/** The shadow of a sheet that lies askew reaches over the border that is not looked at. */
const SHADOW_MM = { mostAcross: 12, leastAlong: 20 };
const HOLE_MM = { least: 3.5, most: 8, fromEdge: 22 };

interface Spot {
  readonly left: number;
  readonly top: number;
  right: number;
  bottom: number;
  area: number;
}

/** Nothing on it that could be read: at most dust, punch holes, shadows at the edges and the streak of a dirty feeder. */
export function isBlank(grey: Grey, ink: Ink): boolean {
  const area = grey.width * grey.height;
  if (ink.count > SURELY_WRITTEN * area) return false;
  // Bright letters on a page that is dark all over look like a lid with crumbs.
  if (ink.lidShare > 0.5 && brightShare(grey, ink) < 0.1 && brightShare(grey, ink) > 0.001) return false;
  let written = 0;
  for (const spot of spots(grey, ink)) if (!isDirt(spot, grey)) written += spot.area;
  return written < WRITTEN_MM2 * grey.pxPerMm ** 2;
}

function brightShare({ pixels }: Grey, { background }: Ink): number {
  let bright = 0;
  for (const value of pixels) if (value > background - 48) bright++;
  return bright / pixels.length;
}

function isDirt(spot: Spot, grey: Grey): boolean {
  const { width, height, pxPerMm } = grey;
  const [across, down] = [(spot.right - spot.left + 1) / pxPerMm, (spot.bottom - spot.top + 1) / pxPerMm];
  if (across <= DUST_MM && down <= DUST_MM) return true;
  const [short, long] = [Math.min(across, down), Math.max(across, down)];
  // One speck on the feeder's glass draws a line along the whole page.
  if (short <= DUST_MM && long > (0.3 * (down > across ? height : width)) / pxPerMm) return true;
  const border = borderPx(grey);
  const isAtRim = spot.left <= border || spot.top <= border || spot.right >= width - 1 - border || spot.bottom >= height - 1 - border;
  if (isAtRim && short <= SHADOW_MM.mostAcross && long >= SHADOW_MM.leastAlong && long > 4 * short) return true;
  const filled = spot.area / (across * down * pxPerMm ** 2);
  const [x, y] = [(spot.left + spot.right) / 2, (spot.top + spot.bottom) / 2];
  const fromEdge = Math.min(x, y, width - x, height - y) / pxPerMm;
  return short >= HOLE_MM.least && long <= HOLE_MM.most && long < 1.35 * short && filled > 0.65 && fromEdge < HOLE_MM.fromEdge;
}

/** Ink that hangs together, diagonals included. */
function spots({ width, height }: Grey, { mask }: Ink): Spot[] {
  const left = Uint8Array.from(mask);
  const found: Spot[] = [];
  const open: number[] = [];
  for (let start = 0; start < left.length; start++) {
    if (!left[start]) continue;
    const spot = { left: width, top: height, right: 0, bottom: 0, area: 0 };
    left[start] = 0;
    open.push(start);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [x, y] = [at % width, Math.floor(at / width)];
      spot.left = Math.min(spot.left, x);
      spot.right = Math.max(spot.right, x);
      spot.top = Math.min(spot.top, y);
      spot.bottom = Math.max(spot.bottom, y);
      spot.area++;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const near = at + dy * width + dx;
          if (x + dx < 0 || x + dx >= width || !left[near]) continue;
          left[near] = 0;
          open.push(near);
        }
      }
    }
    found.push(spot);
  }
  return found;
}
