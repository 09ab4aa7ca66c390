import type { Caller, StationEvent } from "../protocol/call.js";
import type { Topic } from "../protocol/session.js";

/** An event as text, made once for all sessions that get it. Only `seq` and `coalesced` differ between them. */
export interface EncodedEvent {
  readonly topic: Topic;
  readonly coalesceKey: string | undefined;
  /** The fields of `params` but those two, as the inside of a JSON object. */
  readonly body: string;
}

export function encodeEvent(event: StationEvent, time: number): EncodedEvent {
  return {
    topic: event.topic,
    coalesceKey: event.coalesceKey === undefined ? undefined : `${event.topic} ${event.coalesceKey}`,
    body: `"topic":"${event.topic}","time":${time},"data":${JSON.stringify(event.data)}`,
  };
}

/** May this caller see the event, where it has subscribed to the topic? */
export function isFor(event: StationEvent, caller: Caller): boolean {
  if (event.topic === "simulators" && caller.role !== "simulator") return false;
  if (event.session !== undefined) return event.session === caller.session;
  return event.principal === undefined || event.principal === caller.principal || caller.role === "technician";
}

interface Waiting {
  readonly event: EncodedEvent;
  readonly coalesced: number;
}

/** The events of one session: numbered as they leave, so that numbers have no gaps whatever was coalesced. */
export interface EventStream {
  readonly topics: Set<Topic>;
  /** Of the last event that left. */
  readonly seq: number;
  readonly waitingBytes: number;
  /** Sends the event, or keeps it where the client is slow or away. */
  deliver(event: EncodedEvent): void;
  /** Sends what waits, as far as the client takes it. */
  flush(): void;
  /** The citizen left: codes that were not handed over are forgotten. */
  forget(topic: Topic): void;
}

/** Undefined: nobody is there, or has no room. */
export type EventOutlet = () => ((message: string) => void) | undefined;

export function createEventStream(outlet: EventOutlet): EventStream {
  const topics = new Set<Topic>();
  // In the order in which they happened; a coalesced event moves to its newest place.
  const waiting = new Map<string | symbol, Waiting>();
  let seq = 0;
  let waitingBytes = 0;

  const send = (write: (message: string) => void, { event, coalesced }: Waiting): void => {
    seq += 1;
    const note = coalesced === 0 ? "" : `,"coalesced":${coalesced}`;
    write(`{"jsonrpc":"2.0","method":"event","params":{"seq":${seq},${event.body}${note}}}`);
  };
  const drop = (key: string | symbol): Waiting | undefined => {
    const dropped = waiting.get(key);
    if (dropped === undefined) return undefined;
    waiting.delete(key);
    waitingBytes -= dropped.event.body.length;
    return dropped;
  };

  return {
    topics,
    get seq() {
      return seq;
    },
    get waitingBytes() {
      return waitingBytes;
    },
    deliver(event) {
      const write = waiting.size === 0 ? outlet() : undefined;
      if (write !== undefined) {
        send(write, { event, coalesced: 0 });
        return;
      }
      const key = event.coalesceKey ?? Symbol();
      const older = drop(key);
      waiting.set(key, { event, coalesced: older === undefined ? 0 : older.coalesced + 1 });
      waitingBytes += event.body.length;
    },
    flush() {
      for (const key of [...waiting.keys()]) {
        const write = outlet();
        if (write === undefined) return;
        const next = drop(key);
        if (next !== undefined) send(write, next);
      }
    },
    forget(topic) {
      for (const [key, { event }] of [...waiting]) if (event.topic === topic) drop(key);
    },
  };
}
