import type { Clock } from "./clock.js";
import { DeviceError } from "./errors.js";

export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * A signal that aborts with `timeout` after `ms`, or with the parent's reason when that aborts.
 * Dispose it when the work is done: it holds a timer and a listener.
 */
export function deadline(clock: Clock, ms: number, parent?: AbortSignal, message = "deadline passed"): Deadline {
  const controller = new AbortController();
  const onParent = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) onParent();
  else parent?.addEventListener("abort", onParent, { once: true });
  const timer = clock.timer(ms, () => controller.abort(new DeviceError("timeout", { message })));
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      timer[Symbol.dispose]();
      parent?.removeEventListener("abort", onParent);
    },
  };
}

/** The promise's outcome, or the signal's reason if that comes first. The work itself is not stopped. */
export function raceSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) {
      work.catch(() => {});
      return onAbort();
    }
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Runs `work` under a deadline of `ms`. */
export async function within<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  message?: string,
): Promise<T> {
  using limit = deadline(clock, ms, parent, message);
  return await raceSignal(work(limit.signal), limit.signal);
}
