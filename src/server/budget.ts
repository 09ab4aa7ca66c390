import type { Clock } from "../kernel/clock.js";
import type { RefusalReason } from "./admission.js";

/** Connections at once. What is left of `total` when all others have theirs is the reserve of listed origins. */
export const CONNECTION_LIMITS = { total: 192, perUid: 64, perOriginAndUid: 32, withoutOrigin: 64 } as const;
/** Upgrades of one origin and uid: a page that reconnects never comes near it. */
const ATTEMPTS = { burst: 120, perSecond: 20 } as const;

/**
 * Failed proofs of who one is, of one peer: a person mistypes a token twice. Guessing 256 bits is hopeless anyway; this keeps whoever tries
 * from costing anything.
 */
const FAILURES = { burst: 10, perSecond: 0.1 } as const;
/** Peers are uids and, over TLS, addresses: of those that are at rest nothing is kept. */
const PEERS_AT_ONCE = 256;

/** Who asks for a slot. `origin` undefined: none was sent. Unix sockets count as an origin of their own. */
export interface Claimant {
  readonly origin: string | undefined;
  /** See `peerOf`. */
  readonly peer: string;
}

/** A process of this machine by its user, where the kernel told it; anybody else by the address. */
export function peerOf(uid: number | undefined, address: string | undefined): string {
  return uid === undefined ? `address ${address ?? "?"}` : `uid ${uid}`;
}

interface Bucket {
  take(): boolean;
  full(): boolean;
  /** Would `take` refuse? */
  empty(): boolean;
}

/** A token bucket on the injected clock. */
export function createBucket(clock: Clock, burst: number, perSecond: number): Bucket {
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
    empty() {
      fill();
      return level < 1;
    },
  };
}

/** A bucket for each peer, made when it is first asked for. Those that are full again are forgotten. */
function bucketsOf(clock: Clock, { burst, perSecond }: { readonly burst: number; readonly perSecond: number }): (peer: string) => Bucket {
  const buckets = new Map<string, Bucket>();
  return (peer) => {
    if (buckets.size > PEERS_AT_ONCE) for (const [other, bucket] of buckets) if (bucket.full()) buckets.delete(other);
    let bucket = buckets.get(peer);
    if (bucket === undefined) {
      bucket = createBucket(clock, burst, perSecond);
      buckets.set(peer, bucket);
    }
    return bucket;
  };
}

/** Who failed too often to be listened to. Concerns tokens only: a page without one is let in as ever. */
export interface Failures {
  tooMany(peer: string): boolean;
  count(peer: string): void;
}

export function createFailures(clock: Clock): Failures {
  const buckets = bucketsOf(clock, FAILURES);
  return { tooMany: (peer) => buckets(peer).empty(), count: (peer) => void buckets(peer).take() };
}

export interface Budget {
  /** Counts an attempt and takes a slot; disposing gives the slot back. */
  take(claimant: Claimant): Disposable | RefusalReason;
}

/**
 * Slots and attempts per origin and peer. Whoever floods under one uid or without an Origin takes its own share only,
 * so that the kiosk still gets in.
 */
export function createBudget(clock: Clock): Budget {
  const open = new Map<string, number>();
  const attempts = bucketsOf(clock, ATTEMPTS);
  const count = (key: string): number => open.get(key) ?? 0;
  const add = (key: string, by: 1 | -1): void => {
    const now = count(key) + by;
    if (now === 0) open.delete(key);
    else open.set(key, now);
  };
  return {
    take({ origin, peer }) {
      const pair = `${peer} ${origin ?? ""}`;
      if (!attempts(pair).take()) return "too_many_attempts";
      const shares: [key: string, limit: number][] = [
        ["total", CONNECTION_LIMITS.total],
        [peer, CONNECTION_LIMITS.perUid],
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
