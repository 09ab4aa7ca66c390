import { DeviceError } from "../kernel/errors.js";

/** What pages are kept at. Quality counts for JPEG only. */
export interface Step {
  readonly quality: number;
  /** At most: a page of less stays as it is. */
  readonly resolutionDpi: number;
}

export interface Sized {
  readonly totalBytes: number;
}

/** Below this, small print cannot be read any more. */
const FLOOR_DPI = 150;
const QUALITIES = [85, 75, 65, 55];
const LOWER_DPI = [300, 200, 150];

/** From the best to the least that can still be read. Without quality (PNG) only the resolution goes down. */
export function stepsFrom(resolutionDpi: number, hasQuality: boolean): readonly [Step, ...Step[]] {
  const [best = 85, ...others] = QUALITIES;
  const lower = LOWER_DPI.filter((dpi) => dpi < resolutionDpi && dpi >= FLOOR_DPI);
  if (!hasQuality) return [{ quality: best, resolutionDpi }, ...lower.map((dpi) => ({ quality: best, resolutionDpi: dpi }))];
  return [
    { quality: best, resolutionDpi },
    ...others.map((quality) => ({ quality, resolutionDpi })),
    ...lower.flatMap((dpi) => [65, 55].map((quality) => ({ quality, resolutionDpi: dpi }))),
  ];
}

/** Bytes of a text page beside those at quality 85: only for choosing what to try first. */
const SHARE: Readonly<Record<number, number>> = { 85: 1, 75: 0.77, 65: 0.66, 55: 0.58 };

function guess(step: Step, first: Step): number {
  return (SHARE[step.quality] ?? 1) * (step.resolutionDpi / first.resolutionDpi) ** 1.4;
}

/**
 * The best step whose result fits, with as few attempts as the guesses allow: each attempt corrects the guess for the next, and none is
 * made twice. The first is tried always, because it usually fits.
 * @throws DeviceError `too_large` with `{ leastBytes }`: what the last step takes
 */
export async function bestFit<T extends Sized>(
  steps: readonly [Step, ...Step[]],
  maxBytes: number,
  attempt: (step: Step) => Promise<T>,
): Promise<{ readonly step: Step; readonly result: T }> {
  const [first] = steps;
  let [low, high] = [0, steps.length]; // whatever is before `low` does not fit, `high` and what follows does
  let fitting: { readonly step: Step; readonly result: T } | undefined;
  let next = 0;
  let leastBytes = 0;
  while (low < high) {
    const step = steps[next] as Step;
    const result = await attempt(step);
    const perGuess = result.totalBytes / guess(step, first);
    if (result.totalBytes <= maxBytes) {
      fitting = { step, result };
      high = next;
    } else {
      leastBytes = result.totalBytes;
      low = next + 1;
    }
    const likely = steps.findIndex((one, index) => index >= low && perGuess * guess(one, first) <= maxBytes);
    next = Math.max(low, Math.min(likely < 0 ? high - 1 : likely, high - 1));
  }
  if (fitting) return fitting;
  throw new DeviceError("too_large", {
    message: `the pages cannot be read any more in ${maxBytes} bytes`,
    hint: "Scan fewer pages, or in grey",
    details: { leastBytes },
  });
}
