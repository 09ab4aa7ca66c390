/** One thing that passed between a driver and its device. */
export interface Passed {
  readonly from: "agent" | "device";
  /** What it is; empty for bytes of a stream. See src/transports/record.ts. */
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** A place on a device's wire where others may listen. */
export interface Tap {
  /** Undefined while nobody listens: then nothing is done for it. */
  readonly tell: ((passed: Passed) => void) | undefined;
  /** Hears all that passes from now on; must neither throw nor keep the bytes beyond the call without a copy. */
  listen(listener: (passed: Passed) => void): Disposable;
}

export function createTap(): Tap {
  const listeners = new Set<(passed: Passed) => void>();
  const all = (passed: Passed): void => {
    for (const listener of listeners) listener(passed);
  };
  return {
    get tell() {
      return listeners.size === 0 ? undefined : all;
    },
    listen(listener) {
      // One of its own, so that the same function may listen twice.
      const mine = (passed: Passed): void => listener(passed);
      listeners.add(mine);
      return { [Symbol.dispose]: () => void listeners.delete(mine) };
    },
  };
}
