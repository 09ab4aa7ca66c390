import type { Clock } from "../kernel/clock.js";

/** At most one announcement per thing in this time; the last one always comes. */
const GAP_MS = 25;

/**
 * Says that something changed: at once the first time, then at most once per gap, so that a driver that
 * floods its state costs its listeners nothing.
 */
export function announcer<T>(clock: Clock, announce: (thing: T) => void): (thing: T) => void {
  const dirty = new Set<T>();
  let resting = false;
  const flush = (): void => {
    const things = [...dirty];
    dirty.clear();
    for (const thing of things) announce(thing);
    resting = true;
    clock.timer(GAP_MS, () => {
      resting = false;
      if (dirty.size > 0) flush();
    });
  };
  return (thing) => {
    const first = dirty.size === 0;
    dirty.add(thing);
    if (first && !resting) queueMicrotask(flush);
  };
}
