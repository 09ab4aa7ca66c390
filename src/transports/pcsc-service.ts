import type { Client, Reader } from "pcsc-mini";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import { pcscError } from "./pcsc-errors.js";
import { usbNodeOf } from "./pcsc-usb-node.js";

export type PcscLibrary = typeof import("pcsc-mini");

/** Readers are told one by one in a burst; a service without any tells nothing. */
const FIRST_READER_WITHIN_MS = 500;
const BURST_MS = 30;
/**
 * The library must not be stopped while it looks at a change: the call would block the process for good, for the watching
 * thread would miss the cancellation and wait on with the context locked that is to be released.
 */
const QUIET_MS = 500;

export interface ReaderListener {
  presence(present: boolean): void;
  /** The reader was unplugged, or the service has died. */
  gone(reason: DeviceError): void;
}

/** A reader that the service knows. */
export interface WatchedReader {
  readonly name: string;
  readonly native: Reader;
  readonly present: boolean;
  /** See usbNodeOf; asked once. */
  usbNode(): Promise<string | undefined>;
  watch(listener: ReaderListener): Disposable;
}

export interface PcscDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** The connection stays without a user: for a process that is killed when nobody needs it. */
  readonly keepService?: boolean;
}

/** One connection to the PC/SC service. */
export interface PcscService {
  readonly library: PcscLibrary;
  readonly readers: ReadonlyMap<string, WatchedReader>;
  /** Resolves when the readers that were there at the start are known. */
  readonly listed: Promise<void>;
  /** Gives the connection back. Idempotent. */
  release(): void;
}

/**
 * One connection to the PC/SC service for all readers of the process: opened for the first user, ended half a
 * second after the last one. A connection that has lost its service never recovers (the library goes on saying that it runs), so it is
 * thrown away and the next user gets a new one.
 */
export function sharedPcscService({ clock, log, keepService = false }: PcscDeps): () => Promise<PcscService> {
  let current: { readonly connection: Connection; users: number } | undefined;
  return async () => {
    const library = await loadLibrary();
    if (!current || current.connection.dead) current = { connection: connectService(library, { clock, log }), users: 0 };
    const mine = current;
    const endUnused = (): void => {
      if (mine.users > 0 || mine.connection.dead) return;
      if (mine.connection.quietMs() >= QUIET_MS) mine.connection.stop();
      else clock.timer(QUIET_MS, endUnused);
    };
    mine.users++;
    let released = false;
    return {
      library,
      readers: mine.connection.readers,
      listed: mine.connection.listed,
      release() {
        if (released) return;
        released = true;
        if (--mine.users === 0 && !keepService) clock.timer(QUIET_MS, endUnused);
      },
    };
  };
}

async function loadLibrary(): Promise<PcscLibrary> {
  try {
    const loaded = await import("pcsc-mini");
    // CommonJS: what Node cannot see from outside hangs on the default export.
    return (loaded as unknown as { default?: PcscLibrary }).default ?? loaded;
  } catch (thrown) {
    const text = thrown instanceof Error ? thrown.message : "";
    throw new DeviceError("device_absent", {
      message: "the PC/SC library cannot be loaded",
      hint: /libpcsclite/.test(text)
        ? "apt install libpcsclite1 pcscd"
        : "The native part of pcsc-mini does not fit this machine: install the agent again on it (npm ci), with optional packages",
      cause: thrown,
    });
  }
}

interface Connection {
  readonly readers: ReadonlyMap<string, WatchedReader>;
  readonly listed: Promise<void>;
  readonly dead: boolean;
  /** How long nothing has changed at any reader. */
  quietMs(): number;
  stop(): void;
}

/** @throws DeviceError `device_absent` where the service does not run */
function connectService(library: PcscLibrary, { clock, log }: PcscDeps): Connection {
  const readers = new Map<string, WatchedReader & { gone(reason: DeviceError): void }>();
  const client: Client = new library.Client();
  let dead = false;
  let changedAtMs = clock.monotonicMs();
  let listed: () => void = () => {};
  const listing = new Promise<void>((resolve) => {
    listed = resolve;
  });

  const stop = (): void => {
    if (dead) return;
    dead = true;
    client.removeAllListeners();
    // What the library still has to say after its service died is an error that nobody listens to, which Node takes for a crash.
    client.on("error", () => {});
    try {
      client.stop();
    } catch {
      // The service is gone: there is nothing to stop.
    }
  };
  client.on("reader", (native) => {
    clock.timer(BURST_MS, listed);
    const name = native.name();
    const changed = (): void => {
      changedAtMs = clock.monotonicMs();
    };
    native.on("change", changed).on("disconnect", changed);
    const watched = watchReader(library, native, (reason) => {
      readers.delete(name);
      log.debug("card reader gone", { reason: reason.kind });
    });
    readers.set(name, watched);
  });
  client.on("error", (error) => {
    const reason = pcscError(error, "pcsc");
    stop();
    listed();
    for (const reader of [...readers.values()]) reader.gone(reason);
  });
  try {
    client.start();
  } catch (thrown) {
    dead = true;
    throw pcscError(thrown, "pcsc");
  }
  clock.timer(FIRST_READER_WITHIN_MS, listed);
  return {
    readers,
    listed: listing,
    get dead() {
      return dead;
    },
    quietMs: () => clock.monotonicMs() - changedAtMs,
    stop,
  };
}

/** How often a card came or went, in the upper half of the status (SCARD_READERSTATE, `dwEventState`). */
const eventCount = (rawStatus: number): number => rawStatus >>> 16;

export function watchReader(
  library: PcscLibrary,
  native: Reader,
  forget: (reason: DeviceError) => void,
): WatchedReader & { gone(reason: DeviceError): void } {
  const listeners = new Set<ReaderListener>();
  let present = false;
  let count = 0;
  let node: Promise<string | undefined> | undefined;
  const become = (next: boolean): void => {
    present = next;
    for (const listener of [...listeners]) listener.presence(next);
  };
  const gone = (reason: DeviceError): void => {
    forget(reason);
    for (const listener of [...listeners]) listener.gone(reason);
    listeners.clear();
  };
  native.on("change", (status) => {
    const next = status.has(library.ReaderStatus.PRESENT);
    // Both events of a quick swap can come as one change.
    const swapped = present && next && eventCount(status.raw) - count >= 2;
    count = eventCount(status.raw);
    if (swapped) become(false);
    if (next !== present) become(next);
  });
  native.on("disconnect", () =>
    gone(
      new DeviceError("device_absent", { message: `pcsc ${native.name()}: the reader was unplugged`, hint: "Check the reader's cable" }),
    ),
  );
  return {
    name: native.name(),
    native,
    get present() {
      return present;
    },
    usbNode() {
      node ??= usbNodeOf(library, native);
      return node;
    },
    watch(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    gone,
  };
}
