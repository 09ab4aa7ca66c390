import type { Clock } from "../../../kernel/clock.js";

/** What came and was not looked at yet. */
export interface Mailbox<T> {
  /** False where it is full. */
  put(item: T): boolean;
  /** The next one, or undefined after `ms`. Rejects with the signal's reason. One taker at a time. */
  take(ms: number, signal: AbortSignal): Promise<T | undefined>;
  /** All that is left, in order. */
  empty(): T[];
}

export function createMailbox<T extends object>(clock: Clock, most: number): Mailbox<T> {
  const items: T[] = [];
  let wake = (): void => {};
  return {
    put(item) {
      if (items.length === most) return false;
      items.push(item);
      wake();
      return true;
    },
    async take(ms, signal) {
      if (items.length === 0 && !signal.aborted && ms > 0) {
        await new Promise<void>((resolve) => {
          const timer = clock.timer(ms, () => wake());
          signal.addEventListener("abort", resolve as () => void, { once: true });
          wake = () => {
            timer[Symbol.dispose]();
            signal.removeEventListener("abort", resolve as () => void);
            resolve();
          };
          if (signal.aborted) wake();
        });
        // After an abort the timer is still there.
        wake();
        wake = () => {};
      }
      const item = items.shift();
      if (item === undefined) signal.throwIfAborted();
      return item;
    },
    empty: () => items.splice(0),
  };
}
