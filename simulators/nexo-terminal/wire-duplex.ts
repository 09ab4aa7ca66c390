import { Duplex } from "node:stream";
import type { FarEnd } from "../simulator.js";
import type { How } from "./faults.js";

/** One wire as a stream that TLS can be put on. */
export interface PluggedWire {
  readonly duplex: Duplex;
  /** Resolves when the wire is gone for good. */
  readonly closed: Promise<void>;
  /** Aborts when the wire has ended, as far as the terminal knows. */
  readonly gone: AbortSignal;
  /** Ends the wire after what was written; half-open: it stays, and carries nothing any more. */
  cut(how: How): Promise<void>;
}

export function plugIn(farEnd: FarEnd): PluggedWire {
  const gone = new AbortController();
  const pulled = new AbortController();
  let tail = Promise.resolve();
  let deaf = false;
  let reading = false;

  const end = (): void => {
    if (pulled.signal.aborted) return;
    pulled.abort();
    gone.abort();
    void farEnd.close();
    duplex.destroy();
  };
  const next = async (): Promise<void> => {
    if (reading) return;
    reading = true;
    try {
      let bytes = await farEnd.read(pulled.signal);
      // What comes over a dead wire is taken and lost, so that its end is seen.
      while (deaf) bytes = await farEnd.read(pulled.signal);
      reading = false;
      duplex.push(bytes);
    } catch {
      if (deaf) end();
      else if (!duplex.destroyed) duplex.push(null);
    }
  };
  const duplex = new Duplex({
    read: () => void next(),
    write(bytes: Uint8Array, _encoding, done) {
      if (deaf || pulled.signal.aborted) return done();
      tail = farEnd
        .write(bytes, pulled.signal)
        .catch(end)
        .then(() => done());
    },
    final(done) {
      void tail.then(() => {
        done();
        if (!deaf) end();
      });
    },
    destroy(_error, done) {
      // A dead wire stays, whatever becomes of what was on it.
      if (deaf) void next();
      else end();
      done(null);
    },
  });
  duplex.on("error", end);
  void farEnd.closed.then(end);

  return {
    duplex,
    closed: farEnd.closed,
    gone: gone.signal,
    async cut(how) {
      await tail;
      if (how === "half-open") {
        deaf = true;
        return gone.abort();
      }
      if (how === "rst") farEnd.reset?.();
      end();
    },
  };
}
