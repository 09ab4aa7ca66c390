import { type SupervisedChild, superviseChild } from "../../child/child.js";
import { type Clock, systemClock } from "../../kernel/clock.js";
import { deadline } from "../../kernel/deadline.js";
import type { Logger } from "../../kernel/log.js";
import type { Pcsc } from "../pcsc.js";
import { stuckService } from "../pcsc-usb-node.js";
import type { OpenReader, PresenceChange, ReaderFacts } from "./card-calls.js";
import { type CardHost, hostedReader, type Presence } from "./hosted-reader.js";
import { HOST_MEMORY_MB } from "./spare.js";

const ENTRY = new URL("./card-host-entry.js", import.meta.url);
/** Longer than the pause between two tries to open a reader, so that a missing one costs one process and not one per try. */
const IDLE_STOP_MS = 10_000;
/** For the native end to power a card down and to close in good order. */
const FAREWELL_MS = 1_000;

/**
 * Card readers of the PC/SC service whose native library runs in one child process for all of them, so that neither a frozen
 * service nor the library can hold the agent. The child starts with the first reader and is killed after the last. One that
 * is killed, stopped or hangs ends every reader with `device_absent` within two seconds, and the next opening starts another.
 */
export function hostedPcsc({ clock, log }: { readonly clock: Clock; readonly log: Logger }, entry = ENTRY): Pcsc {
  const presences = new Map<number, Presence>();
  let nextId = 0;
  let child: SupervisedChild | undefined;
  let users = 0;

  const startedChild = (): SupervisedChild => {
    const started = superviseChild({ entry, name: "host of pcsc", log, clock, idleStopMs: IDLE_STOP_MS, maxMemoryMb: HOST_MEMORY_MB });
    started.onEvent((_presence, value) => {
      const { link, present } = value as PresenceChange;
      const presence = presences.get(link);
      if (!presence) return;
      presence.present = present;
      presence.changed(present);
    });
    return started;
  };
  /** Killed and not asked: in the library the way out can hang. One that died by itself stays, with its back-off. */
  const endUnused = async (): Promise<void> => {
    if (users > 0 || child?.pid === undefined) return;
    const unused = child;
    child = undefined;
    await unused.stop();
  };

  return (settings) => async (signal) => {
    signal.throwIfAborted();
    child ??= startedChild();
    const used = child;
    const link = nextId++;
    const presence: Presence = { present: false, changed() {} };
    presences.set(link, presence);
    users++;
    const host: CardHost = {
      newId: () => nextId++,
      call: (method, args, signal) => used.call(method, args, signal),
      async tell(method, id) {
        // A call would start a child that has never heard of it.
        if (used.pid === undefined) return;
        using limit = deadline(systemClock(), FAREWELL_MS);
        await used.call(method, id, limit.signal).catch(() => {});
      },
    };
    const forget = (): void => {
      presences.delete(link);
      users--;
    };
    const leave = async (): Promise<void> => {
      forget();
      await endUnused();
    };
    try {
      const facts = await openIn(used, { link, settings }, signal);
      return hostedReader({ host, link, facts, presence, leave });
    } catch (thrown) {
      if (signal.aborted) {
        // The child may hang in this very call; where others use it, the answer may be under way.
        await leave();
        void host.tell("close", link);
      } else {
        // The child stays a while for the next try.
        forget();
      }
      throw thrown;
    }
  };
}

async function openIn(child: SupervisedChild, args: OpenReader, signal: AbortSignal): Promise<ReaderFacts> {
  let died = false;
  using _ = child.onExit(() => {
    died = true;
  });
  try {
    return (await child.call("open", args, signal)) as ReaderFacts;
  } catch (thrown) {
    if (signal.aborted || !died) throw thrown;
    throw stuckService("the PC/SC service could not be asked: its host process hung or died", thrown);
  }
}
