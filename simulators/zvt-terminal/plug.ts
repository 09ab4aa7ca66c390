import type { FarEnd } from "../simulator.js";
import type { How } from "./faults.js";

/** What the ECR does not fetch beyond this is lost. */
const SEND_BUFFER_BYTES = 64 * 1024;

export interface Plug {
  /** Resolves when the bytes have left, or never will. */
  put(bytes: Uint8Array): Promise<void>;
  /** Ends the wire after what was put; half-open: it stays, and carries nothing any more. */
  cut(how: How): Promise<void>;
}

/** Serves one wire until it ends. `ended` is called once. */
export function plugIn(farEnd: FarEnd, receive: (bytes: Uint8Array) => void, ended: () => void): Plug {
  const pulled = new AbortController();
  const { signal } = pulled;
  let tail = Promise.resolve();
  let waitingBytes = 0;
  let deaf = false;

  const end = (): void => {
    if (signal.aborted) return;
    pulled.abort();
    void farEnd.close();
    ended();
  };
  // The end comes after the last byte, as `read` has it.
  const serve = async (): Promise<void> => {
    while (!signal.aborted) {
      const bytes = await farEnd.read(signal);
      if (!deaf) receive(bytes);
    }
  };
  // Read errors end the wire; what `receive` throws is a fault of ours and must be seen.
  serve().catch((thrown) => {
    const known = signal.aborted || (typeof thrown === "object" && thrown !== null && "kind" in thrown);
    end();
    if (!known) throw thrown;
  });

  return {
    put(bytes) {
      if (deaf || signal.aborted || waitingBytes + bytes.length > SEND_BUFFER_BYTES) return tail;
      waitingBytes += bytes.length;
      tail = tail
        .then(() => farEnd.write(bytes, signal))
        .catch(end)
        .then(() => {
          waitingBytes -= bytes.length;
        });
      return tail;
    },
    async cut(how) {
      await tail;
      deaf = true;
      if (how === "half-open") return ended();
      if (how === "rst") farEnd.reset?.();
      end();
    },
  };
}
