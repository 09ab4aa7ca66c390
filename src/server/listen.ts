import { chmod, lstat, readFile, unlink } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect } from "node:net";
import { DeviceError } from "../kernel/errors.js";
import { isLoopback } from "./admission.js";
import type { ServerSettings } from "./settings.js";

/** Slow or silent HTTP peers are cut off; a WebSocket has its own clock from the upgrade on. */
const HTTP_LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 8 * 1024,
} as const;
const RAW_CONNECTIONS = 4_096;

function started(server: Server, listen: (server: Server) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.removeListener("error", reject);
      // Out of descriptors: this one is not let in, and the agent lives on.
      server.on("error", () => {});
      resolve();
    });
    server.maxConnections = RAW_CONNECTIONS;
    listen(server);
  });
}

const codeOf = (thrown: unknown): unknown => (thrown as NodeJS.ErrnoException).code;

async function tlsServer({ certFile, keyFile }: NonNullable<ServerSettings["tls"]>, onRequest: RequestListener): Promise<Server> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
    return createHttpsServer({ ...HTTP_LIMITS, cert, key, minVersion: "TLSv1.2" }, onRequest);
  } catch (thrown) {
    const hint = `Check that ${certFile} and ${keyFile} are readable and fit each other`;
    throw new DeviceError("unsupported", { message: "the TLS certificate cannot be used", hint, cause: thrown });
  }
}

/** @throws DeviceError `busy` where the port is taken, `unsupported` for an address beyond loopback without TLS */
export async function listenTcp(settings: ServerSettings, onRequest: RequestListener): Promise<Server> {
  const { host, port, tls } = settings;
  if (!isLoopback(host) && !(settings.allowRemote && tls !== undefined)) {
    throw new DeviceError("unsupported", {
      message: `will not listen on ${host}`,
      hint: "Listen on 127.0.0.1, or set allowRemote = true and give a TLS certificate",
    });
  }
  const server = tls === undefined ? createHttpServer(HTTP_LIMITS, onRequest) : await tlsServer(tls, onRequest);
  try {
    await started(server, () => server.listen({ host, port }));
  } catch (thrown) {
    if (codeOf(thrown) === "EADDRINUSE") {
      const hint = `Port ${port} is in use: stop the other program (ss -ltnp "sport = :${port}" names it), or set another port`;
      throw new DeviceError("busy", { message: `port ${port} is in use`, hint, cause: thrown });
    }
    const hint = `Check server.host and server.port: ${host}:${port} (${String(codeOf(thrown))})`;
    throw new DeviceError("unsupported", { message: `cannot listen on ${host}:${port}`, hint, cause: thrown });
  }
  return server;
}

/** Does anybody answer on the socket file? */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

/** A socket file that a killed agent left is removed; one that somebody listens on, or any other file, is not. */
async function clearStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new DeviceError("busy", { message: `${path} is no socket`, hint: `Remove the file ${path}, or set another path` });
  }
  if (await answers(path)) {
    throw new DeviceError("busy", { message: `${path} is in use`, hint: `Another agent listens on ${path}: stop it first` });
  }
  await unlink(path).catch(() => undefined);
}

/** Mode 0660: whoever may open the file has its role. @throws DeviceError `busy` or `unsupported` */
export async function listenUnix(path: string, onRequest: RequestListener): Promise<Server> {
  await clearStale(path);
  const server = createHttpServer(HTTP_LIMITS, onRequest);
  try {
    await started(server, () => server.listen(path));
    await chmod(path, 0o660);
    return server;
  } catch (thrown) {
    server.close();
    if (codeOf(thrown) === "EADDRINUSE") {
      throw new DeviceError("busy", {
        message: `${path} is in use`,
        hint: `Another agent listens on ${path}: stop it first`,
        cause: thrown,
      });
    }
    const hint = `Check that the folder of ${path} exists and may be written to (${String(codeOf(thrown))})`;
    throw new DeviceError("unsupported", { message: `cannot listen on ${path}`, hint, cause: thrown });
  }
}
