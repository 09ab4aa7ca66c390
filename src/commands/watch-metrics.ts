import { existsSync, readFileSync } from "node:fs";
import { type ClientRequest, request } from "node:http";
import { request as requestTls } from "node:https";
import { type ConnectionFlags, socketCandidates } from "./connection.js";

export { figuresOf } from "../technician/figures.js";

/** The agent's own page is some 20 kB. */
const LONGEST_ANSWER = 4 * 1024 * 1024;
const TIMEOUT_MS = 3_000;

/** The agent's metrics in Prometheus' text format; undefined where this caller gets none. Never rejects. */
export async function metricsText(flags: ConnectionFlags, env: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  if (flags.url !== undefined) {
    const url = URL.canParse(flags.url) ? new URL(flags.url) : undefined;
    if (!url || flags.url.startsWith("ws+unix")) return undefined;
    const { protocol, hostname, port } = url;
    const tls = protocol === "wss:" || protocol === "https:";
    return await get({
      host: hostname.replaceAll(/^\[|\]$/g, ""),
      port,
      tls,
      headers: { host: url.host, ...authorisation(flags.tokenFile) },
    });
  }
  // A service's socket would refuse, and log that it did.
  const mayAsk = (path: string): boolean => existsSync(path) && (path.endsWith("technician.sock") || flags.tokenFile !== undefined);
  const sockets = flags.socket === undefined ? socketCandidates(env).filter(mayAsk) : [flags.socket];
  for (const socketPath of sockets) {
    const text = await get({ socketPath, headers: { host: "localhost", ...authorisation(flags.tokenFile) } });
    if (text !== undefined) return text;
  }
  return undefined;
}

function authorisation(file: string | undefined): { authorization?: string } {
  if (file === undefined) return {};
  try {
    return { authorization: `Bearer ${readFileSync(file, "utf8").trim()}` };
  } catch {
    return {};
  }
}

interface Where {
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: string;
  readonly tls?: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

function get({ tls, ...where }: Where): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked: ClientRequest = (tls ? requestTls : request)({ ...where, path: "/metrics", timeout: TIMEOUT_MS }, (answer) => {
      if (answer.statusCode !== 200) {
        answer.resume();
        return resolve(undefined);
      }
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        if (text.length > LONGEST_ANSWER) asked.destroy();
      });
      answer.on("end", () => resolve(text)).on("close", () => resolve(undefined));
    });
    asked.on("timeout", () => asked.destroy()).on("error", () => resolve(undefined));
    asked.end();
  });
}
