import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import type { FarEnd } from "../simulator.js";
import type { Certificates } from "./certificates.js";
import type { Faults, How } from "./faults.js";
import { INDISCREET_TEXT } from "./indiscreet.js";
import { type PluggedWire, plugIn } from "./wire-duplex.js";

/** More connections than this are refused. */
const MOST_WIRES = 64;
const MOST_BODY_BYTES = 256 * 1024;

export interface Request {
  readonly body: string;
  readonly response: ServerResponse;
}

export interface Door {
  readonly wires: number;
  attach(farEnd: FarEnd): void;
  /** Ends all connections. */
  cut(how: How): Promise<void>;
}

export interface DoorContext {
  readonly certificates: Certificates;
  readonly faults: Faults;
  changed(): void;
  /** A connection is there, before TLS. True: it was cut. */
  accepted(): Promise<boolean>;
  answer(request: Request): Promise<void>;
}

/** HTTPS at the device's end of many wires: POST /nexo. */
export function createDoor(context: DoorContext): Door {
  const wires = new Set<PluggedWire>();
  // No time-outs of its own: the terminal's clock is another one than node's.
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, (request, response) => {
    const path = (request.url ?? "").split("?")[0];
    if (path !== "/nexo" && path !== "/nexo/") return void plainAnswer(response, 404);
    if (request.method !== "POST") return void plainAnswer(response, 405);
    bodyOf(request).then(
      (body) => (body === undefined ? plainAnswer(response, 413) : context.answer({ body, response })),
      // The request ended in its middle.
      () => void response.destroy(),
    );
  });

  const secure = (wire: PluggedWire): void => {
    const { faults, certificates } = context;
    const identity = faults.take("foreign-certificate")
      ? "foreign"
      : faults.take("wrong-name")
        ? "other-name"
        : faults.take("expired-certificate")
          ? "expired"
          : "own";
    const socket = new TLSSocket(wire.duplex, { isServer: true, secureContext: certificates.context(identity) });
    socket.on("error", () => void wire.cut("close"));
    wire.duplex.once("close", () => socket.destroy());
    socket.once("secure", () => server.emit("connection", socket));
  };

  return {
    get wires() {
      return [...wires].filter(({ gone }) => !gone.aborted).length;
    },
    attach(farEnd) {
      if (wires.size >= MOST_WIRES) return void farEnd.close();
      const wire = plugIn(farEnd);
      wires.add(wire);
      wire.gone.addEventListener("abort", context.changed, { once: true });
      void wire.closed.then(() => wires.delete(wire));
      context.changed();
      void context.accepted().then(
        (cut) => {
          if (!cut && !wire.gone.aborted) secure(wire);
        },
        () => void wire.cut("close"),
      );
    },
    async cut(how) {
      await Promise.all([...wires].map((wire) => wire.cut(how)));
    },
  };
}

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

/** Resolves when the bytes have left, or never will. */
const left = (response: ServerResponse, write: (done: () => void) => void): Promise<void> =>
  new Promise((resolve) => {
    if (response.destroyed || response.socket?.destroyed !== false) return resolve();
    const over = (): void => {
      response.off("close", over);
      resolve();
    };
    response.once("close", over);
    write(over);
  });

export async function plainAnswer(response: ServerResponse, status: number, told?: unknown): Promise<void> {
  const body = told === undefined ? "" : JSON.stringify(told);
  await left(response, (done) => {
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body, done);
  });
}

/** Hooks that break the answer off: in its middle, where there is one, and after its end. */
export interface Breaks {
  readonly middle?: (() => Promise<unknown>) | undefined;
  after(): Promise<unknown>;
}

const FRAGMENT_BYTES = 7;

/** 200 with this text, and with what is wrong with it on purpose. */
export async function send(response: ServerResponse, text: string, faults: Faults, category: string, breaks: Breaks): Promise<void> {
  const error = faults.take("http-error", { category });
  const more = faults.peek("indiscreet") ? [INDISCREET_TEXT] : [];
  if (error) return await plainAnswer(response, error.code ?? 500, { errors: ["Nexo Service: internal error", ...more] });
  if (faults.take("garbage", { category })) {
    const bytes = Buffer.from("c0ffee00112233445566778899aabbccddeeff01", "hex");
    await left(response, (done) => void response.socket?.write(bytes, () => done()));
    return void response.socket?.end();
  }
  const huge = faults.take("huge-body", { category });
  const body = Buffer.concat([Buffer.from(text), Buffer.alloc(huge ? (huge.bytes ?? 8 * 1024 * 1024) : 0, " ")]);
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  const truncated = faults.take("truncated-body", { category });
  const half = body.subarray(0, Math.ceil(body.length / 2));
  if (truncated || breaks.middle) {
    await left(response, (done) => void response.write(half, () => done()));
    await breaks.middle?.();
    if (truncated) return void response.socket?.end();
    await left(response, (done) => void response.end(body.subarray(half.length), done));
  } else if (faults.take("fragments", { category })) {
    for (let at = 0; at < body.length; at += FRAGMENT_BYTES) {
      await left(response, (done) => void response.write(body.subarray(at, at + FRAGMENT_BYTES), () => done()));
    }
    await left(response, (done) => void response.end(done));
  } else await left(response, (done) => void response.end(body, done));
  await breaks.after();
}
