import type { CardReaderLink, CardSession } from "../../kernel/card.js";
import { raceSignal } from "../../kernel/deadline.js";
import { asDeviceError, DeviceError, type ErrorObject, fromErrorObject } from "../../kernel/errors.js";
import type { CardFacts, ReaderFacts } from "./card-calls.js";

/** The child, as one of its readers sees it. */
export interface CardHost {
  newId(): number;
  call(method: string, args: unknown, signal: AbortSignal): Promise<unknown>;
  /** Says that something is no longer wanted; does not wait long and never rejects. */
  tell(method: "close" | "closeSession", id: number): Promise<void>;
}

/** What the child told last. */
export interface Presence {
  present: boolean;
  changed(present: boolean): void;
}

interface ReaderInChild {
  readonly host: CardHost;
  readonly link: number;
  readonly facts: ReaderFacts;
  readonly presence: Presence;
  /** The reader is not used any more. */
  leave(): Promise<void>;
}

interface Session extends CardSession {
  end(reason: DeviceError): void;
}

/** The agent's side of a reader in the child. */
export function hostedReader({ host, link, facts, presence, leave }: ReaderInChild): CardReaderLink {
  const description = `${facts.description} (hosted)`;
  const over = new AbortController();
  let listener: ((present: boolean) => void) | undefined;
  let session: Session | undefined;
  let left: Promise<void> | undefined;

  const end = (reason: DeviceError, farewell: Promise<void> = Promise.resolve()): void => {
    if (over.signal.aborted) return;
    presence.changed = () => {};
    over.abort(reason);
    session?.end(reason);
    left = farewell.then(leave);
  };
  presence.changed = (present) => {
    if (!present) session?.end(new DeviceError("card_removed", { message: `${description}: the card was lifted` }));
    listener?.(present);
  };
  // Under way as long as the reader is open: that keeps the child from being idle.
  const reason = reasonOf(host.call("closed", link, over.signal));
  void reason.then((told) => end(told));

  return {
    description,
    reader: facts.reader,
    get present() {
      return presence.present && !over.signal.aborted;
    },
    onPresence(next) {
      listener = next;
    },
    async connect(signal) {
      signal.throwIfAborted();
      over.signal.throwIfAborted();
      const id = host.newId();
      let card: CardFacts;
      try {
        card = (await raceSignal(host.call("connect", { link, session: id }, signal), over.signal)) as CardFacts;
      } catch (thrown) {
        // It may have been opened a moment before.
        if (signal.aborted) void host.tell("closeSession", id);
        throw thrown;
      }
      const opened = hostedSession(host, id, card, description);
      session = opened;
      // Closed while the answer was on its way.
      if (over.signal.aborted) opened.end(over.signal.reason as DeviceError);
      return opened;
    },
    closed: new Promise((resolve) => {
      over.signal.addEventListener("abort", () => resolve(over.signal.reason as DeviceError), { once: true });
    }),
    async close() {
      if (!over.signal.aborted) {
        end(new DeviceError("device_absent", { message: `${description} was closed` }), host.tell("close", link));
      }
      await left;
    },
  };
}

function hostedSession(host: CardHost, id: number, { atr, maxApduBytes }: CardFacts, description: string): Session {
  const over = new AbortController();
  const end = (reason: DeviceError): void => {
    if (!over.signal.aborted) over.abort(reason);
  };
  void reasonOf(host.call("ended", id, over.signal)).then(end);

  return {
    atr,
    maxApduBytes,
    end,
    ended: new Promise((resolve) => {
      over.signal.addEventListener("abort", () => resolve(over.signal.reason as DeviceError), { once: true });
    }),
    async transmit(apdu, signal) {
      signal.throwIfAborted();
      over.signal.throwIfAborted();
      try {
        return (await raceSignal(host.call("transmit", { session: id, apdu }, signal), over.signal)) as Uint8Array;
      } catch (thrown) {
        if (signal.aborted && !over.signal.aborted) {
          end(new DeviceError("canceled", { message: `${description}: an APDU was given up` }));
          // The answer may have left the child before it heard of the cancel: then its session goes on.
          void host.tell("closeSession", id);
        }
        throw thrown;
      }
    },
    async close() {
      if (over.signal.aborted) return;
      end(new DeviceError("canceled", { message: `${description}: the session was closed` }));
      await host.tell("closeSession", id);
    },
  };
}

/** Why something in the child is over: what the child says, or the end of the child. */
async function reasonOf(call: Promise<unknown>): Promise<DeviceError> {
  try {
    return fromErrorObject((await call) as ErrorObject);
  } catch (thrown) {
    return asDeviceError(thrown);
  }
}
