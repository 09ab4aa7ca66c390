import type { FarEnd } from "./simulator.js";

/** What a device that answers nobody keeps in its send buffer; the rest is lost, as on a real one. */
const SEND_BUFFER_BYTES = 64 * 1024;

export interface Wire {
  /** Serves a far end until it ends; the former one is closed. */
  attach(farEnd: FarEnd): void;
  detach(): void;
  readonly attached: boolean;
  /** Queues bytes for the other side; dropped when no wire is plugged in. */
  send(bytes: Uint8Array): void;
}

/**
 * The socket in a simulated device's back: one wire at a time, bytes in order, and no more is read until
 * `receive` has taken what came, so that a device that stalls stalls its wire too. `receive` must give up when
 * the signal aborts: the wire was pulled.
 */
export function createWire(receive: (bytes: Uint8Array, signal: AbortSignal) => Promise<void>): Wire {
  let current: { readonly farEnd: FarEnd; readonly pulled: AbortController; queuedBytes: number; tail: Promise<void> } | undefined;

  const detach = (): void => {
    const leaving = current;
    current = undefined;
    if (!leaving) return;
    leaving.pulled.abort();
    void leaving.farEnd.close();
  };

  return {
    get attached() {
      return current !== undefined;
    },
    detach,
    attach(farEnd) {
      detach();
      const plugged = { farEnd, pulled: new AbortController(), queuedBytes: 0, tail: Promise.resolve() };
      current = plugged;
      const { signal } = plugged.pulled;
      const leave = (): void => {
        if (current === plugged) detach();
      };
      void farEnd.closed.then(leave);
      const serve = async (): Promise<void> => {
        while (!signal.aborted) await receive(await farEnd.read(signal), signal);
      };
      serve().then(leave, leave);
    },
    send(bytes) {
      const plugged = current;
      if (!plugged || plugged.queuedBytes + bytes.length > SEND_BUFFER_BYTES) return;
      plugged.queuedBytes += bytes.length;
      const { signal } = plugged.pulled;
      plugged.tail = plugged.tail
        .then(() => plugged.farEnd.write(bytes, signal))
        .then(
          () => {
            plugged.queuedBytes -= bytes.length;
          },
          () => {
            if (current === plugged) detach();
          },
        );
    },
  };
}
