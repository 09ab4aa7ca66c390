import { setImmediate as nextTurn } from "node:timers/promises";
import { serveChild } from "../../child/serve.js";
import type { CardReaderLink, CardSession } from "../../kernel/card.js";
import { systemClock } from "../../kernel/clock.js";
import { errorObject } from "../../kernel/errors.js";
import { silentLog } from "../../kernel/log.js";
import { createPcsc } from "../pcsc.js";
import { absent } from "../wire.js";
import type { CardFacts, ConnectCard, OpenReader, PresenceChange, ReaderFacts, TransmitApdu } from "./card-calls.js";

/** The native end of the hosted card readers. What comes in is our own parent's, typed by card-calls.ts. */
const pcsc = createPcsc({ clock: systemClock(), log: silentLog, keepService: true });
const links = new Map<number, CardReaderLink>();
const sessions = new Map<number, CardSession>();

function known<T>(things: ReadonlyMap<number, T>, id: unknown): T {
  const thing = things.get(id as number);
  if (!thing) throw absent("the reader was opened in a child process that has ended");
  return thing;
}

// See serial-host-entry.
await import("pcsc-mini").catch(() => {});
serveChild({
  async open(args, { signal, emit }): Promise<ReaderFacts> {
    const { link: id, settings } = args as OpenReader;
    const link = await pcsc(settings)(signal);
    if (signal.aborted) {
      await link.close();
      throw signal.reason;
    }
    links.set(id, link);
    const tell = (present: boolean): void => emit("presence", { link: id, present } satisfies PresenceChange);
    link.onPresence(tell);
    if (link.present) tell(true);
    return { description: link.description, reader: link.reader };
  },
  async closed(id) {
    const reason = await known(links, id).closed;
    links.delete(id as number);
    return errorObject(reason);
  },
  async connect(args, { signal }): Promise<CardFacts> {
    const { link, session: id } = args as ConnectCard;
    // An end of the session before, told in the same breath, runs its course first.
    await nextTurn();
    const session = await known(links, link).connect(signal);
    if (signal.aborted) {
      await session.close();
      throw signal.reason;
    }
    sessions.set(id, session);
    return { atr: session.atr, maxApduBytes: session.maxApduBytes };
  },
  async ended(id) {
    const reason = await known(sessions, id).ended;
    sessions.delete(id as number);
    return errorObject(reason);
  },
  async transmit(args, { signal }) {
    const { session, apdu } = args as TransmitApdu;
    return await known(sessions, session).transmit(apdu, signal);
  },
  async closeSession(id) {
    await sessions.get(id as number)?.close();
    sessions.delete(id as number);
  },
  async close(id) {
    await links.get(id as number)?.close();
    links.delete(id as number);
  },
});
