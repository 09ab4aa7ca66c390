import { createHash } from "node:crypto";
import { connect as connectSocket } from "node:net";
import WebSocket from "ws";
import { type Clock, systemClock } from "../kernel/clock.js";
import { DeviceError, type ErrorKind } from "../kernel/errors.js";
import type { LogFields, Logger } from "../kernel/log.js";
import type { Labels, Meter } from "../kernel/meter.js";
import { seededRandom } from "../kernel/random.js";
import type { Caller, Handlers, Station, StationEvent } from "../protocol/call.js";
import type { DeviceSnapshot } from "../protocol/devices.js";
import type { Mode } from "../protocol/session.js";
import { type RunningServer, type ServerOptions, startServer } from "./server.js";
import type { ServerSettings } from "./settings.js";

/** What the tests of this folder share: a real server before a station made of plain functions. */
export const ORIGIN = "http://127.0.0.1:8080";
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
export const TECHNICIAN_TOKEN = "technician-token-0123456789abcdef";

export const SNAPSHOT: DeviceSnapshot = {
  id: "receipt",
  class: "printer",
  driver: "escpos",
  state: "ready",
  since: 1_700_000_000_000,
  queue: { length: 0 },
};

export interface FakeStation extends Station {
  readonly disconnectedCallers: Caller[];
  readonly endedCallers: Caller[];
  isReady: boolean;
  emit(event: StationEvent): void;
}

/** Handlers that are not given answer `unsupported`. */
export function fakeStation(handlers: Partial<Handlers> = {}): FakeStation {
  let listener: (event: StationEvent) => void = () => {};
  const given: Partial<Handlers> = {
    "devices.get": ({ device }) => {
      if (device !== "receipt") throw new DeviceError("unknown_device", { device });
      return SNAPSHOT;
    },
    "devices.list": () => ({ devices: [SNAPSHOT] }),
    ...handlers,
  };
  const unsupported = (): never => {
    throw new DeviceError("unsupported");
  };
  const station: FakeStation = {
    handlers: new Proxy(given, { get: (target, name) => target[name as keyof Handlers] ?? unsupported }) as Handlers,
    disconnectedCallers: [],
    endedCallers: [],
    isReady: true,
    onEvent: (listen) => {
      listener = listen;
    },
    emit: (event) => listener(event),
    currentState: (topic) => (topic === "agent" ? { maintenance: false } : []),
    snapshots: () => [SNAPSHOT],
    disconnected: (caller) => void station.disconnectedCallers.push(caller),
    resumed: () => {},
    sessionEnded: (caller) => void station.endedCallers.push(caller),
    ready: () => station.isReady,
  };
  return station;
}

export interface RecordedLog extends Logger {
  readonly lines: { event: string; fields: LogFields | undefined; fault: unknown }[];
}

export function recordedLog(): RecordedLog {
  const lines: RecordedLog["lines"] = [];
  const write = (event: string, fields?: LogFields, fault?: unknown): void => void lines.push({ event, fields, fault });
  const log: RecordedLog = { lines, debug: write, info: write, warn: write, error: write, with: () => log };
  return log;
}

export function recordedMeter(): Meter & { counted(name: string, labels?: Labels): number } {
  const counts = new Map<string, number>();
  const key = (name: string, labels: Labels = {}): string => `${name} ${JSON.stringify(labels)}`;
  return {
    count: (name, labels, by = 1) => void counts.set(key(name, labels), (counts.get(key(name, labels)) ?? 0) + by),
    observeMs() {},
    gauge() {},
    counted: (name, labels) => counts.get(key(name, labels)) ?? 0,
  };
}

/** A message of the wire, looked into by field. A binary frame has one field, `binary`. */
export interface Message {
  readonly [field: string]: Message | undefined;
}

export const binaryOf = (message: Message): Buffer | undefined => message.binary as unknown as Buffer | undefined;

/** A client that keeps what it receives in order. */
export interface TestClient {
  readonly ws: WebSocket;
  /** Everything received and not yet taken. */
  readonly received: Message[];
  send(message: unknown): void;
  /** The next message that fits, taken out of `received`. */
  next(fits?: (message: Message) => boolean): Promise<Message>;
  request(method: string, params?: unknown, id?: string | number): Promise<Message>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

export function testClient(ws: WebSocket): TestClient {
  const received: Message[] = [];
  let wake: (() => void)[] = [];
  // Far from the ids that tests choose themselves.
  let nextId = 1_000;
  const client: TestClient = {
    ws,
    received,
    send: (message) => ws.send(typeof message === "string" ? message : JSON.stringify(message)),
    async next(fits = () => true) {
      for (;;) {
        const index = received.findIndex(fits);
        const [found] = index === -1 ? [] : received.splice(index, 1);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => wake.push(resolve));
      }
    },
    request(method, params, id = nextId++) {
      client.send({ jsonrpc: "2.0", id, method, params });
      return client.next((message) => (message.id as unknown) === id && message.method === undefined);
    },
    closed: new Promise((resolve) => ws.once("close", (code, reason) => resolve({ code, reason: reason.toString() }))),
  };
  ws.on("message", (data, isBinary) => {
    received.push(isBinary ? ({ binary: data } as unknown as Message) : (JSON.parse(data.toString()) as Message));
    const waiting = wake;
    wake = [];
    for (const resolve of waiting) resolve();
  });
  ws.on("error", () => {});
  return client;
}

export const HELLO = { protocol: { major: 1, minor: 0 }, client: { name: "test", version: "1.0" } };

export interface ConnectOptions {
  /** `undefined`: none is sent. */
  readonly origin?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly path?: string;
  readonly subprotocols?: string[];
  readonly socket?: string;
}

export interface Fixture extends AsyncDisposable {
  readonly server: RunningServer;
  readonly station: FakeStation;
  readonly log: RecordedLog;
  readonly meter: ReturnType<typeof recordedMeter>;
  readonly settings: ServerSettings;
  /** Connected, without hello; rejects with the HTTP status of a refused upgrade. */
  open(options?: ConnectOptions): Promise<TestClient>;
  /** Connected, with hello said. */
  connect(hello?: object, options?: ConnectOptions): Promise<{ client: TestClient; hello: Message }>;
}

export interface FixtureOptions {
  readonly clock?: Clock;
  readonly station?: FakeStation;
  readonly mode?: Mode;
  readonly settings?: Partial<ServerSettings>;
  readonly simulatorTokens?: string[];
  readonly server?: Partial<ServerOptions>;
}

export async function startFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const station = options.station ?? fakeStation();
  const log = recordedLog();
  const meter = recordedMeter();
  const settings: ServerSettings = {
    host: "127.0.0.1",
    port: 0,
    origins: [ORIGIN],
    hosts: [],
    kioskUids: [],
    allowRemote: false,
    tls: undefined,
    serviceSocket: undefined,
    technicianSocket: undefined,
    tokens: [{ name: "anna", role: "technician", sha256: sha256(TECHNICIAN_TOKEN) }],
    ...options.settings,
  };
  const oneTime = new Set(options.simulatorTokens);
  const server = await startServer({
    station,
    settings,
    mode: options.mode ?? "test",
    agent: { name: "test-agent", version: "0.0.1" },
    clock: options.clock ?? systemClock(),
    random: seededRandom(1),
    log,
    meter,
    metricsText: async () => "metrics 1\n",
    simulatorTokens: { redeem: (token) => oneTime.delete(token) },
    ...options.server,
  });
  const open = async (how: ConnectOptions = {}): Promise<TestClient> => {
    const { path = "/v1", subprotocols = ["station.v1"], headers = {}, socket } = how;
    const origin = "origin" in how ? how.origin : ORIGIN;
    const url = socket === undefined ? `ws://127.0.0.1:${server.port}${path}` : `ws+unix:${socket}:${path}`;
    const ws = new WebSocket(url, subprotocols, { headers, ...(origin === undefined ? {} : { origin }) });
    const client = testClient(ws);
    await new Promise<void>((resolve, reject) => {
      ws.once("open", resolve);
      ws.once("unexpected-response", (_request, response) => {
        response.resume();
        reject(new Error(String(response.statusCode)));
      });
      ws.once("error", reject);
    });
    return client;
  };
  return {
    server,
    station,
    log,
    meter,
    settings,
    open,
    async connect(hello = {}, how = {}) {
      const client = await open(how);
      const answer = await client.request("session.hello", { ...HELLO, ...hello }, "hello");
      return { client, hello: answer };
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** Sends raw bytes to the port and resolves with the first line of the answer. */
export function rawRequest(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      if (!answer.includes("\r\n")) return;
      socket.destroy();
      resolve(answer.slice(0, answer.indexOf("\r\n")));
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

export const kindOf = (message: Message): ErrorKind | undefined => message.error?.data?.kind as unknown as ErrorKind | undefined;
