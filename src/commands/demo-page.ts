import { readFile } from "node:fs/promises";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "../kernel/schema.js";
import type { DemoBank } from "./demo-bank.js";

export interface DemoPageOptions {
  /** Where the page is, exactly: `http://127.0.0.1:7871`. Requests under another name get nothing (DNS rebinding). Read at each request. */
  readonly origins: readonly string[];
  readonly bank: DemoBank;
  /** When the demo began, in milliseconds since the epoch: its bills are open again then. */
  readonly since: number;
  /** The agent, once it runs. */
  agent(): { readonly url: string; mintSimulatorToken(): string } | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Path prefix → folder, the longest first. The client is served as compiled: its imports are relative and stay inside. */
const MOUNTS: readonly (readonly [prefix: string, folder: () => string])[] = [
  ["/stationd/client/", () => here("../client")],
  ["/stationd/protocol/", () => here("../protocol")],
  ["/fonts/", () => join(dirname(createRequire(import.meta.url).resolve("@fontsource/be-vietnam-pro/package.json")), "files")],
  ["/", () => here("../../../examples/kiosk")],
];

/** The file of a request's path; undefined for anything that is none of ours. */
function fileOf(path: string): string | undefined {
  const wanted = path === "/" ? "/index.html" : path;
  const mount = MOUNTS.find(([prefix]) => wanted.startsWith(prefix));
  if (!mount || !Object.hasOwn(TYPES, extname(wanted)) || wanted.includes("\0")) return undefined;
  const folder = mount[1]();
  const file = resolve(folder, wanted.slice(mount[0].length));
  return file.startsWith(folder + sep) ? file : undefined;
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** What the side panel's bank app sends. */
const Transfer = z.strictObject({ payload: z.string().max(512), amountVnd: z.int().min(1).max(100_000_000_000).optional() });
const LEDGER_SHOWN = 6;
const MOST_BODY_BYTES = 4_096;

/** The body as JSON; undefined where it is none, or too long. */
async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The demo page from its static folder, the agent's address, and tokens for the side panel. */
export function demoPage({ origins, since, bank, agent }: DemoPageOptions): RequestListener {
  const isOurName = (host: string | undefined): boolean => origins.some((origin) => new URL(origin).host === host);
  /** Cross-site forms and scripts cannot send our Origin; a browser always sends one with a POST. */
  const isOurPage = ({ headers }: IncomingMessage): boolean =>
    origins.includes(headers.origin ?? "") && (headers["sec-fetch-site"] ?? "same-origin") === "same-origin";

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const running = agent();
    const end = (status: number, type: string, body: string | Uint8Array): void => {
      response.writeHead(status, {
        "content-type": type,
        "cache-control": "no-store",
        "content-security-policy": `default-src 'self'; connect-src 'self' ${running?.url ?? ""}; img-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
      });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    const refuse = (status: number, why: string): void => end(status, "text/plain; charset=utf-8", `${why}\n`);
    const json = (value: object): void => end(200, "application/json", JSON.stringify(value));

    if (!isOurName(request.headers.host)) return refuse(421, "this server has another name");
    const path = decoded((request.url ?? "/").split("?")[0] ?? "/");
    if (path === "/simulator-token") {
      if (request.method !== "POST") return refuse(405, "POST only");
      if (!isOurPage(request)) return refuse(403, "for the demo page only");
      return running ? json({ token: running.mintSimulatorToken() }) : refuse(503, "the agent is starting");
    }
    if (path === "/bank/transfers" && request.method === "POST") {
      if (!isOurPage(request)) return refuse(403, "for the demo page only");
      const wish = Transfer.safeParse(await jsonOf(request));
      if (!wish.success || !bank.transfer(wish.data.payload, wish.data.amountVnd))
        return refuse(400, "this is no VietQR code with a purpose");
      return json({ transfers: bank.ledger().slice(0, LEDGER_SHOWN) });
    }
    if (request.method !== "GET" && request.method !== "HEAD") return refuse(405, "GET only");
    if (path === "/station.json") return running ? json({ url: running.url, demo: true, since }) : refuse(503, "the agent is starting");
    if (path === "/bank/confirmations") {
      if ((request.headers["sec-fetch-site"] ?? "same-origin") !== "same-origin") return refuse(403, "for the demo page only");
      const after = Number(new URL(request.url ?? "/", "http://demo").searchParams.get("after"));
      return Number.isInteger(after) && after >= 0 ? json({ confirmations: bank.confirmations(after) }) : refuse(400, "after: a count");
    }
    const file = path === undefined ? undefined : fileOf(path);
    if (!file) return refuse(404, "there is no such page");
    let content: Uint8Array;
    try {
      content = await readFile(file);
    } catch {
      return refuse(404, "there is no such page");
    }
    end(200, TYPES[extname(file)] ?? "", content);
  };
  // A browser that leaves in mid-request is nobody's fault.
  return (request, response) => void answer(request, response).catch(() => response.destroy());
}
