import { systemClock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import { createInbox, type Link } from "../kernel/link.js";

/** What differs between transports; everything that links have in common is `wireLink`. */
export interface Wire {
  readonly description: string;
  /** Most bytes of one `write`: small enough that little is under way when a link is cut. */
  readonly chunkBytes: number;
  /** Resolves when the operating system has taken the chunk. May never settle: a native write to a stalled peer does not. */
  write(chunk: Uint8Array): Promise<void>;
  /** Frees the native end; called once. `pendingWrite` when a chunk is still under way. */
  release(pendingWrite: boolean): Promise<void>;
}

export interface WireLink {
  readonly link: Link;
  /** Bytes that came in; they are copied. */
  receive(bytes: Uint8Array): void;
  /** The link is over; only the first reason counts. */
  end(reason: DeviceError): void;
}

/** A native close that hangs keeps nobody waiting longer. */
const RELEASE_LIMIT_MS = 1_000;

/**
 * Makes a link of a wire: bounded inbox, writes one after the other in chunks with back-pressure, one end with one reason.
 *
 * There is no stall limit of its own: a printer without paper takes no bytes for minutes and that is no fault. How long a
 * write may take is the caller's knowledge, and the caller's signal says it.
 */
export function wireLink(wire: Wire): WireLink {
  const inbox = createInbox();
  const over = new AbortController();
  let writing = false;
  let queue: Promise<void> = Promise.resolve();
  let markClosed: () => void;
  const closed = new Promise<void>((resolve) => {
    markClosed = resolve;
  });

  const end = (reason: DeviceError): void => {
    if (over.signal.aborted) return;
    const pendingWrite = writing;
    over.abort(reason);
    inbox.end(reason);
    const released = wire.release(pendingWrite).catch(() => {});
    void Promise.race([released, systemClock().sleep(RELEASE_LIMIT_MS)]).then(() => markClosed());
  };

  const writeChunks = async (bytes: Uint8Array, signal: AbortSignal): Promise<void> => {
    over.signal.throwIfAborted();
    // Nothing has left yet: an abort here leaves the link whole.
    signal.throwIfAborted();
    writing = true;
    try {
      for (let offset = 0; offset < bytes.length; offset += wire.chunkBytes) {
        signal.throwIfAborted();
        const chunk = wire.write(bytes.subarray(offset, offset + wire.chunkBytes));
        await raceSignal(raceSignal(chunk, over.signal), signal);
      }
    } catch (thrown) {
      if (over.signal.aborted) throw over.signal.reason;
      end(signal.aborted ? absent(`${wire.description}: a write was given up`) : lostLink(wire.description, thrown));
      throw signal.aborted ? signal.reason : over.signal.reason;
    } finally {
      writing = false;
    }
  };

  return {
    receive(bytes) {
      // A copy, because native libraries reuse their buffers, and a plain array, because a Buffer's slice() shares memory.
      if (inbox.push(new Uint8Array(bytes)) || over.signal.aborted) return;
      end(
        new DeviceError("device_fault", {
          message: `${wire.description}: floods`,
          hint: "The device sends without end: switch it off and on",
        }),
      );
    },
    end,
    link: {
      description: wire.description,
      closed,
      read: (signal) => inbox.read(signal),
      write(bytes, signal) {
        const turn = queue.then(() => writeChunks(bytes, signal));
        queue = turn.catch(() => {});
        return raceSignal(turn, signal);
      },
      async close() {
        end(absent(`${wire.description} was closed`));
        await closed;
      },
    },
  };
}

/** The far end is gone or was never there. */
export function absent(message: string, cause?: unknown): DeviceError {
  return new DeviceError("device_absent", { message, cause });
}

/** Whatever ended a link that was open. */
export function lostLink(description: string, cause?: unknown): DeviceError {
  return cause instanceof DeviceError ? cause : absent(`${description}: the far end is gone`, cause);
}

/** The code of a system error: "ENOENT". */
export function systemCode(thrown: unknown): string | undefined {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Why a device node could not be opened, with what a technician can do. */
export function openFailure(description: string, thrown: unknown): DeviceError {
  if (thrown instanceof DeviceError) return thrown;
  // Native libraries give no code but the text of strerror.
  const text = `${systemCode(thrown) ?? ""} ${thrown instanceof Error ? thrown.message : ""}`;
  if (/EBUSY|EAGAIN|cannot lock|busy|temporarily unavailable/i.test(text)) {
    return new DeviceError("busy", {
      message: `${description} is in use`,
      hint: "Another program holds the device: ModemManager, brltty, CUPS or a second agent. Stop it, or wait a moment after a restart",
      cause: thrown,
    });
  }
  if (/EACCES|EPERM|permission|not permitted/i.test(text)) {
    return new DeviceError("device_fault", {
      message: `${description} may not be opened`,
      hint: "Install the udev rules, so that the agent's user may open the device",
      cause: thrown,
    });
  }
  if (/ENOENT|ENXIO|ENODEV|EIO|no such|(input\/output|i\/o) error/i.test(text)) return absent(`${description} is not there`, thrown);
  return new DeviceError("device_fault", { message: `${description} could not be opened`, cause: thrown });
}
