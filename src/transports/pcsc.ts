import type { CardReaderLink, CardSession } from "../kernel/card.js";
import type { Clock } from "../kernel/clock.js";
import { raceSignal, within } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import { pcscError } from "./pcsc-errors.js";
import { maxApduOf } from "./pcsc-max-apdu.js";
import { type PcscDeps, type PcscService, sharedPcscService, type WatchedReader } from "./pcsc-service.js";
import { type PcscSession, pcscSession } from "./pcsc-session.js";
import { exists, stuckService } from "./pcsc-usb-node.js";
import { watchPresence } from "./presence.js";
import type { LinkSettings } from "./settings.js";

export type PcscSettings = Extract<LinkSettings, { kind: "pcsc" }>;

/** Card readers of the PC/SC service. */
export type Pcsc = (settings: PcscSettings) => Connect<CardReaderLink>;

/** A native call that was given up holds the reader until it returns; a driver of pcscd gives up a mute card within seconds. */
const RETURN_WITHIN_MS = 10_000;

/**
 * Card readers of the PC/SC service (pcscd). Make one for the process: its readers share one connection to the service,
 * which lasts as long as a reader is open. Opening it blocks the process until the service answers. A reader is connected exclusively, and its card powered down afterwards.
 * A native call cannot be interrupted: a transmit that is aborted, or whose card was lifted, rejects at once and ends its
 * session, and the next `connect` waits until the call has returned.
 */
export function createPcsc(deps: PcscDeps): Pcsc {
  const useService = sharedPcscService(deps);
  return (settings) => async (signal) => {
    signal.throwIfAborted();
    const service = await useService();
    try {
      await raceSignal(service.listed, signal);
      const reader = chooseReader(service.readers, settings.reader);
      // A reader that has just come is opened without the answer.
      const node = await Promise.race([reader.usbNode(), undefined]);
      if (node !== undefined && !(await exists(node))) throw unplugged(reader.name);
      return openReader(service, reader, deps.clock);
    } catch (thrown) {
      service.release();
      throw thrown;
    }
  };
}

/** The reader whose name holds `wanted`, or the only one. */
function chooseReader(readers: ReadonlyMap<string, WatchedReader>, wanted: string | undefined): WatchedReader {
  const names = [...readers.keys()];
  const part = wanted?.toLowerCase() ?? "";
  const exact = wanted === undefined ? undefined : readers.get(wanted);
  const [found, second] = exact ? [exact] : [...readers.values()].filter(({ name }) => name.toLowerCase().includes(part));
  const details = { readers: names };
  if (!found) {
    throw new DeviceError("device_absent", {
      message: wanted === undefined ? "no card reader" : `no card reader of the name ${wanted}`,
      hint:
        names.length === 0
          ? "The PC/SC service sees no reader: check its cable, and that its driver is there (apt install libccid)"
          : `Set link.reader to part of a reader's name: ${names.join(", ")}`,
      details,
    });
  }
  if (second) {
    throw new DeviceError("device_fault", {
      message: wanted === undefined ? "several card readers" : `several card readers of the name ${wanted}`,
      hint: `Set link.reader to part of one reader's name: ${names.join(", ")}`,
      retryable: false,
      details,
    });
  }
  return found;
}

const unplugged = (name: string): DeviceError => stuckService(`${name} is unplugged, and the PC/SC service still lists it`);

export function openReader(service: PcscService, reader: WatchedReader, clock: Clock): CardReaderLink {
  const { library } = service;
  const description = `pcsc ${reader.name}`;
  const over = new AbortController();
  let listener: ((present: boolean) => void) | undefined;
  let session: PcscSession | undefined;
  let connecting = false;
  /** Resolves when the reader can be connected: the native call that was given up last has returned. */
  let free: Promise<unknown> = reader.usbNode();
  /** Known after the first card: the reader is asked through a card's handle. */
  let maxApdu: Promise<number | undefined> | undefined;

  const end = (reason: DeviceError): void => {
    if (over.signal.aborted) return;
    watching[Symbol.dispose]();
    plugged?.[Symbol.dispose]();
    over.abort(reason);
    session?.end(reason);
    // The connection to the service is given back after the calls that go through it.
    free.then(service.release, service.release);
  };
  const watching = reader.watch({
    presence(present) {
      if (!present) session?.end(new DeviceError("card_removed", { message: `${description}: the card was lifted` }));
      listener?.(present);
    },
    gone: end,
  });
  // The service may hang over the very reader that goes, and tell nothing.
  let plugged: Disposable | undefined;
  void reader.usbNode().then((node) => {
    if (node !== undefined && !over.signal.aborted) plugged = watchPresence(node, clock, () => end(unplugged(reader.name)));
  });

  const connectCard = async (): Promise<PcscSession> => {
    const card = await reader.native.connect(library.CardMode.EXCLUSIVE);
    try {
      const { atr } = await card.state();
      maxApdu ??= maxApduOf(library, card);
      return pcscSession(library, card, { atr: new Uint8Array(atr), maxApduBytes: await maxApdu, description, clock });
    } catch (thrown) {
      await card.disconnect(library.CardDisposition.UNPOWER).catch(() => {});
      throw thrown;
    }
  };

  const connect = async (signal: AbortSignal): Promise<CardSession> => {
    signal.throwIfAborted();
    over.signal.throwIfAborted();
    if (session || connecting) throw new DeviceError("busy", { message: `${description}: one session at a time` });
    connecting = true;
    try {
      await waitUntilFree(signal);
      if (!reader.present) throw cardAbsent();
      return await openSession(signal);
    } finally {
      connecting = false;
    }
  };
  const openSession = async (signal: AbortSignal): Promise<CardSession> => {
    const opening = connectCard();
    free = opening.then(
      (opened) => opened.released,
      () => {},
    );
    try {
      const opened = await raceSignal(raceSignal(opening, over.signal), signal);
      // Presence may have changed while the card was powered.
      if (!reader.present) opened.end(new DeviceError("card_removed", { message: `${description}: the card was lifted` }));
      session = opened;
      void opened.ended.then(() => {
        session = undefined;
      });
      return opened;
    } catch (thrown) {
      const givenUp = new DeviceError("canceled", { message: `${description}: the connection was given up` });
      opening.then((late) => late.end(givenUp)).catch(() => {});
      over.signal.throwIfAborted();
      if (signal.aborted) throw signal.reason;
      const error = pcscError(thrown, description);
      if (error.kind === "device_absent") end(error);
      throw error.kind === "card_removed" ? cardAbsent() : error;
    }
  };
  const cardAbsent = (): DeviceError => new DeviceError("card_absent", { message: `${description}: no card` });
  const waitUntilFree = async (signal: AbortSignal): Promise<void> => {
    await within(clock, RETURN_WITHIN_MS, signal, () => raceSignal(free, over.signal)).catch((thrown) => {
      if (signal.aborted || over.signal.aborted) throw thrown;
      throw new DeviceError("device_fault", {
        message: `${description}: the reader does not come back from an APDU`,
        hint: "Pull the reader's cable and plug it in again; if that does not help: systemctl restart pcscd",
      });
    });
  };

  return {
    description,
    reader: reader.name,
    get present() {
      return reader.present && !over.signal.aborted;
    },
    onPresence(next) {
      listener = next;
    },
    connect,
    closed: new Promise((resolve) => {
      over.signal.addEventListener("abort", () => resolve(over.signal.reason as DeviceError), { once: true });
    }),
    async close() {
      const open = session;
      end(new DeviceError("device_absent", { message: `${description} was closed` }));
      await open?.close();
    },
  };
}
