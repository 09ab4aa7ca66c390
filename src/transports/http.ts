import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request as requestHttp, type Server } from "node:http";
import { request as requestHttps } from "node:https";
import type { PeerCertificate } from "node:tls";
import { concatBytes } from "../kernel/bytes.js";
import { DeviceError } from "../kernel/errors.js";
import type { HttpLink, HttpNotice, HttpRequest, HttpResponse } from "../kernel/http.js";
import type { Connect } from "../kernel/link.js";
import type { LinkSettings } from "./settings.js";
import { systemCode } from "./wire.js";

export type HttpSettings = Extract<LinkSettings, { kind: "http" | "https" }>;

/** More than any device of ours says in one answer, but where the request allows more. */
const MOST_BODY_BYTES = 4 * 1024 * 1024;
const MOST_NOTICE_BYTES = 256 * 1024;
const NOTICE_WITHIN_MS = 5_000;

/**
 * A device that speaks HTTP or HTTPS. `authority`: PEM of the certificate authority that is believed, instead of the file in the settings.
 * Nothing is sent before the first request: whether the device is there shows then.
 */
export function http(settings: HttpSettings, authority?: string): Connect<HttpLink> {
  const secure = settings.kind === "https";
  const description = `${settings.kind} ${settings.host}:${settings.port}`;
  return async (signal) => {
    signal.throwIfAborted();
    const ca = secure ? (authority ?? (await readAuthority(settings.caFile))) : undefined;
    const over = new AbortController();
    let heard: (notice: HttpNotice) => number = () => 404;
    const server = settings.listen && (await listen(settings.listen, (notice) => heard(notice)));
    const options = {
      host: settings.host,
      port: settings.port,
      // Devices close kept connections without a word.
      agent: false as const,
      ...(secure
        ? {
            ca,
            ...(settings.serverName === undefined
              ? {}
              : { checkServerIdentity: named(settings.serverName), servername: settings.serverName }),
          }
        : {}),
    };
    const send = (request: HttpRequest, caller: AbortSignal): Promise<HttpResponse> =>
      new Promise((resolve, reject) => {
        const either = AbortSignal.any([caller, over.signal]);
        let reached = false;
        const fail = (thrown: unknown): void => reject(either.aborted ? either.reason : failure(description, thrown, reached));
        if (either.aborted) return fail(undefined);
        const { method, path, mostBytes = MOST_BODY_BYTES, heard } = request;
        const headers = { ...request.headers, ...(request.body ? { "content-length": `${request.body.length}` } : {}) };
        const sending = (secure ? requestHttps : requestHttp)({ ...options, method, path, headers, signal: either }, (answer) => {
          body(answer, mostBytes, answer.statusCode === 200 ? heard : undefined).then((bytes) => {
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes });
          }, fail);
        });
        // Before the handshake ends no byte of the request leaves.
        sending.on("socket", (socket) => void socket.once(secure ? "secureConnect" : "connect", () => (reached = true)));
        sending.on("error", fail);
        sending.end(request.body);
      });
    return {
      description,
      send,
      onNotice: (listener) => {
        heard = listener;
      },
      async close() {
        over.abort(new DeviceError("device_absent", { message: `${description}: closed` }));
        server?.closeAllConnections();
        if (server?.listening) await new Promise((resolve) => server.close(resolve));
      },
    };
  };
}

async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const hint = "Put the certificate authority of the device there as PEM, or correct link.caFile";
    throw new DeviceError("device_fault", { message: `${file} cannot be read (${systemCode(cause) ?? "unknown"})`, hint, cause });
  }
}

/** A device's certificate names the device and not the address that it happens to have. The chain is checked by TLS itself. */
function named(wanted: string): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (_host, { subject, subjectaltname }) => {
    const names = [subject?.CN ?? [], (subjectaltname ?? "").split(", ").flatMap((name) => /^DNS:(.+)$/.exec(name)?.[1] ?? [])].flat();
    if (names.some((name) => name.toLowerCase() === wanted.toLowerCase())) return undefined;
    return new DeviceError("device_fault", {
      message: `the certificate is not that of ${wanted}`,
      hint: "Another device answers at this address: correct link.host, or link.serverName",
      details: { sent: false },
    });
  };
}

async function body(message: IncomingMessage, most: number, heard?: HttpRequest["heard"]): Promise<Uint8Array> {
  const length = message.headers["content-length"];
  const parts: Uint8Array[] = [];
  let held = 0;
  for await (const part of message as AsyncIterable<Uint8Array>) {
    held += part.length;
    if (held > most) throw new DeviceError("too_large", { message: "the device says too much" });
    parts.push(part);
    heard?.(held, length === undefined ? undefined : Number(length));
  }
  return concatBytes(parts);
}

function failure(description: string, thrown: unknown, reached: boolean): DeviceError {
  if (thrown instanceof DeviceError) return thrown;
  const code = systemCode(thrown) ?? "unknown";
  const details = { sent: reached };
  if (/CERT|SELF_SIGNED|TLS|SSL|UNABLE_TO/.test(code)) {
    return new DeviceError("device_fault", {
      message: `${description} shows a certificate that does not fit (${code})`,
      hint: "Name the device's own certificate authority in link.caFile, and check the clock of the station",
      details,
      cause: thrown,
    });
  }
  return new DeviceError("device_absent", { message: `${description} gave no whole answer (${code})`, details, cause: thrown });
}

/** Anyone in the device's network may come here: small bodies, short patience, and the driver believes nothing that is not signed. */
async function listen(at: { readonly host: string; readonly port: number }, heard: (notice: HttpNotice) => number): Promise<Server> {
  const server = createServer({ requestTimeout: NOTICE_WITHIN_MS, connectionsCheckingInterval: NOTICE_WITHIN_MS }, (request, response) => {
    body(request, MOST_NOTICE_BYTES)
      .then((bytes) => response.writeHead(heard({ path: request.url ?? "/", body: bytes })).end())
      .catch(() => response.destroy());
  });
  server.maxConnections = 16;
  server.listen(at.port, at.host);
  try {
    await once(server, "listening");
  } catch (cause) {
    const hint = "Stop the program that listens there, or choose another port in link.listen and on the device";
    throw new DeviceError("busy", { message: `cannot listen on ${at.host}:${at.port}`, hint, cause });
  }
  // No descriptors left: this notice is lost, and the next one may come.
  server.on("error", () => {});
  return server;
}
