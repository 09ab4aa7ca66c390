import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { concatBytes } from "../kernel/bytes.js";
import { DeviceError } from "../kernel/errors.js";
import type { HidLink } from "../kernel/hid.js";
import type { HttpLink } from "../kernel/http.js";
import type { Connect, Link } from "../kernel/link.js";
import type { AnyLink } from "./record.js";
import { parseRecording, type Recording, type ReplayOptions, replay } from "./replay.js";
import { pumpReports } from "./replay-reports.js";

type FarEnd = Pick<Link, "read" | "write" | "close">;

/** A recorded device as what stands at the far end of a wire. */
export type ReplayedDevice =
  /** Each wire that is plugged in is one opening. */
  | { readonly speaks: "bytes"; attach(farEnd: FarEnd): void }
  | {
      readonly speaks: "http";
      listen(address: { host: string; port: number }): Promise<{ readonly port: number; close(): Promise<void> }>;
    };

/** Of a request to a recorded device; longer ones are of no device of ours. */
const MOST_BODY_BYTES = 16 * 1024 * 1024;

/** @throws DeviceError `invalid_params` where this is no recording, `unsupported` where such a device has no far end of its own */
export function replayedDevice(text: string, options: ReplayOptions): { readonly recording: Recording; readonly device: ReplayedDevice } {
  const recording = parseRecording(text);
  const kind = recording.frames.map(({ what }) => /^opened (\w+)/.exec(what)?.[1]).find((found) => found !== undefined);
  const connect = replay(recording, options);
  if (kind === "bytes")
    return { recording, device: { speaks: "bytes", attach: (end) => void serve(connect as Connect<Link>, end, pumpBytes) } };
  if (kind === "hid")
    return { recording, device: { speaks: "bytes", attach: (end) => void serve(connect as Connect<HidLink>, end, pumpReports) } };
  if (kind === "http" && !usesTls(recording))
    return { recording, device: { speaks: "http", listen: (at) => serveHttp(connect as Connect<HttpLink>, at) } };
  const reasons: Readonly<Record<string, string>> = {
    http: "What is sealed holds other random numbers and times each time: it is replayed in tests, which repeat them",
    card: "A chip's access keys are random each time: it is replayed in tests, which repeat them",
    program: "A scanner behind scanimage has no wire of its own: it is replayed in tests",
  };
  throw new DeviceError("unsupported", {
    message: kind === undefined ? "the device was not there when this was recorded" : "such a recording cannot be replayed to an agent",
    hint: reasons[kind ?? ""] ?? "Record it again with the device switched on",
  });
}

const usesTls = ({ head }: Recording): boolean =>
  typeof head?.link === "object" && head.link !== null && "kind" in head.link && head.link.kind === "https";

const never = new AbortController().signal;

type Pump<L> = (link: L, farEnd: FarEnd) => (() => Promise<void>)[];

/** Until one side ends; then so does the other. */
async function serve<L extends AnyLink>(connect: Connect<L>, farEnd: FarEnd, pump: Pump<L>): Promise<void> {
  let link: L | undefined;
  try {
    link = await connect(never);
    await Promise.race(
      pump(link, farEnd).map(async (loop) => {
        // The other one ends a moment later, and nobody waits for it.
        await loop().catch(() => {});
      }),
    );
  } catch {
    // Whoever asked for the replay was told where it differs; the agent sees its wire end.
  } finally {
    await Promise.all([link?.close(), farEnd.close()]);
  }
}

function pumpBytes(link: Link, farEnd: FarEnd): (() => Promise<void>)[] {
  return [
    async () => {
      for (;;) await farEnd.write(await link.read(never), never);
    },
    async () => {
      for (;;) await link.write(await farEnd.read(never), never);
    },
  ];
}

async function serveHttp(connect: Connect<HttpLink>, { host, port }: { host: string; port: number }) {
  const link = await connect(never);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    const method = request.method as Parameters<HttpLink["send"]>[0]["method"];
    const { status, headers, body: said } = await link.send({ method, path: request.url ?? "/", body }, never);
    for (const name of ["location", "content-type", "retry-after"]) {
      const value = headers[name];
      if (typeof value === "string") response.setHeader(name, value);
    }
    response.writeHead(status, { "content-length": `${said.length}` }).end(said);
  };
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new DeviceError("busy", {
      message: `cannot listen on ${host}:${port}`,
      hint: "Choose another port, or stop the program that listens there",
      cause,
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close(): Promise<void> {
      await link.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let held = 0;
  for await (const part of request as AsyncIterable<Uint8Array>) {
    held += part.length;
    if (held > MOST_BODY_BYTES) throw new DeviceError("too_large");
    parts.push(part);
  }
  return concatBytes(parts);
}
