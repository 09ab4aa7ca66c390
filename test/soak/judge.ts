/** One look at one process. */
export interface Sample {
  readonly atMs: number;
  readonly mib: number;
}

export interface Trend {
  readonly mibPerHour: number;
  /** Half the width of its 95 % confidence interval. */
  readonly plusMinus: number;
  /** Along the line, over the time that was looked at. */
  readonly grownMib: number;
  readonly spanMs: number;
}

export interface MemoryVerdict {
  readonly trend: Trend | undefined;
  /** Why it is wrong; undefined: it is not. */
  readonly wrong: string | undefined;
}

const HOUR_MS = 3_600_000;
/** Of a shorter time a slope says nothing. */
const SHORTEST_MS = 4 * 60_000;
/** Samples that follow each other are alike: what counts as one observation is the mean of a block. */
const BLOCKS = 16;
/** Student's t for 14 degrees of freedom, 95 %, both sides. */
const T = 2.145;
/** V8 takes and gives back that much by itself. */
const MAY_GROW_MIB = 8;
const MAY_GROW_MIB_PER_HOUR = 3;

/** Least squares over block means. Undefined where there is too little to go by. */
export function trendOf(samples: readonly Sample[]): Trend | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || samples.length < BLOCKS * 2) return undefined;
  const blocks = Array.from({ length: BLOCKS }, (_, block) => {
    const part = samples.slice(Math.floor((block * samples.length) / BLOCKS), Math.floor(((block + 1) * samples.length) / BLOCKS));
    return { x: mean(part.map(({ atMs }) => atMs)) / HOUR_MS, y: mean(part.map(({ mib }) => mib)) };
  });
  const [x0, y0] = [mean(blocks.map(({ x }) => x)), mean(blocks.map(({ y }) => y))];
  const sxx = sum(blocks.map(({ x }) => (x - x0) ** 2));
  if (sxx === 0) return undefined;
  const slope = sum(blocks.map(({ x, y }) => (x - x0) * (y - y0))) / sxx;
  const squares = sum(blocks.map(({ x, y }) => (y - y0 - slope * (x - x0)) ** 2));
  const spanMs = last.atMs - first.atMs;
  return {
    mibPerHour: slope,
    plusMinus: T * Math.sqrt(squares / (BLOCKS - 2) / sxx),
    grownMib: (slope * spanMs) / HOUR_MS,
    spanMs,
  };
}

/** The second half of one life of one process: what it needs to be warm is no growth. `capMib` holds for every life, however short. */
export function judgeMemory(samples: readonly Sample[], capMib: number): MemoryVerdict {
  const most = Math.max(0, ...samples.map(({ mib }) => mib));
  const [first, last] = [samples[0], samples.at(-1)];
  const halfAt = first && last ? (first.atMs + last.atMs) / 2 : 0;
  const half = samples.filter(({ atMs }) => atMs >= halfAt);
  const found = trendOf(half);
  const trend = found && found.spanMs >= SHORTEST_MS ? found : undefined;
  if (most > capMib) return { trend, wrong: `held ${most.toFixed(0)} MiB, and ${capMib} is the most` };
  const sure = trend !== undefined && trend.mibPerHour - trend.plusMinus > MAY_GROW_MIB_PER_HOUR && trend.grownMib > MAY_GROW_MIB;
  return { trend, wrong: sure ? `grew by ${trend.grownMib.toFixed(1)} MiB, ${slopeText(trend)}` : undefined };
}

/** A collection, a keep-alive connection, a rotated log: no more than that may be open at the end that was not at the beginning. */
const MAY_BE_OPEN = 3;
export function judgeFiles(start: number, end: number): string | undefined {
  return end > start + MAY_BE_OPEN ? `${end} files open at rest, and ${start} at the beginning` : undefined;
}

export function slopeText({ mibPerHour, plusMinus }: Trend): string {
  return `${mibPerHour >= 0 ? "+" : ""}${mibPerHour.toFixed(1)} ± ${plusMinus.toFixed(1)} MiB/h`;
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / Math.max(1, values.length);
