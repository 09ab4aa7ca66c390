import type { Scan } from "../protocol/barcode-scanner.js";
import type { ServerMethod } from "../protocol/call.js";
import type { PrintJob } from "../protocol/jobs.js";
import type { BlobRef } from "../protocol/method.js";
import type { MethodName, ParamsInput, Result } from "../protocol/methods.js";
import type { Topic } from "../protocol/session.js";
import { DEFAULT_PORT, PROTOCOL, SOCKET_PATH } from "../protocol/version.js";
import { type Connection, type Hello, openConnection, type Progress } from "./connection.js";
import { pause } from "./following.js";
import { followPayment, type Payment, type PayOptions } from "./pay.js";
import { emit, type Platform } from "./platform.js";
import { keepPreviews, type PreviewOptions, type PreviewPicture } from "./previews.js";
import { followPrint, type PrintOptions } from "./print.js";
import { createQueue } from "./queue.js";
import { type ScanOptions, scanCodes } from "./scans.js";
import { asStationError, canceled, connectionLost, StationError } from "./station-error.js";
import { keepSubscriptions, type Subscription, type Update } from "./subscriptions.js";

/** `refused`: the agent does not want this client, and asking again would not help. */
export type ConnectionState = "connecting" | "open" | "closed" | "refused";

/** Methods for `call`; the others have their own functions here. */
export type CallableMethod = Exclude<MethodName, ServerMethod>;

export interface ConnectOptions {
  /** `ws://127.0.0.1:7870/v1` unless told; in Node also `ws+unix:/run/stationd/service.sock:/v1`. */
  readonly url?: string;
  readonly client: { readonly name: string; readonly version: string };
  /** A function is asked anew at every connection, for tokens that serve once. */
  readonly token?: string | (() => Promise<string>);
  /** Without it a demo or test agent is refused, so that simulated results are never taken for real ones. */
  readonly allowSimulated?: boolean;
  /**
   * Milliseconds before the first and between the later attempts (doubling, with jitter). The first connection is
   * tried again too: a page may start before the agent. `false`: one attempt, and closed when it is lost.
   */
  readonly reconnect?: false | { readonly firstMs: number; readonly maxMs: number };
  /** Ends the attempts, and the client. */
  readonly signal?: AbortSignal;
  /** As `onState` of the client, but from the first attempt on. */
  readonly onState?: (state: ConnectionState) => void;
}

export interface CallOptions {
  /** Asks the agent to stop: the call then rejects with `canceled`, or, for a job, still answers with the job. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface SubscribeOptions {
  readonly signal?: AbortSignal;
}

export interface StationClient {
  /** The agent's latest greeting: mode, role, devices as they were then. */
  readonly hello: Hello;
  readonly state: ConnectionState;
  /** @returns a function that stops listening */
  onState(listener: (state: ConnectionState) => void): () => void;
  /**
   * One request. Rejects with StationError: the agent's, or `connection_lost` at once while there is no connection
   * and when it is lost before the answer.
   */
  call<M extends CallableMethod>(method: M, params: ParamsInput<M>, options?: CallOptions): Promise<Result<M>>;
  /** The bytes that a result names, whole and verified. Lives as long as the result's reference. */
  blob(ref: BlobRef): Blob;
  /** Resolves when the agent has agreed; the listener has the state of each topic right after, and again after every reconnection. */
  subscribe<T extends Topic>(
    topics: readonly T[],
    listener: (update: Update<T>) => void,
    options?: SubscribeOptions,
  ): Promise<Subscription>;
  /** The same as a stream: `for await (const update of client.events(["devices"]))`. */
  events<T extends Topic>(topics: readonly T[], options?: SubscribeOptions): AsyncIterableIterator<Update<T>>;
  /**
   * Live pictures of a camera, JPEG each, and again after every reconnection. Resolves when the signal ends it; rejects with
   * StationError where the agent refuses. What comes while the camera is lost is nothing: pictures go on when it is back.
   */
  preview(options: PreviewOptions, onFrame: (jpeg: Blob, picture: PreviewPicture) => void, following?: SubscribeOptions): Promise<void>;
  readonly jobs: {
    /** Prints once and follows the job to its end over lost connections. */
    print(request: ParamsInput<"printer.print">, options?: PrintOptions): Promise<PrintJob>;
    /** Takes one payment and follows it to its end over lost connections and reloads; see `PayOptions`. */
    pay(request: ParamsInput<"paymentTerminal.pay">, options?: PayOptions): Promise<Payment>;
  };
  readonly barcodeScanner: {
    /** Codes as they are scanned; leaving the loop disables the scanner. */
    scans(options?: ScanOptions): AsyncIterableIterator<Scan>;
  };
  /** Ends the connection and all attempts; whatever is pending rejects with `connection_lost`. Idempotent. */
  close(): void;
}

export type ConnectStation = (options: ConnectOptions) => Promise<StationClient>;

async function tokenOf({ token }: ConnectOptions): Promise<string | undefined> {
  if (typeof token !== "function") return token;
  try {
    return await token();
  } catch {
    throw connectionLost("no token could be had");
  }
}

const RECONNECT = { firstMs: 250, maxMs: 10_000 };

export function createConnect(platform: Platform): ConnectStation {
  return (options) =>
    new Promise<StationClient>((resolve, reject) => {
      const lifetime = new AbortController();
      const blobs = new WeakMap<BlobRef, Blob>();
      const stateListeners = new Set<(state: ConnectionState) => void>();
      const waiting = new Set<{ resolve(): void; reject(error: StationError): void }>();
      let state: ConnectionState | undefined;
      let connection: Connection | undefined;
      let hello: Hello | undefined;
      let endedWith: StationError | undefined;

      const subscriptions = keepSubscriptions(() => connection);
      const previews = keepPreviews(() => connection);
      if (options.onState) stateListeners.add(options.onState);

      const enter = (next: ConnectionState): void => {
        if (next === state) return;
        state = next;
        emit(stateListeners, next);
      };

      const end = (final: "closed" | "refused", error: StationError): void => {
        if (endedWith) return;
        endedWith = error;
        options.signal?.removeEventListener("abort", close);
        lifetime.abort(error);
        subscriptions.end(error);
        previews.end(error);
        for (const waiter of [...waiting]) waiter.reject(error);
        reject(error);
        enter(final);
      };
      const close = (): void => end("closed", options.signal?.aborted ? canceled() : connectionLost("the client is closed"));

      const open = async (): Promise<Connection> => {
        const token = await tokenOf(options);
        const opened = await openConnection(platform, {
          url: options.url ?? `ws://127.0.0.1:${DEFAULT_PORT}${SOCKET_PATH}`,
          greeting: { protocol: PROTOCOL, client: options.client, ...(token && { token }), ...(hello && { resume: hello.session }) },
          blobs,
          signal: lifetime.signal,
          onEvent: subscriptions.event,
          onPreview: previews.chunk,
        });
        if (opened.hello.mode !== "production" && !options.allowSimulated) {
          opened.close();
          throw new StationError("simulated_agent", `the agent runs in ${opened.hello.mode} mode: nothing it does is real`, {
            hint: "Point the page to a production agent, or pass allowSimulated in a demo",
          });
        }
        return opened;
      };

      const serve = async (opened: Connection): Promise<StationError> => {
        connection = opened;
        hello = opened.hello;
        subscriptions.resync(opened);
        previews.resync(opened);
        enter("open");
        resolve(client);
        for (const waiter of [...waiting]) waiter.resolve();
        const error = await opened.closed;
        connection = undefined;
        return error;
      };

      const keepOpen = async (): Promise<void> => {
        const { firstMs, maxMs } = options.reconnect || RECONNECT;
        let waitMs = firstMs;
        while (!endedWith) {
          enter("connecting");
          let lost: StationError;
          try {
            const opened = await open();
            waitMs = firstMs;
            lost = await serve(opened);
          } catch (error) {
            lost = asStationError(error);
            if (!lost.retryable) return end("refused", lost);
          }
          if (endedWith) return;
          if (options.reconnect === false) return end("closed", lost);
          enter("connecting");
          // Between half and the whole of it, so that the pages of many stations do not come back in step.
          await pause(platform, lifetime.signal, waitMs * (0.5 + platform.fraction() / 2));
          waitMs = Math.min(waitMs * 2, maxMs);
        }
      };

      const whenOpen = (signal?: AbortSignal): Promise<void> =>
        new Promise((ready, failed) => {
          if (endedWith) return failed(endedWith);
          if (signal?.aborted) return failed(canceled());
          if (connection) return ready();
          const leave = (): void => {
            waiting.delete(waiter);
            signal?.removeEventListener("abort", onAbort);
          };
          const waiter = {
            resolve() {
              leave();
              ready();
            },
            reject(error: StationError) {
              leave();
              failed(error);
            },
          };
          const onAbort = (): void => waiter.reject(canceled());
          signal?.addEventListener("abort", onAbort, { once: true });
          waiting.add(waiter);
        });

      const client: StationClient = {
        get hello() {
          return hello as Hello;
        },
        get state() {
          return state as ConnectionState;
        },
        onState(listener) {
          stateListeners.add(listener);
          return () => void stateListeners.delete(listener);
        },
        call: (method, params, { signal, onProgress } = {}) =>
          new Promise((answered, failed) => {
            if (!connection) return failed(endedWith ?? connectionLost("not connected"));
            connection.request(method, params, { resolve: answered, reject: failed, progress: onProgress, signal });
          }),
        blob(ref) {
          const blob = blobs.get(ref);
          if (!blob) throw new StationError("blob_damaged", "this is not the reference that a result of this client holds");
          return blob;
        },
        subscribe: (topics, listener, { signal } = {}) => subscriptions.add(topics, listener, signal),
        events(topics, { signal } = {}) {
          const inner = new AbortController();
          const stop = (): void => queue.end();
          const queue = createQueue<Update<(typeof topics)[number]>>(() => {
            signal?.removeEventListener("abort", stop);
            inner.abort();
          });
          signal?.addEventListener("abort", stop, { once: true });
          if (signal?.aborted) stop();
          subscriptions
            .add(topics, queue.push, inner.signal)
            .catch((error) => queue.end(inner.signal.aborted ? undefined : asStationError(error)));
          return queue;
        },
        preview: (wanted, onFrame, { signal } = {}) => previews.add(wanted, onFrame, signal),
        jobs: {
          print: (request, following) => followPrint({ platform, call: client.call, whenOpen })(request, following),
          pay: (request, following) => followPayment({ platform, client, whenOpen })(request, following),
        },
        barcodeScanner: { scans: (scanning = {}) => scanCodes(client, scanning) },
        close,
      };

      if (options.signal?.aborted) return close();
      options.signal?.addEventListener("abort", close, { once: true });
      void keepOpen();
    });
}
