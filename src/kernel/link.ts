import { DeviceError } from "./errors.js";

/**
 * A byte pipe to a device. Async only, and everything that passes is structured-cloneable, so that
 * the native end can live in a child process without a driver noticing.
 */
export interface Link {
  /** For logs and people: "tcp 127.0.0.1:9100". */
  readonly description: string;
  /**
   * The next bytes that came in, at least one. One read at a time.
   * @throws DeviceError `device_absent` once the far end is gone and everything received was read; the signal's reason on abort, losing nothing.
   */
  read(signal: AbortSignal): Promise<Uint8Array>;
  /**
   * Resolves when the operating system has taken all bytes. After a rejection some of them may have left, and
   * after an abort the link is closed, because nobody can tell which.
   */
  write(bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Idempotent, never rejects; pending reads and writes reject with `device_absent`. */
  close(): Promise<void>;
  /** Resolves, never rejects, when the link has ended for whatever reason. */
  readonly closed: Promise<void>;
}

/** @throws DeviceError `device_absent`, `busy` or `device_fault`, each with a hint. */
export type Connect<L = Link> = (signal: AbortSignal) => Promise<L>;

export interface Inbox {
  /** False when the limit is passed: the caller then closes the link. */
  push(bytes: Uint8Array): boolean;
  end(error: DeviceError): void;
  read(signal: AbortSignal): Promise<Uint8Array>;
}

/** What every link keeps received bytes in: bounded, one reader, the end comes after the last byte. */
export function createInbox(limitBytes = 1024 * 1024): Inbox {
  const chunks: Uint8Array[] = [];
  let held = 0;
  let ended: DeviceError | undefined;
  let wake: (() => void) | undefined;
  return {
    push(bytes) {
      if (bytes.length === 0 || ended) return true;
      held += bytes.length;
      chunks.push(bytes);
      wake?.();
      return held <= limitBytes;
    },
    end(error) {
      ended ??= error;
      wake?.();
    },
    async read(signal) {
      if (wake) throw new DeviceError("internal", { message: "two reads at once on one link" });
      while (chunks.length === 0) {
        if (signal.aborted) throw signal.reason;
        if (ended) throw ended;
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener("abort", resolve as () => void, { once: true });
        }).finally(() => {
          if (wake) signal.removeEventListener("abort", wake);
          wake = undefined;
        });
      }
      const chunk = chunks.shift() as Uint8Array;
      held -= chunk.length;
      return chunk;
    },
  };
}
