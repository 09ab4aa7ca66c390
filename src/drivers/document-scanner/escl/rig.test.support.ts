import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { DocumentScanner, RawPage, ScanEnd, ScanOrder } from "../../../contracts/document-scanner.js";
import type { Condition, DriverContext } from "../../../contracts/driver.js";
import { type Clock, manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { HttpLink } from "../../../kernel/http.js";
import type { Connect } from "../../../kernel/link.js";
import { silentLog } from "../../../kernel/log.js";
import { systemRandom } from "../../../kernel/random.js";
import { http } from "../../../transports/http.js";
import { capabilitiesXml, HP_477, imageInfoXml, type Job, jpeg, statusXml } from "./documents.test.support.js";
import { escl } from "./driver.js";

export const never = new AbortController().signal;
/** So much passes in each round of this process' event loop. */
const TURN_MS = 20;

/** `cut`: half a page and the end of the connection. `hang`: nothing, ever. */
export type Answer =
  | "hang"
  | "cut"
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string | Uint8Array };

/** A scanner that does what it is told to, at the end of real HTTP. */
export interface FakeScanner extends AsyncDisposable {
  readonly port: number;
  capabilities: string;
  state: string;
  adfState: string | undefined;
  jobs: readonly Job[];
  /** Sheets in the feeder, or pictures of the glass. */
  pages: Uint8Array[];
  /** What is answered instead of the next usual thing, by `METHOD last-part`, first come first served; the last one stays. */
  readonly instead: Map<string, (Answer | Promise<Answer>)[]>;
  /** In order: `POST ScanJobs`, `GET NextDocument` … */
  readonly heard: string[];
  readonly settings: string[];
  /** Resolves when this is asked next, before it is answered. */
  asked(what: string): Promise<void>;
  stop(): Promise<void>;
}

export async function fakeScanner(): Promise<FakeScanner> {
  const listeners: { readonly what: string; readonly tell: () => void }[] = [];
  const usual = (what: string, body: string): Answer => {
    switch (what) {
      case "GET ScannerCapabilities":
        return { status: 200, body: scanner.capabilities };
      case "GET ScannerStatus":
        return { status: 200, body: statusXml(scanner.state, scanner.adfState, scanner.jobs) };
      case "POST ScanJobs":
        scanner.settings.push(body);
        return { status: 201, headers: { location: "/eSCL/ScanJobs/7" } };
      case "GET NextDocument": {
        const page = scanner.pages.shift();
        if (scanner.pages.length === 0 && scanner.adfState === "ScannerAdfLoaded") scanner.adfState = "ScannerAdfEmpty";
        return page ? { status: 200, headers: { "content-type": "image/jpeg" }, body: page } : { status: 404 };
      }
      case "DELETE 7":
        return { status: 200 };
      default:
        return { status: 404 };
    }
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const part of request) body += part;
    const what = `${request.method} ${request.url?.split("/").at(-1)}`;
    scanner.heard.push(what);
    for (const one of listeners.filter((candidate) => candidate.what === what)) {
      listeners.splice(listeners.indexOf(one), 1);
      one.tell();
    }
    const queue = scanner.instead.get(what) ?? [];
    const answer = (await (queue.length > 1 ? queue.shift() : queue[0])) ?? usual(what, body);
    if (answer === "hang") return;
    if (answer === "cut") {
      response.writeHead(200, { "content-length": "1000" }).write(jpeg(400));
      return void setImmediate(() => response.destroy());
    }
    const bytes = typeof answer.body === "string" ? new TextEncoder().encode(answer.body) : (answer.body ?? new Uint8Array());
    const length = answer.headers?.["transfer-encoding"] ? {} : { "content-length": `${bytes.length}` };
    response.writeHead(answer.status, { ...length, ...answer.headers }).end(bytes);
  };
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const scanner: FakeScanner = {
    port: (server.address() as AddressInfo).port,
    capabilities: capabilitiesXml(HP_477),
    state: "Idle",
    adfState: "ScannerAdfEmpty",
    jobs: [],
    pages: [],
    instead: new Map([["GET ScanImageInfo", [{ status: 200, body: imageInfoXml(2480, 3508) }]]]),
    heard: [],
    settings: [],
    asked: (what) => new Promise((tell) => void listeners.push({ what, tell })),
    async stop() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
    [Symbol.asyncDispose]: () => scanner.stop(),
  };
  return scanner;
}

export const A4: ScanOrder = { source: "auto", mode: "color", resolutionDpi: 300, widthMm: 210, heightMm: 297, maxPages: 50 };

export interface Rig extends AsyncDisposable {
  readonly clock: Clock;
  readonly device: DocumentScanner;
  readonly conditions: Condition[];
  readonly pages: RawPage[];
  readonly progress: (number | undefined)[];
  scan(order?: Partial<ScanOrder>, signal?: AbortSignal): Promise<ScanEnd>;
}

/** The driver at the scanner, in a time that runs by itself, but where it is given one. */
export async function openRig(
  port: number,
  config: object = {},
  connect?: Connect<HttpLink>,
  signal: AbortSignal = never,
  given?: Clock,
): Promise<Rig> {
  const own = manualClock();
  const clock = given ?? own;
  let closed = given !== undefined;
  const pump = async (): Promise<void> => {
    while (!closed) await own.advance(TURN_MS);
  };
  void pump();
  const [conditions, pages, progress]: [Condition[], RawPage[], (number | undefined)[]] = [[], [], []];
  const context: DriverContext<HttpLink> = {
    device: "scanner",
    connect: connect ?? http({ kind: "http", host: "127.0.0.1", port }),
    clock,
    random: systemRandom,
    log: silentLog,
    signal,
    imaging: { draw: () => Promise.reject(new DeviceError("unsupported")), png: () => Promise.reject(new DeviceError("unsupported")) },
    simulated: true,
    report: (condition) => void conditions.push(condition),
  };
  try {
    // An idle scanner is left alone, so that tests see what they ask for.
    const device = await escl.open(escl.config.parse({ pollMs: 3_600_000, ...config }), context as never);
    const steps = {
      progress: (fraction: number | undefined) => void progress.push(fraction),
      page: async (page: RawPage) => void pages.push(page),
    };
    return {
      clock,
      device,
      conditions,
      pages,
      progress,
      scan: (order = {}, caller = never) => device.scan({ ...A4, ...order }, steps, caller),
      async [Symbol.asyncDispose]() {
        await device.close();
        closed = true;
      },
    };
  } catch (thrown) {
    closed = true;
    throw thrown;
  }
}
