/** Time comes in as an argument, so that no test waits for real seconds. */
export interface Clock {
  /** Milliseconds since the epoch, for people and records. */
  now(): number;
  /** Milliseconds that only go forward, for measuring and deadlines. */
  monotonicMs(): number;
  /** Calls back once after `ms`; dispose to cancel. Never keeps the process alive. */
  timer(ms: number, callback: () => void): Disposable;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

function sleepOn(timer: Clock["timer"]): Clock["sleep"] {
  return (ms, signal) =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const pending = timer(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      const onAbort = (): void => {
        pending[Symbol.dispose]();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
}

/** The machine's clock, or one that runs `factor` times as fast from `startedAtMs` on (torture runs). */
export function systemClock(factor = 1, startedAtMs = Date.now()): Clock {
  const timer: Clock["timer"] = (ms, callback) => {
    const handle = setTimeout(callback, ms / factor);
    handle.unref();
    return { [Symbol.dispose]: () => clearTimeout(handle) };
  };
  const now = (): number => startedAtMs + (Date.now() - startedAtMs) * factor;
  return { now, monotonicMs: () => performance.now() * factor, timer, sleep: sleepOn(timer) };
}

export interface ManualClock extends Clock {
  /** Moves time on, firing what falls due in order and letting promises settle in between. */
  advance(ms: number): Promise<void>;
}

/** A clock that stands still until told otherwise. */
export function manualClock(startAt = 1_700_000_000_000): ManualClock {
  let elapsed = 0;
  let order = 0;
  const pending = new Map<number, { at: number; callback: () => void }>();
  const timer: Clock["timer"] = (ms, callback) => {
    const id = order++;
    pending.set(id, { at: elapsed + Math.max(0, ms), callback });
    return { [Symbol.dispose]: () => void pending.delete(id) };
  };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    now: () => startAt + elapsed,
    monotonicMs: () => elapsed,
    timer,
    sleep: sleepOn(timer),
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (;;) {
        const due = [...pending].filter(([, entry]) => entry.at <= until).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
        if (!due) break;
        pending.delete(due[0]);
        elapsed = Math.max(elapsed, due[1].at);
        due[1].callback();
        await settle();
      }
      elapsed = until;
    },
  };
}
