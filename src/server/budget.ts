import type { Clock } from "../kernel/clock.js";
import type { RefusalReason } from "./admission.js";

/** Connections at once. What is left of `total` when all others have theirs is the reserve of listed origins. */
export const CONNECTION_LIMITS = { total: 192, perUid: 64, perOriginAndUid: 32, withoutOrigin: 64 } as const;
/** Upgrades of one origin and uid: a page that reconnects never comes near it. */
const ATTEMPTS = { burst: 120, perSecond: 20 } as const;

/** Who asks for a slot. `origin` undefined: none was sent. Unix sockets count as an origin of their own. */
export interface Claimant {
  readonly origin: string | undefined;
  readonly uid: number | undefined;
}

/** A token bucket on the injected clock. */
export function createBucket(clock: Clock, burst: number, perSecond: number): { take(): boolean; full(): boolean } {
  let level: number = burst;
  let filledAt = clock.monotonicMs();
  const fill = (): void => {
    const now = clock.monotonicMs();
    level = Math.min(burst, level + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
  };
  return {
    take() {
      fill();
      if (level < 1) return false;
      level -= 1;
      return true;
    },
    full() {
      fill();
      return level === burst;
    },
  };
}

export interface Budget {
  /** Counts an attempt and takes a slot; disposing gives the slot back. */
  take(claimant: Claimant): Disposable | RefusalReason;
}

/**
 * Slots and attempts per origin and uid. Whoever floods under one uid or without an Origin takes its own share only,
 * so that the kiosk still gets in.
 */
export function createBudget(clock: Clock): Budget {
  const open = new Map<string, number>();
  const attempts = new Map<string, ReturnType<typeof createBucket>>();
  const count = (key: string): number => open.get(key) ?? 0;
  const add = (key: string, by: 1 | -1): void => {
    const now = count(key) + by;
    if (now === 0) open.delete(key);
    else open.set(key, now);
  };
  const attempt = (key: string): boolean => {
    if (attempts.size > 256) for (const [other, bucket] of attempts) if (bucket.full()) attempts.delete(other);
    let bucket = attempts.get(key);
    if (bucket === undefined) {
      bucket = createBucket(clock, ATTEMPTS.burst, ATTEMPTS.perSecond);
      attempts.set(key, bucket);
    }
    return bucket.take();
  };
  return {
    take({ origin, uid }) {
      const pair = `${uid ?? "?"} ${origin ?? ""}`;
      if (!attempt(pair)) return "too_many_attempts";
      const shares: [key: string, limit: number][] = [
        ["total", CONNECTION_LIMITS.total],
        [`uid ${uid ?? "?"}`, CONNECTION_LIMITS.perUid],
        [`pair ${pair}`, CONNECTION_LIMITS.perOriginAndUid],
        ...(origin === undefined ? [["no origin", CONNECTION_LIMITS.withoutOrigin] as [string, number]] : []),
      ];
      if (shares.some(([key, limit]) => count(key) >= limit)) return "too_many_connections";
      for (const [key] of shares) add(key, 1);
      let held = true;
      return {
        [Symbol.dispose]() {
          if (!held) return;
          held = false;
          for (const [key] of shares) add(key, -1);
        },
      };
    },
  };
}
