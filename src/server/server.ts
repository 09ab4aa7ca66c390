import assert from "node:assert/strict";
import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Clock } from "../kernel/clock.js";
import type { Logger } from "../kernel/log.js";
import type { Meter } from "../kernel/meter.js";
import type { Random } from "../kernel/random.js";
import type { Station } from "../protocol/call.js";
import type { Mode } from "../protocol/session.js";
import { LIMITS, SOCKET_PATH, SUBPROTOCOL } from "../protocol/version.js";
import {
  admissionRules,
  type Door,
  identityOf,
  isConsole,
  isLoopback,
  printableOrigin,
  type Refusal,
  type RefusalReason,
  refuseHost,
  refuseOrigin,
  refusePeer,
  refuseTarget,
  type UpgradeFacts,
} from "./admission.js";
import { type AuditSink, createAuditor } from "./auditor.js";
import { createBucket, createBudget, createFailures, peerOf } from "./budget.js";
import { CLOSE, type Connection, openConnection } from "./connection.js";
import { consoleFiles } from "./console-files.js";
import { createDispatcher } from "./dispatch.js";
import { type ExtraHttp, httpRoutes } from "./http.js";
import { listenTcp, listenUnix } from "./listen.js";
import type { Backlog } from "./outbound.js";
import { type FindSocketUid, perlSocketUid } from "./peer-credentials.js";
import { type FindPeerUid, procPeerUid } from "./peer-uid.js";
import { createRoutes } from "./routes.js";
import { createSessions } from "./session.js";
import type { ServerSettings, TokenSettings } from "./settings.js";
import { bearerRole } from "./tokens.js";

export interface ServerOptions {
  readonly station: Station;
  readonly settings: ServerSettings;
  readonly mode: Mode;
  readonly agent: { readonly name: string; readonly version: string };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly meter: Meter;
  metricsText(): Promise<string>;
  /** One-time tokens of the simulator role; asked in demo and test mode only. */
  readonly simulatorTokens: { redeem(token: string): boolean };
  /** Further pages on the same port, behind the same Host check. */
  readonly extraHttp?: ExtraHttp;
  /** Who is at the far end of a loopback connection; /proc/net/tcp unless told. */
  readonly findPeerUid?: FindPeerUid;
  /** Who is at the far end of the technicians' Unix socket; the kernel is asked unless told. */
  readonly findSocketUid?: FindSocketUid;
  /** Tokens besides those of the settings, as they are now: one that is gone closes its connections within a second. */
  readonly liveTokens?: () => readonly TokenSettings[];
  /** What technicians do, and who could not prove who he is. */
  readonly audit?: AuditSink;
}

export interface RunningServer {
  readonly port: number;
  /** `ws://127.0.0.1:7870/v1` */
  readonly url: string;
  readonly httpUrl: string;
  /** Takes over origins, hosts, uids and tokens. Connections that are still admitted stay; the others are closed. */
  update(settings: ServerSettings): void;
  /** Refuses what is under way, closes every connection with 1001, frees port and sockets. Idempotent. */
  stop(): Promise<void>;
}

/** A close handshake that takes longer is cut off. */
const CLOSE_WITHIN_MS = 1_000;
/** Log lines about refusals: a page that hammers at the door must not fill the disk. What is left out is counted. */
const REFUSAL_LINES = { burst: 50, perSecond: 1 } as const;
export const LOOK_AT_TOKENS_MS = 1_000;
const UNPROVED: ReadonlySet<RefusalReason> = new Set<RefusalReason>(["bad_token", "token_missing", "metrics_token", "peer_uid"]);

function factsOf(door: Door, request: IncomingMessage): UpgradeFacts {
  const { host, origin } = request.headersDistinct;
  const offered = request.headers["sec-websocket-protocol"] ?? "";
  return {
    door,
    hosts: host ?? [],
    origins: origin ?? [],
    subprotocols: offered.split(",").map((name) => name.trim()),
    path: request.url ?? "",
    loopback: isLoopback(request.socket.remoteAddress ?? ""),
  };
}

/** @throws DeviceError `busy` where the port or a socket is taken; `unsupported` where the settings cannot be served */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { station, clock, log, meter } = options;
  let settings = options.settings;
  let rules = admissionRules(settings, settings.port);
  let stopping: Promise<void> | undefined;
  const findPeerUid = options.findPeerUid ?? procPeerUid();
  const connections = new Set<Connection>();
  const backlog: Backlog = new Set();
  const findSocketUid = options.findSocketUid ?? perlSocketUid;
  const budget = createBudget(clock);
  const failures = createFailures(clock);
  const auditor = options.audit && createAuditor(clock, options.audit);
  const tokens = (): readonly TokenSettings[] => [...settings.tokens, ...(options.liveTokens?.() ?? [])];

  const refusalLines = createBucket(clock, REFUSAL_LINES.burst, REFUSAL_LINES.perSecond);
  let unlogged = 0;
  const refused = (reason: RefusalReason, origin: string | undefined, door: Door, uid: number | undefined): void => {
    meter.count("stationd_refusals_total", { reason });
    if (UNPROVED.has(reason)) auditor?.failed(door, uid, reason);
    if (!refusalLines.take()) {
      unlogged += 1;
      return;
    }
    const shown = printableOrigin(origin);
    log.warn("refused", {
      reason,
      ...(shown === undefined ? {} : { origin: shown }),
      ...(unlogged === 0 ? {} : { count: unlogged }),
    });
    unlogged = 0;
  };

  const sessions = createSessions({ ...options, tokens });
  const own = {
    "events.subscribe": sessions.subscribe,
    "events.unsubscribe": sessions.unsubscribe,
    endingCitizen: sessions.endingCitizen,
  };
  const routes = createRoutes(station.handlers, own, auditor);
  const dispatcher = createDispatcher({
    routes,
    clock,
    log,
    meter,
    stopping: () => stopping !== undefined,
    forbidden: (method, session) => auditor?.forbidden(method, session),
  });
  station.onEvent(sessions.broadcast);

  const peerUid = async (request: IncomingMessage): Promise<number | undefined> => {
    const { remoteAddress, remotePort, localAddress, localPort } = request.socket;
    if (remoteAddress === undefined || remotePort === undefined || localAddress === undefined || localPort === undefined) return undefined;
    return await findPeerUid({ address: remoteAddress, port: remotePort }, { address: localAddress, port: localPort });
  };
  const refuseMetrics = async (request: IncomingMessage): Promise<Refusal | undefined> => {
    const { remoteAddress } = request.socket;
    const peer = peerOf(isLoopback(remoteAddress ?? "") ? await peerUid(request) : undefined, remoteAddress);
    if (failures.tooMany(peer)) return { status: 429, reason: "too_many_failures" };
    const { authorization } = request.headers;
    if (bearerRole(authorization, tokens()) === "technician") return undefined;
    if (authorization !== undefined) failures.count(peer);
    return { status: 401, reason: "metrics_token" };
  };
  const consolePage = consoleFiles(() => settings.console === true);
  const routesOf = (door: Door) =>
    httpRoutes(door, {
      refuseHost: (at, hosts) => refuseHost(at, hosts, rules),
      refused: ({ reason }) => refused(reason, undefined, door, undefined),
      ready: () => stopping === undefined && station.ready(),
      refuseMetrics,
      metricsText: options.metricsText,
      extraHttp: (request, response) => consolePage(request, response) || options.extraHttp?.(request, response) === true,
    });

  const listening = new Map<Door, Server>();
  const closeAll = async (): Promise<void> => {
    await Promise.all(
      [...listening.values()].map((server) => {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        return closed;
      }),
    );
  };
  try {
    listening.set("tcp", await listenTcp(settings, routesOf("tcp")));
    if (settings.serviceSocket !== undefined) listening.set("service", await listenUnix(settings.serviceSocket, routesOf("service")));
    if (settings.technicianSocket !== undefined) {
      listening.set("technician", await listenUnix(settings.technicianSocket, routesOf("technician")));
    }
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
  const bound = listening.get("tcp")?.address() as AddressInfo | undefined;
  assert(bound, "the TCP server listens");
  const { port } = bound;
  rules = admissionRules(settings, port);

  const limits = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: LIMITS.inboundMessageBytes,
    // A message in a thousand fragments, or a megabyte byte by byte, is no client but an attack on memory.
    maxFragments: 1_024,
    maxBufferedChunks: 4_096,
    closeTimeout: CLOSE_WITHIN_MS,
    handleProtocols: () => SUBPROTOCOL,
  };
  const wss = new WebSocketServer(limits);

  const reject = (socket: Duplex, { status, reason }: Refusal, { door, origins }: UpgradeFacts, uid?: number): void => {
    refused(reason, origins[0], door, uid);
    const text = `${reason}\n`;
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n`;
    socket.once("finish", () => socket.destroy());
    socket.end(`${head}Content-Length: ${text.length}\r\n\r\n${text}`);
  };

  /** The checks in the order of the protocol's page "Who may speak". */
  const upgrade = async (door: Door, request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> => {
    const facts = factsOf(door, request);
    const [origin] = facts.origins;
    const early = stopping === undefined ? (refuseHost(door, facts.hosts, rules) ?? refuseOrigin(facts, rules)) : STOPPING;
    if (early !== undefined) return reject(socket, early, facts);
    const tcpUid = door === "tcp" && facts.loopback ? await peerUid(request) : undefined;
    const late = stopping === undefined ? (refusePeer(facts, tcpUid, rules) ?? refuseTarget(facts)) : STOPPING;
    if (late !== undefined) return reject(socket, late, facts, tcpUid);
    // A peer that is gone already will not close again, and would keep its slot for good.
    if (socket.destroyed) return;
    const { remoteAddress } = request.socket;
    const slot = budget.take({ origin: door === "tcp" ? origin : `socket:${door}`, peer: peerOf(tcpUid, remoteAddress) });
    if (typeof slot === "string") return reject(socket, { status: slot === "too_many_attempts" ? 429 : 503, reason: slot }, facts, tcpUid);
    // Also where ws itself refuses the handshake: the slot is the socket's.
    socket.once("close", () => slot[Symbol.dispose]());
    const uid = door === "technician" ? await findSocketUid(socket) : tcpUid;
    if (stopping !== undefined) return reject(socket, STOPPING, facts, uid);
    if (socket.destroyed) return;
    const peer = peerOf(uid, remoteAddress ?? door);
    const console = isConsole(facts, rules);
    wss.handleUpgrade(request, socket, head, (ws) => {
      connections.add(
        openConnection({
          ws,
          socket,
          facts,
          uid,
          identity: console ? undefined : identityOf(facts),
          console,
          clock,
          log,
          backlog,
          sessions,
          dispatcher,
          nextChannel,
          refused: (reason) => {
            if (reason === "bad_token") failures.count(peer);
            refused(reason, origin, door, uid);
          },
          tooManyFailures: () => failures.tooMany(peer),
          entered: (session) => auditor?.entered(session),
          ended: (connection) => connections.delete(connection),
        }),
      );
    });
  };
  let channel = 0;
  const nextChannel = (): number => {
    channel = channel === 0xffff_ffff ? 1 : channel + 1;
    return channel;
  };
  for (const [door, server] of listening) {
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      // Between here and the handshake the peer may vanish.
      socket.on("error", () => socket.destroy());
      void upgrade(door, request, socket, head);
    });
  }

  let heartbeat: Disposable | undefined;
  const beat = (): void => {
    for (const connection of connections) connection.beat();
    heartbeat = clock.timer(LIMITS.pingEveryMs, beat);
  };
  heartbeat = clock.timer(LIMITS.pingEveryMs, beat);

  meter.gauge("stationd_connections", () => connections.size);
  meter.gauge("stationd_sessions", sessions.count);
  meter.gauge("stationd_outbound_owed_bytes", () => [...backlog].reduce((sum, client) => sum + client.owedBytes(), 0));

  /** Would the connection be let in now as it was then? */
  const stillAdmitted = ({ facts, uid, session }: Connection): boolean => {
    if ((refuseHost(facts.door, facts.hosts, rules) ?? refuseOrigin(facts, rules) ?? refusePeer(facts, uid, rules)) !== undefined)
      return false;
    const held = session?.token;
    return (
      held === undefined || tokens().some(({ name, role, sha256 }) => name === held.name && role === held.role && sha256 === held.sha256)
    );
  };
  const closeUnadmitted = (): void => {
    for (const connection of connections) {
      if (stillAdmitted(connection)) continue;
      refused("no_longer_admitted", connection.facts.origins[0], connection.facts.door, connection.uid);
      connection.close(CLOSE.policy, "no longer admitted", false);
    }
  };
  // One that was revoked, or whose time is over, opens no door from this moment; what it opened is closed here.
  let tokenWatch: Disposable | undefined;
  const watchTokens = (): void => {
    closeUnadmitted();
    tokenWatch = clock.timer(LOOK_AT_TOKENS_MS, watchTokens);
  };
  if (options.liveTokens !== undefined) watchTokens();
  const scheme = settings.tls === undefined ? "" : "s";
  const address = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  log.info("listening", { port });

  const stop = async (): Promise<void> => {
    heartbeat?.[Symbol.dispose]();
    tokenWatch?.[Symbol.dispose]();
    const closed = Promise.all([...connections].map((connection) => connection.closed));
    for (const connection of connections) connection.shutDown();
    await closed;
    sessions.endAll();
    await closeAll();
    wss.close();
    log.info("stopped listening", { port });
  };

  return {
    port,
    url: `ws${scheme}://${address}:${port}${SOCKET_PATH}`,
    httpUrl: `http${scheme}://${address}:${port}`,
    update(next) {
      settings = { ...next, host: settings.host, port: settings.port, tls: settings.tls };
      rules = admissionRules(settings, port);
      closeUnadmitted();
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

const STOPPING: Refusal = { status: 503, reason: "stopping" };
