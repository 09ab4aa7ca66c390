import { DeviceError } from "../kernel/errors.js";

interface Waiting {
  readonly start: () => void;
}

/** One queue per device across all clients: first come, first served, one at a time. */
export class Fifo {
  readonly #waiting: Waiting[] = [];
  readonly #limit: number;
  readonly #changed: () => void;
  #running: string | undefined;

  constructor(limit: number, changed: () => void) {
    this.#limit = limit;
    this.#changed = changed;
  }

  /** How many wait; the running one is not counted. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Method that has the device now. */
  get running(): string | undefined {
    return this.#running;
  }

  /**
   * Runs `work` when its turn comes and hands the turn on when it has settled.
   * The signal ends the waiting only; past that it is the work's business.
   * @throws DeviceError `rate_limited` where too many wait; the signal's reason where it aborts in the queue.
   */
  async run<T>(method: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(signal);
    this.#running = method;
    this.#changed();
    try {
      return await work();
    } finally {
      this.#running = undefined;
      this.#waiting.shift()?.start();
      this.#changed();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#running === undefined && this.#waiting.length === 0) {
      this.#running = "";
      return Promise.resolve();
    }
    if (this.#waiting.length >= this.#limit) {
      return Promise.reject(new DeviceError("rate_limited", { message: "too many requests wait for this device" }));
    }
    return new Promise<void>((resolve, reject) => {
      const entry: Waiting = {
        start: () => {
          signal.removeEventListener("abort", onAbort);
          // The turn is taken now, so that nobody who comes in the same moment takes it too.
          this.#running = "";
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        this.#changed();
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(entry);
      this.#changed();
    });
  }
}
