import type { Clock } from "../kernel/clock.js";
import { asDeviceError, DeviceError, type ErrorKind } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import type { Labels, Meter } from "../kernel/meter.js";
import { errorMessage, parseRequest, type RequestId, type RpcRequest, resultMessage } from "../protocol/jsonrpc.js";
import { LIMITS } from "../protocol/version.js";
import { invalidParams } from "./issues.js";
import type { Outbound } from "./outbound.js";
import { type CallWire, RequestCall } from "./request-call.js";
import { failed, type Route } from "./routes.js";
import type { Session } from "./session.js";

/** A message of this size may hold so many values that checking them disturbs other clients: they are counted first. */
const COUNT_VALUES_FROM_BYTES = 32 * 1024;
const VALUES_LIMIT = 16_384;

/** The requests of one connection. Replies belong to the connection that asked; a session outlives it, its requests do not. */
export interface Requests {
  readonly wire: CallWire;
  readonly outbound: Outbound;
  /** Not answered yet. */
  readonly inFlight: Map<RequestId, RequestCall>;
  /** Handlers that have not ended, answered or not: one that ignores its signal still counts. */
  running: number;
}

export interface Dispatcher {
  /** One text frame of a session. `receivedAtMs` (monotonic) where it had to wait for its turn. */
  handle(session: Session, requests: Requests, text: string, receivedAtMs: number | undefined): void;
  /** Answers all that is not a job with `reason`, and asks its handlers to stop. */
  cancelAll(requests: Requests, reason: DeviceError): void;
  /** The connection is gone: waits are canceled; jobs go on, unwatched. */
  abandon(requests: Requests): void;
  /** The agent stops: everything not answered is refused now. */
  refuseAll(requests: Requests, reason: DeviceError): void;
}

interface DispatcherOptions {
  readonly routes: ReadonlyMap<string, Route>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly meter: Meter;
  stopping(): boolean;
  /** A role asked for what is not its own. */
  forbidden?(method: Route["method"], session: Session): void;
}

const REQUESTS = "stationd_requests_total";
/** Only of requests that had to wait for something; the others are answered in the turn in which they came. */
const WAITS = "stationd_request_wait_seconds";

function countsMoreValues(text: string, limit: number): boolean {
  let commas = 0;
  for (let index = text.indexOf(","); index !== -1; index = text.indexOf(",", index + 1)) if (++commas > limit) return true;
  return false;
}

/** @throws DeviceError `invalid_request` */
export function readRequest(text: string): RpcRequest {
  if (text.length > COUNT_VALUES_FROM_BYTES && countsMoreValues(text, VALUES_LIMIT)) {
    throw new DeviceError("invalid_request", { message: `more than ${VALUES_LIMIT} values in one message` });
  }
  return parseRequest(text, LIMITS.jsonDepth);
}

/** The id of a request that could not be read whole, where it could be read (JSON-RPC 2.0 §5: else null). */
export function idOf(error: DeviceError): RequestId | null {
  const details = error.details;
  if (typeof details !== "object" || details === null || !("id" in details)) return null;
  return typeof details.id === "string" || typeof details.id === "number" ? details.id : null;
}

export function createDispatcher({ routes, clock, log, meter, stopping, forbidden }: DispatcherOptions): Dispatcher {
  const unknown = new Map<ErrorKind, Labels>();
  const refuse = ({ outbound }: Requests, id: RequestId | null, error: DeviceError, route?: Route): void => {
    let labels = route === undefined ? unknown.get(error.kind) : failed(route, error.kind);
    if (labels === undefined) {
      labels = { method: "unknown", outcome: error.kind };
      unknown.set(error.kind, labels);
    }
    meter.count(REQUESTS, labels);
    outbound.text(errorMessage(id, error));
  };
  /** What a handler threw, as the client may see it: a fault of ours is `internal` and nothing else. */
  const visible = (thrown: unknown, route: Route): DeviceError => {
    const error = asDeviceError(thrown);
    if (error.kind !== "internal") return error;
    log.error("request failed", { method: route.method, kind: "internal" }, error.cause ?? error);
    return new DeviceError("internal");
  };
  const fail = (requests: Requests, call: RequestCall, thrown: unknown): void => {
    refuse(requests, call.id, visible(thrown, call.route), call.route);
  };
  const succeed = (requests: Requests, call: RequestCall, result: unknown): void => {
    let message: string;
    try {
      message = resultMessage(call.id, result ?? null);
    } catch (thrown) {
      // A result that JSON cannot carry.
      return fail(requests, call, thrown);
    }
    meter.count(REQUESTS, call.route.succeeded);
    requests.outbound.text(message);
  };

  /** Takes the request off the list; false where it has been answered. */
  const settle = (requests: Requests, call: RequestCall): boolean => {
    if (call.answered) return false;
    call.answered = true;
    requests.inFlight.delete(call.id);
    return true;
  };
  /** A job is only asked to stop: its own state is the answer. */
  const stop = (requests: Requests, call: RequestCall, reason: DeviceError): void => {
    call.abort(reason);
    if (!call.route.job && settle(requests, call)) refuse(requests, call.id, reason, call.route);
  };

  const track = (requests: Requests, call: RequestCall, work: Promise<unknown>, timeoutMs: unknown, waitedMs: number): void => {
    const startedAtMs = clock.monotonicMs();
    requests.inFlight.set(call.id, call);
    requests.running += 1;
    if (typeof timeoutMs === "number") call.startDeadline(timeoutMs - waitedMs, (reason) => stop(requests, call, reason));
    const ended = (): boolean => {
      requests.running -= 1;
      call.release();
      meter.observeMs(WAITS, waitedMs + clock.monotonicMs() - startedAtMs, call.route.succeeded);
      return settle(requests, call);
    };
    work.then(
      (result) => {
        if (ended()) succeed(requests, call, result);
      },
      (thrown) => {
        if (ended()) fail(requests, call, thrown);
        else visible(thrown, call.route);
      },
    );
  };

  const notified = (requests: Requests, method: string, params: unknown): void => {
    if (method !== "rpc.cancel" || typeof params !== "object" || params === null || !("id" in params)) return;
    const call = requests.inFlight.get(params.id as RequestId);
    if (call !== undefined) stop(requests, call, new DeviceError("canceled"));
  };

  return {
    handle(session, requests, text, receivedAtMs) {
      let request: RpcRequest;
      try {
        request = readRequest(text);
      } catch (thrown) {
        const error = asDeviceError(thrown);
        return refuse(requests, idOf(error), error);
      }
      const { id, method, params } = request;
      // A notification is never answered (JSON-RPC 2.0 §4.1), not even one that nobody knows.
      if (id === undefined) return notified(requests, method, params);
      const route = routes.get(method);
      if (route === undefined) {
        if (method === "session.hello") return refuse(requests, id, new DeviceError("invalid_request", { message: "hello was said" }));
        return refuse(requests, id, new DeviceError("method_not_found"));
      }
      if (stopping()) return refuse(requests, id, new DeviceError("shutting_down"), route);
      if (!route.roles.includes(session.caller.role)) {
        forbidden?.(route.method, session);
        return refuse(requests, id, new DeviceError("forbidden"), route);
      }
      if (requests.inFlight.has(id)) {
        return refuse(requests, id, new DeviceError("invalid_request", { message: "a request with this id is under way" }), route);
      }
      if (requests.running >= LIMITS.inFlightRequests) return refuse(requests, id, new DeviceError("rate_limited"), route);
      const parsed = route.params.safeParse(params === undefined ? {} : params);
      if (!parsed.success) return refuse(requests, id, invalidParams(parsed.error), route);
      const call = new RequestCall(id, route, requests.wire);
      let outcome: unknown;
      try {
        outcome = route.handle(parsed.data, call, session);
      } catch (thrown) {
        return fail(requests, call, thrown);
      }
      if (!(outcome instanceof Promise)) return succeed(requests, call, outcome);
      const waitedMs = receivedAtMs === undefined ? 0 : clock.monotonicMs() - receivedAtMs;
      track(requests, call, outcome, (parsed.data as { timeoutMs?: unknown }).timeoutMs, waitedMs);
    },
    cancelAll(requests, reason) {
      for (const call of [...requests.inFlight.values()]) if (!call.route.job) stop(requests, call, reason);
    },
    abandon(requests) {
      const reason = new DeviceError("canceled", { message: "the client is gone" });
      for (const call of requests.inFlight.values()) {
        call.answered = true;
        if (!call.route.job) call.abort(reason);
      }
      requests.inFlight.clear();
    },
    refuseAll(requests, reason) {
      for (const call of [...requests.inFlight.values()]) {
        if (!call.route.job) call.abort(reason);
        if (settle(requests, call)) refuse(requests, call.id, reason, call.route);
      }
    },
  };
}
