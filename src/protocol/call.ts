import type { PagePreview } from "./document-scanner.js";
import type { EventData } from "./events.js";
import type { BlobRef, Role } from "./method.js";
import type { MethodName, Params, Result } from "./methods.js";
import type { Topic } from "./session.js";

/** Who asks. */
export interface Caller {
  /** Of this session; secret. Owns claims, enabled scanners, blobs. */
  readonly session: string;
  readonly role: Role;
  /** Owns idempotency keys and jobs: survives a reload. `origin:https://…`, `token:NAME`, `socket:service`. */
  readonly principal: string;
  /** "name version" from hello, for people. */
  readonly client: string;
  /** It came by the console's page, which may be far from the station: devices are its own in maintenance mode only. */
  readonly console?: boolean;
}

/** What a handler is handed besides its params. */
export interface Call {
  readonly caller: Caller;
  /** Aborts on rpc.cancel (`canceled`), on the deadline of `timeoutMs` (`timeout`), on the end of the session. Made on first use. */
  readonly signal: AbortSignal;
  /** @throws DeviceError the reason why nobody waits for the answer any more: the client is gone */
  check(): void;
  /** One of the method's stages. */
  progress(stage: string, fraction?: number, message?: string, page?: PagePreview): void;
  /** Sends the bytes ahead of the result, which then names them. */
  blob(mediaType: string, bytes: Uint8Array): Promise<BlobRef>;
  /** A stream of pictures to this client, past the answer. @throws DeviceError `rate_limited`: it has enough of them */
  stream(): FrameOutlet;
}

/** Pictures on their way to one client. The latest wins: a slow client misses some. */
export interface FrameOutlet {
  readonly channel: number;
  /** False: the client is slow, and nothing was sent. */
  send(picture: Uint8Array, capturedAt: number): boolean;
  close(): void;
  /** Aborts when it was closed, or the client is gone. */
  readonly closed: AbortSignal;
}

/** Methods that the server answers by itself. */
export type ServerMethod = "session.hello" | "events.subscribe" | "events.unsubscribe";

export type Handler<M extends MethodName> = (params: Params<M>, call: Call) => Result<M> | Promise<Result<M>>;
export type Handlers = { readonly [M in Exclude<MethodName, ServerMethod>]: Handler<M> };

/** An event on its way to the sessions that want it. */
export type StationEvent = {
  [T in Topic]: {
    readonly topic: T;
    readonly data: EventData[T];
    /** Only this session gets it. */
    readonly session?: string;
    /** Only sessions of this principal, and technicians. */
    readonly principal?: string;
    /** A later event with the same key replaces this one for a slow client. Left out: never dropped. */
    readonly coalesceKey?: string;
  };
}[Topic];

/** The station as the server sees it: all that is below the wire. */
export interface Station {
  readonly handlers: Handlers;
  /** Registers the one listener of events. */
  onEvent(listener: (event: StationEvent) => void): void;
  /** Answer of events.subscribe for one topic. */
  currentState(topic: Topic, caller: Caller): unknown;
  snapshots(): Result<"devices.list">["devices"];
  /** The connection is gone: claims end and waits were aborted by the server. Another session may take over what this one holds. */
  disconnected(caller: Caller): void;
  /** It is back within the grace time. */
  resumed(caller: Caller): void;
  /** The grace time passed, or the citizen left: nothing of the session stays. */
  sessionEnded(caller: Caller): void;
  /** Every configured device has been tried once and open jobs were looked at. */
  ready(): boolean;
}
