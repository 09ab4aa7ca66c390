import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Clock } from "../kernel/clock.js";
import { asDeviceError, DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import type { FrameOutlet } from "../protocol/call.js";
import { errorMessage, notificationMessage, type RequestId, resultMessage } from "../protocol/jsonrpc.js";
import { LIMITS } from "../protocol/version.js";
import type { Identity, RefusalReason, UpgradeFacts } from "./admission.js";
import { sendBlob } from "./blobs.js";
import { type Dispatcher, idOf, type Requests, readRequest } from "./dispatch.js";
import { openFrameOutlet } from "./frame-outlet.js";
import { createInbound } from "./inbound.js";
import { type Backlog, createOutbound } from "./outbound.js";
import type { CallWire } from "./request-call.js";
import type { Session, SessionLink, Sessions } from "./session.js";

/** Close codes of RFC 6455 §7.4.1 and the registry. */
export const CLOSE = { goingAway: 1001, unsupportedData: 1003, policy: 1008, tryAgainLater: 1013 } as const;
const MISSED_PINGS = 2;
const FAILED_HINT = "Somebody of this user or address tried wrong tokens: wait a minute, then try with a valid one";

/** One WebSocket, from the upgrade to its end. */
export interface Connection {
  readonly facts: UpgradeFacts;
  readonly uid: number | undefined;
  readonly session: Session | undefined;
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;
  /** Pings; ends a connection that left two pings unanswered. */
  beat(): void;
  /** `resumable`: the session waits for its client to come back. */
  close(code: number, reason: string, resumable: boolean): void;
  /** The agent stops: what is under way is refused, then the connection closes. */
  shutDown(): void;
}

interface ConnectionOptions {
  readonly ws: WebSocket;
  readonly socket: Duplex;
  readonly facts: UpgradeFacts;
  readonly uid: number | undefined;
  readonly identity: Identity | undefined;
  readonly console: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly backlog: Backlog;
  readonly sessions: Sessions;
  readonly dispatcher: Dispatcher;
  /** Numbers of blob channels, unique in the process: a resumed session never sees one twice. */
  nextChannel(): number;
  refused(reason: RefusalReason): void;
  /** It is over the limit of failed tokens. */
  tooManyFailures(): boolean;
  entered(session: Session): void;
  ended(connection: Connection): void;
}

function refusalOf(error: DeviceError, hadToken: boolean): RefusalReason {
  if (error.kind === "protocol_mismatch") return "protocol_mismatch";
  if (error.kind === "rate_limited") return "too_many_failures";
  if (error.kind === "unauthorized") return hadToken ? "bad_token" : "token_missing";
  return "bad_hello";
}

export function openConnection(options: ConnectionOptions): Connection {
  const { ws, socket, facts, uid, clock, log, sessions, dispatcher } = options;
  let session: Session | undefined;
  let missedPings = 0;
  let lastPing: Buffer | undefined;
  let gone = false;

  const outbound = createOutbound({
    ws,
    socket,
    clock,
    backlog: options.backlog,
    waitingEventBytes: () => session?.events.waitingBytes ?? 0,
    turnEnded() {
      // The latest ping only (RFC 6455 §5.5.3), so that a flood of them is not answered in kind.
      if (lastPing !== undefined && ws.readyState === ws.OPEN) ws.pong(lastPing);
      lastPing = undefined;
      inbound.turnEnded();
    },
    onRelief() {
      session?.events.flush();
      inbound.relieved();
    },
    onHopeless() {
      log.warn("client does not read", { bytes: outbound.owedBytes() });
      connection.close(CLOSE.tryAgainLater, "reads too slowly", true);
    },
  });

  const wireOf = ({ caller }: Session): CallWire => ({
    clock,
    caller,
    progress({ id, route }, stage, fraction, message, page) {
      if (!route.stages.includes(stage)) return log.error("progress of an unknown stage", { method: route.method, step: stage });
      // The next one says more: a slow client misses some. A page is told once only.
      if (outbound.slow() && page === undefined) return;
      outbound.text(notificationMessage("rpc.progress", { id, stage, fraction, message, page }));
    },
    stream: () => openFrameOutlet(outbound, options.nextChannel(), streams),
    blob: (call, mediaType, bytes) => sendBlob(outbound, options.nextChannel(), mediaType, bytes, clock.now(), () => call.check()),
  });
  let requests: Requests | undefined;
  const streams = new Set<FrameOutlet>();

  const link: SessionLink = {
    identity: options.identity,
    console: options.console,
    uid,
    eventOutlet: () => (gone || outbound.slow() ? undefined : outbound.text),
    cancelWaits(reason) {
      if (requests !== undefined) dispatcher.cancelAll(requests, reason);
    },
    supersede: () => connection.close(CLOSE.policy, "resumed by a newer connection", true),
  };

  const hello = (text: string): void => {
    let id: RequestId | null = null;
    let hadToken = false;
    try {
      const request = readRequest(text);
      if (request.id === undefined || request.method !== "session.hello") {
        throw new DeviceError("invalid_request", { message: "the first message must be session.hello" });
      }
      id = request.id;
      hadToken = typeof request.params === "object" && request.params !== null && "token" in request.params;
      if (hadToken && options.tooManyFailures())
        throw new DeviceError("rate_limited", { message: "too many tokens were wrong", hint: FAILED_HINT });
      const answer = sessions.hello(request.params, link);
      helloTimer[Symbol.dispose]();
      session = answer.session;
      requests = { wire: wireOf(session), outbound, inFlight: new Map(), running: 0 };
      outbound.text(resultMessage(id, answer.result));
      sessions.attach(session, link);
      if (session.token !== undefined) options.entered(session);
    } catch (thrown) {
      const error = asDeviceError(thrown);
      if (error.kind === "internal") log.error("hello failed", { kind: "internal" }, error.cause ?? error);
      options.refused(refusalOf(error, hadToken));
      outbound.text(errorMessage(id ?? idOf(error), error.kind === "internal" ? new DeviceError("internal") : error));
      connection.close(CLOSE.policy, error.kind, false);
    }
  };

  const inbound = createInbound({
    ws,
    clock,
    outbound,
    handle(text, receivedAtMs) {
      if (session === undefined || requests === undefined) hello(text);
      else dispatcher.handle(session, requests, text, receivedAtMs);
    },
  });

  const helloTimer = clock.timer(LIMITS.helloWithinMs, () => {
    options.refused("no_hello");
    connection.close(CLOSE.policy, "no hello in time", false);
  });

  /** Once, at the close we begin or at the end of the socket, whichever is first. */
  const leave = (resumable: boolean): void => {
    if (gone) return;
    gone = true;
    helloTimer[Symbol.dispose]();
    inbound.dispose();
    for (const stream of streams) stream.close();
    if (requests !== undefined) dispatcher.abandon(requests);
    if (session !== undefined) sessions.detach(session, link, !resumable);
  };

  const connection: Connection = {
    facts,
    uid,
    get session() {
      return session;
    },
    closed: new Promise((resolve) => ws.once("close", resolve)).then(() => undefined),
    beat() {
      if (gone || ws.readyState !== ws.OPEN) return;
      if (missedPings >= MISSED_PINGS) {
        log.warn("client does not answer pings", { count: missedPings });
        ws.terminate();
        return;
      }
      missedPings += 1;
      outbound.flush();
      ws.ping();
    },
    close(code, reason, resumable) {
      if (gone) return;
      leave(resumable);
      outbound.flush();
      outbound.dispose();
      // A paused socket would never see the close frame of the other side.
      ws.resume();
      ws.close(code, reason);
    },
    shutDown() {
      if (requests !== undefined) dispatcher.refuseAll(requests, new DeviceError("shutting_down"));
      connection.close(CLOSE.goingAway, "shutting down", false);
    },
  };

  ws.on("message", (frame, isBinary) => {
    if (isBinary) connection.close(CLOSE.unsupportedData, "binary frames go the other way", false);
    else inbound.take(frame as Buffer);
  });
  ws.on("ping", (payload) => {
    if (gone) return;
    lastPing = payload;
    inbound.charge(1);
  });
  ws.on("pong", () => {
    missedPings = 0;
    inbound.charge(1);
  });
  // The protocol errors of the other side: ws has begun to close by itself.
  ws.on("error", (error: Error & { code?: string }) => log.info("connection failed", { reason: error.code ?? error.name }));
  ws.on("close", () => {
    leave(true);
    outbound.dispose();
    options.ended(connection);
  });
  return connection;
}
