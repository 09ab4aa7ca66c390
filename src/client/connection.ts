import { decodeFrame } from "../protocol/binary-frame.js";
import type { PagePreview } from "../protocol/document-scanner.js";
import type { EventNotification } from "../protocol/events.js";
import type { BlobRef } from "../protocol/method.js";
import type { MethodName, ParamsInput, Result } from "../protocol/methods.js";
import { SUBPROTOCOL } from "../protocol/version.js";
import { collectBlobs } from "./blobs.js";
import { emit, type Platform } from "./platform.js";
import type { Chunk } from "./previews.js";
import { canceled, connectionLost, fromWire, type StationError } from "./station-error.js";

/** How long an agent may take from the first packet to the answer of `session.hello`. */
const OPEN_WITHIN_MS = 5_000;

export type Hello = Result<"session.hello">;
export type WireEvent = (typeof EventNotification)["_output"];

export interface Progress {
  readonly stage: string;
  /** From 0 to 1. */
  readonly fraction?: number;
  readonly message?: string;
  /** A page that was just scanned: `client.blob(page.thumbnail)` shows it. */
  readonly page?: PagePreview;
}

/** Called, not awaited: what follows on the wire must find the answer's effects in place. */
export interface Pending<R> {
  resolve(result: R): void;
  reject(error: StationError): void;
  progress?: ((progress: Progress) => void) | undefined;
  /** Sends `rpc.cancel`; the agent's answer still settles the request. */
  signal?: AbortSignal | undefined;
}

interface Waiting extends Pending<unknown> {
  /** What was told of it and waits for its blobs: what follows waits behind it. */
  told?: Promise<void> | undefined;
}

/** One WebSocket from hello to its end. */
export interface Connection {
  readonly hello: Hello;
  request<M extends MethodName>(method: M, params: ParamsInput<M>, pending: Pending<Result<M>>): void;
  /** Resolves, never rejects, when it has ended; whatever was pending has been rejected with the same error. */
  readonly closed: Promise<StationError>;
  close(): void;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly greeting: ParamsInput<"session.hello">;
  readonly blobs: WeakMap<BlobRef, Blob>;
  /** Aborted with a StationError: the end, and the reason that is told to all who wait. */
  readonly signal: AbortSignal;
  onEvent(event: WireEvent): void;
  onPreview(chunk: Chunk): void;
}

/** @throws StationError `connection_lost`, or what the agent answered to hello */
export function openConnection(platform: Platform, options: ConnectionOptions): Promise<Connection> {
  const { blobs, signal } = options;
  return new Promise((resolveOpen, rejectOpen) => {
    const pending = new Map<number, Waiting>();
    const collected = collectBlobs(blobs);
    let nextId = 1;
    let ended = false;
    let heard = false;
    let tellClosed: (error: StationError) => void;
    const closed = new Promise<StationError>((resolve) => {
      tellClosed = resolve;
    });

    const end = (error: StationError): void => {
      if (ended) return;
      ended = true;
      stopTimer();
      signal.removeEventListener("abort", onAbort);
      socket.close();
      const unanswered = [...pending.values()];
      pending.clear();
      collected.clear();
      for (const entry of unanswered) entry.reject(error);
      rejectOpen(error);
      tellClosed(error);
    };
    const onAbort = (): void => end(signal.reason);

    const send = (message: object): void => socket.send(JSON.stringify({ jsonrpc: "2.0", ...message }));

    const request = (method: string, params: unknown, entry: Pending<unknown>): void => {
      if (ended) return entry.reject(connectionLost("the connection is closed"));
      if (entry.signal?.aborted) return entry.reject(canceled());
      const id = nextId++;
      const cancel = (): void => send({ method: "rpc.cancel", params: { id } });
      const settled = (): void => entry.signal?.removeEventListener("abort", cancel);
      entry.signal?.addEventListener("abort", cancel, { once: true });
      pending.set(id, {
        progress: entry.progress,
        resolve(result) {
          settled();
          entry.resolve(result);
        },
        reject(error) {
          settled();
          entry.reject(error);
        },
      });
      send({ id, method, params });
    };

    const answer = (id: number, message: { result?: unknown; error?: unknown }): void => {
      const entry = pending.get(id);
      pending.delete(id);
      if (!entry) return;
      const whole = message.error === undefined ? collected.claim(message.result) : undefined;
      const settle = (): void => (message.error === undefined ? entry.resolve(message.result) : entry.reject(fromWire(message.error)));
      if (!whole && !entry.told) return settle();
      Promise.all([whole, entry.told]).then(settle, entry.reject);
    };

    const tell = (entry: Waiting, progress: Progress): void => {
      // A damaged thumbnail shows when it is asked for; the progress is true all the same.
      const whole = collected.claim(progress)?.catch(() => {});
      const now = (): void => entry.progress?.(progress);
      if (!whole && !entry.told) return now();
      entry.told = Promise.all([whole, entry.told]).then(() => emit([now], undefined));
    };

    const receive = (text: string): void => {
      let message: { id?: unknown; method?: unknown; params?: unknown; result?: unknown; error?: unknown } | null;
      try {
        message = JSON.parse(text);
      } catch {
        return end(connectionLost("the agent sent something that is not JSON"));
      }
      if (typeof message !== "object" || message === null) return;
      if (message.method === "event") options.onEvent(message.params as WireEvent);
      else if (message.method === "rpc.progress") {
        const { id, ...progress } = message.params as Progress & { id: number };
        const entry = pending.get(id);
        if (entry) tell(entry, progress);
      } else if (typeof message.id === "number") answer(message.id, message);
      // An error without an id answers something that was not readable as a request: nothing waits for it.
    };

    const watchSilence = (silenceMs: number): void => {
      heard = false;
      stopTimer = platform.after(silenceMs, () => (heard ? watchSilence(silenceMs) : end(connectionLost("the agent fell silent"))));
    };

    if (signal.aborted) return rejectOpen(signal.reason);
    const socket = platform.openSocket(options.url, SUBPROTOCOL, {
      open() {
        request("session.hello", options.greeting, {
          resolve(hello) {
            stopTimer();
            if (platform.silenceMs !== undefined) watchSilence(platform.silenceMs);
            resolveOpen({
              hello: hello as Hello,
              request: request as Connection["request"],
              closed,
              close: () => end(connectionLost("closed by the caller")),
            });
          },
          reject: end,
        });
      },
      text(text) {
        heard = true;
        if (!ended) receive(text);
      },
      bytes(bytes) {
        heard = true;
        const frame = ended ? undefined : decodeFrame(bytes);
        // What is no frame, or of a kind that this client does not know, is passed over.
        if (frame?.header.kind === "blob") collected.receive(frame);
        else if (frame?.header.kind === "preview") options.onPreview(frame);
      },
      alive() {
        heard = true;
      },
      closed: (code, reason) => end(connectionLost(`the connection ended (${code}${reason === "" ? "" : `: ${reason}`})`)),
    });
    let stopTimer = platform.after(OPEN_WITHIN_MS, () => end(connectionLost("the agent did not answer")));
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
