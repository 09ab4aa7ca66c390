import { createCipheriv, createDecipheriv, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { request } from "node:https";
import { manualClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { serveTcp } from "../serve.js";
import type { Fault } from "./faults.js";
import { nexoTerminal } from "./index.js";

// A reading of the envelope of its own; Adyen's is tried in peer.test.ts.
const derive = (passphrase: string): Buffer => pbkdf2Sync(passphrase, "AdyenNexoV1Salt", 4000, 80, "sha1");
const ivOf = (derived: Buffer, nonce: Buffer): Buffer =>
  Buffer.from([...nonce].map((byte, index) => byte ^ (derived[64 + index] as number)));

export const KEY = { KeyIdentifier: "station-key", KeyVersion: 1, Passphrase: "a passphrase of nobody", AdyenCryptoVersion: 1 };
export const SALE_ID = "STATION-1";
export const POI_ID = "V400m-346403161";

const DERIVED = derive(KEY.Passphrase);

function seal(header: unknown, plain: string, { Passphrase, ...trailer }: typeof KEY): unknown {
  const derived = Passphrase === KEY.Passphrase ? DERIVED : derive(Passphrase);
  const nonce = randomBytes(16);
  const cipher = createCipheriv("aes-256-cbc", derived.subarray(32, 64), ivOf(derived, nonce));
  const NexoBlob = Buffer.concat([cipher.update(plain), cipher.final()]).toString("base64");
  const Hmac = createHmac("sha256", derived.subarray(0, 32)).update(plain).digest("base64");
  return { MessageHeader: header, NexoBlob, SecurityTrailer: { ...trailer, Nonce: nonce.toString("base64"), Hmac } };
}

function unseal(sealed: unknown): string {
  const nonce = Buffer.from(String(at(sealed, "SecurityTrailer.Nonce")), "base64");
  const decipher = createDecipheriv("aes-256-cbc", DERIVED.subarray(32, 64), ivOf(DERIVED, nonce));
  const plain = Buffer.concat([decipher.update(String(at(sealed, "NexoBlob")), "base64"), decipher.final()]);
  const hmac = createHmac("sha256", DERIVED.subarray(0, 32)).update(plain).digest("base64");
  if (hmac !== at(sealed, "SecurityTrailer.Hmac")) throw new RangeError("wrong Hmac");
  return plain.toString();
}

export interface Asked {
  readonly serviceId?: string;
  readonly saleId?: string;
  readonly poiId?: string;
  readonly key?: typeof KEY;
  /** What goes out, instead of the sealed message. */
  readonly text?: (sealed: string, plain: string) => string;
  readonly plain?: boolean;
  readonly path?: string;
  readonly method?: string;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Undefined: empty, or no JSON. */
  readonly outside: unknown;
  /** What was in the envelope. @throws where it cannot be opened */
  open(): unknown;
}

/** A value deep inside: "PaymentResponse.Response.Result". */
export function at(tree: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (node, name) => (typeof node === "object" && node !== null ? (node as Record<string, unknown>)[name] : undefined),
      tree,
    );
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

export function payment(amountVnd: number, more: Record<string, unknown> = {}, currency = "VND"): Record<string, unknown> {
  return {
    SaleData: { SaleTransactionID: { TransactionID: "BILL-1", TimeStamp: "2026-01-01T00:00:00.000Z" }, ...more },
    PaymentTransaction: { AmountsReq: { Currency: currency, RequestedAmount: amountVnd } },
  };
}

/** A terminal behind a real port, and a small sale system; no time passes but what `passing` lets pass. */
export async function openBench(given: Record<string, unknown> = {}, faults: Partial<Fault>[] = []) {
  const clock = manualClock();
  const options = nexoTerminal.options.parse({ presentMs: 10, hostMs: 10, removeMs: 10, rebootMs: 100, ...given, faults });
  const terminal = nexoTerminal.create(options, { clock, random: seededRandom(1), changed() {} });
  const served = await serveTcp(terminal, { host: "127.0.0.1", port: 0 });
  let lastService = 0;
  /** Everything that came over the wire so far, as it was before it was sealed. */
  let heard = "";

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** Lets time pass until it has ended. */
  const passing = async <T>(promise: Promise<T>, stepMs = 5): Promise<T> => {
    let over = false;
    promise.then(
      () => (over = true),
      () => (over = true),
    );
    while (!over) {
      await clock.advance(stepMs);
      await turn();
    }
    return await promise;
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await turn();
  };
  const post = (text: string, { path = "/nexo/", method = "POST", signal }: Asked): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sending = request(
        {
          host: "127.0.0.1",
          port: served.port,
          path,
          method,
          agent: false,
          ca: terminal.authority,
          checkServerIdentity: (_host, { subject }) => (subject.CN === terminal.tlsName ? undefined : new RangeError("another name")),
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) },
          ...(signal ? { signal } : {}),
        },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on("data", (part: Buffer) => void parts.push(part));
          answer.on("error", reject);
          answer.on("end", () => {
            const told = Buffer.concat(parts).toString();
            const outside = parse(told);
            const open = (): unknown => {
              const [root] = Object.keys(outside as object);
              const plain = unseal(at(outside, root ?? ""));
              heard += plain;
              return at(JSON.parse(plain), root ?? "");
            };
            resolve({ status: answer.statusCode ?? 0, text: told, outside, open });
          });
        },
      );
      sending.on("error", reject);
      sending.end(text);
    });
  /** One request, without any time passing. */
  const send = (category: string, body: unknown, asked: Asked = {}): Promise<Answer> => {
    lastService += 1;
    const header = {
      ProtocolVersion: "3.0",
      MessageClass: "Service",
      MessageCategory: category,
      MessageType: "Request",
      ServiceID: asked.serviceId ?? String(lastService),
      SaleID: asked.saleId ?? SALE_ID,
      POIID: asked.poiId ?? POI_ID,
    };
    const plain = JSON.stringify({ SaleToPOIRequest: { MessageHeader: header, [`${category}Request`]: body } });
    const sealed = JSON.stringify({ SaleToPOIRequest: seal(header, plain, asked.key ?? KEY) });
    return post(asked.text?.(sealed, plain) ?? (asked.plain ? plain : sealed), asked);
  };
  /** One request and what was in the envelope of its answer, however long it takes. */
  const ask = async (category: string, body: unknown, asked: Asked = {}): Promise<unknown> =>
    at((await passing(send(category, body, asked))).open(), `${category}Response`);
  const status = (serviceId: string, asked: Asked = {}): Promise<unknown> =>
    ask("TransactionStatus", { MessageReference: { ServiceID: serviceId, SaleID: SALE_ID, MessageCategory: "Payment" } }, asked);
  const act = async (name: string, params: unknown = {}): Promise<void> => {
    const action = terminal.actions[name];
    if (!action) throw new RangeError(`no action ${name}`);
    await action.act(action.params.parse(params));
  };
  return {
    terminal,
    clock,
    port: served.port,
    passing,
    until,
    turn,
    send,
    ask,
    act,
    status,
    post,
    pay: (amountVnd = 50_000, asked: Asked = {}) => ask("Payment", payment(amountVnd), asked),
    kinds: () => terminal.ledger().map(({ kind, net }) => `${kind} ${net}`),
    get heard() {
      return heard;
    },
    async close() {
      await terminal.close();
      await served.close();
    },
  };
}
export type Bench = Awaited<ReturnType<typeof openBench>>;

/** Opens a terminal, tries it, and leaves nothing behind. */
export async function withBench(
  given: Record<string, unknown>,
  faults: Partial<Fault>[],
  trial: (bench: Bench) => Promise<void>,
): Promise<void> {
  const bench = await openBench(given, faults);
  try {
    await trial(bench);
  } finally {
    await bench.close();
  }
}

/** A cashier's display: where notifications go. */
export async function openDisplay(answers: (message: IncomingMessage) => boolean = () => true) {
  const bodies: string[] = [];
  const server = createServer((message, response) => {
    let text = "";
    message.on("data", (part: Buffer) => {
      text += part.toString();
    });
    message.on("end", () => {
      bodies.push(text);
      if (answers(message)) response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/display`,
    bodies,
    /** The ReferenceIDs, from TransactionID=… to event=… */
    references(): string[] {
      return bodies.map((text) => {
        const plain = unseal(at(JSON.parse(text), "SaleToPOIRequest"));
        const outputs = at(JSON.parse(plain), "SaleToPOIRequest.DisplayRequest.DisplayOutput");
        return String(at(outputs, "0.OutputContent.PredefinedContent.ReferenceID"));
      });
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
