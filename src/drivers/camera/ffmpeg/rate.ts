/** How many pictures a second came lately. */
export interface Rate {
  count(nowMs: number): void;
  perSecond(nowMs: number): number;
}

const OVER_MS = 3_000;

export function createRate(): Rate {
  const times: number[] = [];
  const forget = (nowMs: number): void => {
    while (times.length > 0 && nowMs - (times[0] ?? 0) > OVER_MS) times.shift();
  };
  return {
    count(nowMs) {
      times.push(nowMs);
      forget(nowMs);
    },
    perSecond(nowMs) {
      forget(nowMs);
      const [first, last] = [times[0], times.at(-1)];
      if (first === undefined || last === undefined || last === first) return 0;
      return Number((((times.length - 1) * 1_000) / (last - first)).toFixed(2));
    },
  };
}
