import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Clock } from "../../src/kernel/clock.js";
import { type PluggedWire, plugIn } from "../nexo-terminal/wire-duplex.js";
import type { FarEnd } from "../simulator.js";
import type { Asked, Fault } from "./faults.js";
import { capabilities, parseSettings } from "./messages.js";
import type { DocumentScannerOptions } from "./options.js";
import type { NextPage, Scanner } from "./scanner.js";

/** More connections than this are refused. */
const MOST_WIRES = 32;
const MOST_BODY_BYTES = 64 * 1024;
const SLOW_PIECES = 16;
const SLOW_MS = 1_000;
const HUGE_BYTES = 64 * 1024 * 1024;
const BLOCK_BYTES = 64 * 1024;
/** An address of the documentation's network: nobody is there (RFC 5737). */
const FOREIGN = "http://192.0.2.77";

export interface Door {
  readonly wires: number;
  readonly unknownRequests: number;
  attach(farEnd: FarEnd): void;
  cut(): Promise<void>;
}

interface Context {
  readonly clock: Clock;
  readonly scanner: Scanner;
  readonly options: DocumentScannerOptions;
  /** Ends whatever is under way. */
  readonly signal: AbortSignal;
  changed(): void;
}

/** eSCL over HTTP at the device's end of many wires. */
export function createDoor(context: Context): Door {
  const { scanner, options, clock, signal } = context;
  const { faults } = scanner;
  const wires = new Set<PluggedWire>();
  let unknownRequests = 0;

  /** What goes wrong with any answer. True: nothing more is to be said. */
  const spoilt = (response: ServerResponse, on: Asked, page?: number): boolean => {
    if (faults.take("hang", on, page)) return true;
    const error = faults.take("error", on, page);
    if (error) plain(response, error.code ?? 500);
    return error !== undefined;
  };
  const xml = (response: ServerResponse, on: Asked, text: string): void => {
    const told = faults.take("garbage-xml", on) ? `${text.slice(0, text.length / 2)}<<&\u0000]]>` : text;
    response.writeHead(200, { "content-type": "text/xml", "content-length": Buffer.byteLength(told) }).end(told);
  };

  const newJob = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    if (body === undefined) return plain(response, 413);
    if (spoilt(response, "job")) return;
    const settings = parseSettings(body, options);
    if (typeof settings === "number") return plain(response, settings);
    const busy = faults.take("busy", "job");
    const id = busy ? (busy.code ?? 503) : scanner.start(settings);
    if (typeof id === "number") return plain(response, id);
    const host = faults.take("foreign-location", "job") ? FOREIGN : `http://${request.headers.host ?? "localhost"}`;
    const location = faults.take("no-location", "job") ? {} : { location: `${host}/eSCL/ScanJobs/${id}` };
    response.writeHead(201, { ...location, "content-length": 0 }).end();
  };

  const nextPage = async (id: string, response: ServerResponse): Promise<void> => {
    const page = (scanner.pageOf(id) ?? 0) + 1;
    if (spoilt(response, "page", page)) return;
    const gone = faults.take("gone", "page", page);
    if (gone) {
      scanner.cancel(id);
      return plain(response, 410);
    }
    if (faults.take("unavailable", "page", page)) return plain(response, 503);
    const found = await scanner.next(id);
    if ("status" in found) return plain(response, found.status);
    await sendPage(response, found);
  };

  const sendPage = async (response: ServerResponse, { jpeg, page }: Extract<NextPage, { jpeg: unknown }>): Promise<void> => {
    const take = (name: Fault["fault"]): Fault | undefined => faults.take(name, "page", page);
    const web = take("garbage-page") && Buffer.from("<html><body>404 Not Found</body></html>");
    const body = web || (take("damaged-jpeg") ? damaged(jpeg) : jpeg);
    const [cut, slow, short, huge] = [take("cut"), take("slow"), take("short-length"), take("huge-body")];
    const hugeBytes = huge ? (huge.bytes ?? HUGE_BYTES) : 0;
    const length = short ? Math.floor(body.length / 2) : body.length + hugeBytes;
    response.writeHead(200, { "content-type": "image/jpeg", "content-length": length });
    if (cut) {
      await written(response, body.subarray(0, body.length / 2));
      return void response.socket?.end();
    }
    const step = slow ? Math.ceil(body.length / SLOW_PIECES) : body.length;
    for (let at = 0; at < body.length; at += step) {
      if (at > 0) await clock.sleep(slow?.ms ?? SLOW_MS, signal);
      await written(response, body.subarray(at, at + step));
    }
    for (let left = hugeBytes; left > 0 && !response.destroyed; left -= BLOCK_BYTES)
      await written(response, Buffer.alloc(Math.min(left, BLOCK_BYTES)));
    response.end();
    // What is too much cannot be told from the next answer: nobody may go on here.
    if (short) response.socket?.end();
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const [, what, id, rest] =
      /^\/eSCL\/(ScannerCapabilities|ScannerStatus|ScanJobs)(?:\/([\w-]{1,64})(\/NextDocument)?)?\/?$/.exec(path) ?? [];
    const wish = `${request.method} ${what}${id === undefined ? "" : "/id"}${rest ?? ""}`;
    if (wish === "GET ScannerCapabilities")
      return void (spoilt(response, "capabilities") || xml(response, "capabilities", capabilities(options)));
    if (wish === "GET ScannerStatus") return void (spoilt(response, "status") || xml(response, "status", scanner.statusXml()));
    if (wish === "POST ScanJobs") return await newJob(request, response);
    if (wish === "GET ScanJobs/id/NextDocument" && id !== undefined) return await nextPage(id, response);
    if (wish === "DELETE ScanJobs/id" && spoilt(response, "cancel")) return;
    if (wish === "DELETE ScanJobs/id" && id !== undefined) return plain(response, scanner.cancel(id) ? 200 : 404);
    unknownRequests += 1;
    context.changed();
    plain(response, what === undefined ? 404 : 405);
  };

  const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, (request, response) => {
    // The client may be gone in the middle of anything, and so may the scanner.
    answer(request, response).catch(() => void response.destroy());
  });
  server.on("clientError", (_error, socket) => void socket.destroy());

  return {
    get wires() {
      return [...wires].filter(({ gone }) => !gone.aborted).length;
    },
    get unknownRequests() {
      return unknownRequests;
    },
    attach(farEnd) {
      if (wires.size >= MOST_WIRES) return void farEnd.close();
      const wire = plugIn(farEnd);
      wires.add(wire);
      wire.gone.addEventListener("abort", context.changed, { once: true });
      void wire.closed.then(() => wires.delete(wire));
      context.changed();
      server.emit("connection", wire.duplex);
    },
    async cut() {
      await Promise.all([...wires].map((wire) => wire.cut("close")));
    },
  };
}

function plain(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-length": 0 }).end();
}

/** Resolves when the bytes have left, or never will. */
const written = (response: ServerResponse, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    if (response.destroyed || response.socket?.destroyed !== false) return resolve();
    const done = (): void => {
      response.off("close", done);
      resolve();
    };
    response.once("close", done);
    response.write(bytes, done);
  });

/** Undefined: it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let held = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    held += part.length;
    if (held > MOST_BODY_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** The frame's head stays, so that only decoding shows it. */
function damaged(jpeg: Uint8Array): Uint8Array {
  return jpeg.map((byte, index) => (index > jpeg.length / 2 && index < jpeg.length / 2 + 4_096 ? (index * 167) & 0xff : byte));
}
