import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { concatBytes } from "../../kernel/bytes.js";
import type { Link } from "../../kernel/link.js";

/** The device's side of a link in a test, made of nothing that is tested. */
export interface FarEnd {
  /** Resolves when the wire has taken the bytes. */
  send(bytes: Uint8Array): Promise<void>;
  /** Reads exactly so many bytes; nothing is read before or after. */
  receive(count: number): Promise<Uint8Array>;
  hangUp(): Promise<void>;
}

const never = new AbortController().signal;

/** The second half of a memory pair. */
export function linkFarEnd(link: Link): FarEnd {
  let rest = new Uint8Array();
  return {
    send: (bytes) => link.write(bytes, never),
    async receive(count) {
      while (rest.length < count) rest = new Uint8Array(concatBytes([rest, await link.read(never)]));
      const taken = rest.slice(0, count);
      rest = rest.slice(count);
      return taken;
    },
    hangUp: () => link.close(),
  };
}

function streamFarEnd(input: Readable, output: Writable, hangUp: () => Promise<void>): FarEnd {
  output.on("error", () => {});
  input.on("error", () => {});
  return {
    send: (bytes) => new Promise((resolve) => output.write(bytes, () => resolve())),
    async receive(count) {
      const parts: Uint8Array[] = [];
      let held = 0;
      while (held < count) {
        const part = (input.read(Math.min(count - held, input.readableLength || 1)) ?? undefined) as Uint8Array | undefined;
        if (part) {
          parts.push(part);
          held += part.length;
        } else {
          await once(input, "readable");
        }
      }
      return new Uint8Array(concatBytes(parts));
    },
    hangUp,
  };
}

/** A listening port whose first connection is the far end. */
export async function tcpFarEnd(): Promise<{ port: number; accepted: Promise<FarEnd>; close(): Promise<void> }> {
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: false }, (socket) => sockets.push(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const accepted = once(server, "connection").then(([socket]) =>
    streamFarEnd(socket as Socket, socket as Socket, async () => {
      (socket as Socket).end();
    }),
  );
  return {
    port: address && typeof address === "object" ? address.port : 0,
    accepted,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A pseudo-terminal whose other side is socat's standard input and output. */
export async function ptyFarEnd(): Promise<{ path: string; far: FarEnd; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "stationd-pty-"));
  const path = join(folder, "port");
  const socat = spawn("socat", [`pty,raw,echo=0,link=${path}`, "-"], { stdio: ["pipe", "pipe", "pipe"] });
  const exited = once(socat, "exit");
  const close = async (): Promise<void> => {
    socat.kill("SIGKILL");
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const { access } = await import("node:fs/promises");
  for (;;) {
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (there || socat.exitCode !== null) break;
    await pause(2);
  }
  return { path, far: streamFarEnd(socat.stdout, socat.stdin, close), close };
}
