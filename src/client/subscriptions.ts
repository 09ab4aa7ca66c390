import type { EventData } from "../protocol/events.js";
import type { Topic } from "../protocol/session.js";
import type { SimulatorSnapshot } from "../protocol/simulators.js";
import type { Connection, WireEvent } from "./connection.js";
import { emit } from "./platform.js";
import { canceled, type StationError } from "./station-error.js";

/** What the current state of each topic looks like. */
export interface TopicState {
  readonly devices: readonly EventData["devices"][];
  readonly jobs: readonly EventData["jobs"][];
  readonly agent: EventData["agent"];
  readonly chipReader: readonly EventData["chipReader"][];
  readonly simulators: readonly SimulatorSnapshot[];
  /** Codes are told once and never kept. */
  readonly barcodeScanner: unknown;
}

/** First the state of each topic, then its events. After a reconnection the state again, marked `resynced`. */
export type Update<T extends Topic = Topic> = {
  [K in T]:
    | { readonly kind: "state"; readonly topic: K; readonly state: TopicState[K]; readonly resynced: boolean }
    | {
        readonly kind: "event";
        readonly topic: K;
        readonly data: EventData[K];
        readonly seq: number;
        /** Milliseconds since the epoch. */
        readonly time: number;
        /** How many older events of the same thing this one replaces, because this client was slow. */
        readonly coalesced: number;
      };
}[T];

export interface Subscription {
  close(): void;
}

interface Entry {
  readonly topics: readonly Topic[];
  /** It has had its state once: the next is a resynchronisation. */
  seen: boolean;
  readonly listener: (update: Update) => void;
  /** Settles the promise of `subscribe`; once. */
  readonly started: (error?: StationError) => void;
}

export interface Subscriptions {
  add<T extends Topic>(topics: readonly T[], listener: (update: Update<T>) => void, signal?: AbortSignal): Promise<Subscription>;
  event(event: WireEvent): void;
  /** A new connection: everything is asked for again. */
  resync(connection: Connection): void;
  /** The client is closed for good. */
  end(error: StationError): void;
}

/** @param current the connection, or undefined while there is none: the next `resync` then makes up for it */
export function keepSubscriptions(current: () => Connection | undefined): Subscriptions {
  const entries = new Set<Entry>();
  let endedWith: StationError | undefined;

  const ask = (connection: Connection, entry: Entry): void =>
    connection.request(
      "events.subscribe",
      { topics: [...entry.topics] },
      {
        resolve({ state }) {
          if (!entries.has(entry)) return;
          const resynced = entry.seen;
          entry.seen = true;
          entry.started();
          for (const topic of entry.topics) emit([entry.listener], { kind: "state", topic, state: state[topic], resynced } as Update);
        },
        reject(error) {
          if (error.kind === "connection_lost") return;
          entries.delete(entry);
          entry.started(error);
        },
      },
    );

  const remove = (entry: Entry): void => {
    if (!entries.delete(entry)) return;
    entry.started(canceled());
    const unused = entry.topics.filter((topic) => ![...entries].some((other) => other.topics.includes(topic)));
    if (unused.length > 0) current()?.request("events.unsubscribe", { topics: unused }, { resolve() {}, reject() {} });
  };

  return {
    add(topics, listener, signal) {
      return new Promise((resolve, reject) => {
        const entry: Entry = {
          topics,
          seen: false,
          listener: listener as Entry["listener"],
          started(error) {
            if (error) reject(error);
            else resolve({ close });
          },
        };
        const close = (): void => {
          signal?.removeEventListener("abort", close);
          remove(entry);
        };
        if (endedWith) return reject(endedWith);
        if (signal?.aborted) return reject(canceled());
        signal?.addEventListener("abort", close, { once: true });
        entries.add(entry);
        const connection = current();
        if (connection) ask(connection, entry);
      });
    },
    event({ topic, data, seq, time, coalesced }) {
      const wanted = [...entries].filter((entry) => entry.topics.includes(topic));
      emit(
        wanted.map((entry) => entry.listener),
        { kind: "event", topic, data, seq, time, coalesced: coalesced ?? 0 } as Update,
      );
    },
    resync(connection) {
      for (const entry of entries) ask(connection, entry);
    },
    end(error) {
      endedWith = error;
      for (const entry of entries) entry.started(error);
      entries.clear();
    },
  };
}
