import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExtraHttp } from "./http.js";

const TYPES = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2",
} as const;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Part of the path → folder. The page's modules are served as compiled: their relative imports stay inside. */
const FOLDERS: Readonly<Record<string, () => string>> = {
  "": () => here("../../../src/console/static"),
  "page/": () => here("../console"),
  "client/": () => here("../client"),
  "protocol/": () => here("../protocol"),
  "technician/": () => here("../technician"),
  "languages/": () => here("../languages"),
  "languages/vi/": () => here("../languages/vi"),
  "fonts/": () => join(dirname(createRequire(import.meta.url).resolve("@fontsource/be-vietnam-pro/package.json")), "files"),
};

/** A file of a folder, by a name without a way out of it: no slash, no percent, no dot but between words. */
const FILE = /^\/console\/((?:[a-z]+\/){0,2})([\w-]+(?:\.[\w-]+)*\.(html|css|js|svg|woff2))$/;

const HEADERS = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** What the page may do: its own scripts, its own agent, and nothing from or to anywhere else. */
function policy(host: string | undefined): string {
  // Not every browser takes `'self'` for a WebSocket. Host has been checked; an address in brackets is none that a policy can name.
  const sockets = /^[\w.-]+(?::\d+)?$/.test(host ?? "") ? ` ws://${host} wss://${host}` : "";
  const own = ["script-src", "style-src", "font-src", "img-src"].map((what) => `${what} 'self'`).join("; ");
  return `default-src 'none'; ${own}; connect-src 'self'${sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

/**
 * The technicians' page at `/console/`. Its files are the same for everybody and hold nothing of the station, so they are served without a
 * token; whatever it shows comes over the WebSocket and from `/metrics`, with one.
 */
export function consoleFiles(enabled: () => boolean): ExtraHttp {
  return (request, response) => {
    const [path = ""] = (request.url ?? "").split("?");
    if (!enabled() || !/^\/console(?:\/|$)/.test(path)) return false;
    const end = (status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array): void => {
      const content = { ...HEADERS, "content-security-policy": policy(request.headers.host), ...headers };
      response.writeHead(status, content).end(request.method === "HEAD" ? undefined : body);
    };
    const refuse = (status: number, why: string, headers = {}): true => {
      end(status, { "content-type": "text/plain; charset=utf-8", ...headers }, `${why}\n`);
      return true;
    };
    if (request.method !== "GET" && request.method !== "HEAD") return refuse(405, "GET only", { allow: "GET, HEAD" });
    // The page's own addresses are relative.
    if (path === "/console") return refuse(308, "see /console/", { location: "/console/" });
    const [, folder = "", name = "", type = ""] = FILE.exec(path === "/console/" ? "/console/index.html" : path) ?? [];
    if (name === "" || !Object.hasOwn(FOLDERS, folder)) return refuse(404, "not found");
    readFile(join(FOLDERS[folder]?.() ?? "", name)).then(
      (content) => end(200, { "content-type": TYPES[type as keyof typeof TYPES] }, content),
      () => refuse(404, "not found"),
    );
    return true;
  };
}
