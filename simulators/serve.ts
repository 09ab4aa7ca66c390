import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { systemClock } from "../src/kernel/clock.js";
import { DeviceError } from "../src/kernel/errors.js";
import type { FarEnd, Simulator } from "./simulator.js";

/** How long a new connection waits for the former one to end, as in a printer's accept queue. */
const HANDOVER_MS = 250;
/** A pseudo-terminal is gone when its last user closes it; a new one takes its place after this. */
const RESPAWN_MS = 200;
/** Before a reader that does not listen is tried again. */
const RETRY_MS = 200;

const gone = (): DeviceError => new DeviceError("device_absent", { message: "the wire has ended" });

/** A stream as the device's end of a wire. It reads only when it is asked to, so a stalled device stalls the sender. */
export function farEnd(duplex: Duplex): FarEnd {
  const closed = new Promise<void>((resolve) => {
    if (duplex.closed) resolve();
    else duplex.once("close", () => resolve());
  });
  // Whatever went wrong ends in `close`.
  duplex.on("error", () => {});
  const close = async (): Promise<void> => {
    duplex.destroy();
    await closed;
  };
  return {
    closed,
    close,
    reset: () => void (duplex instanceof Socket ? duplex.resetAndDestroy() : duplex.destroy()),
    async read(signal) {
      for (;;) {
        signal.throwIfAborted();
        const chunk = duplex.read() as Uint8Array | null;
        if (chunk !== null) return chunk;
        if (duplex.readableEnded || duplex.destroyed) throw gone();
        await firstOf(duplex, ["readable", "end", "close"], signal);
      }
    },
    async write(bytes, signal) {
      signal.throwIfAborted();
      if (duplex.destroyed || duplex.writableEnded) throw gone();
      // A half-written reply cannot be taken back: giving up means pulling the wire.
      const abort = (): void => void close();
      signal.addEventListener("abort", abort, { once: true });
      try {
        await new Promise<void>((resolve, reject) => {
          const onClose = (): void => reject(gone());
          duplex.once("close", onClose);
          duplex.write(bytes, (error) => {
            duplex.off("close", onClose);
            if (error) reject(gone());
            else resolve();
          });
        });
      } finally {
        signal.removeEventListener("abort", abort);
      }
    },
  };
}

function firstOf(duplex: Duplex, events: readonly string[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const clear = (): void => {
      for (const event of events) duplex.off(event, onEvent);
      signal.removeEventListener("abort", onAbort);
    };
    const onEvent = (): void => {
      clear();
      resolve();
    };
    const onAbort = (): void => {
      clear();
      reject(signal.reason as Error);
    };
    for (const event of events) duplex.on(event, onEvent);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

export interface Served {
  close(): Promise<void>;
}

/**
 * Puts a simulator behind a TCP port (0: any free one). Unless it takes many, it has one connection at a time; another one is refused.
 * @throws DeviceError `busy` where the port is taken
 */
export async function serveTcp(simulator: Simulator, address: { host: string; port: number }): Promise<Served & { readonly port: number }> {
  let current: { readonly socket: Socket; readonly closed: Promise<void> } | undefined;
  const sockets = new Set<Socket>();

  const admit = async (socket: Socket): Promise<void> => {
    sockets.add(socket);
    socket.setNoDelay(true);
    const wire = farEnd(socket);
    void wire.closed.then(() => {
      sockets.delete(socket);
      if (current?.socket === socket) current = undefined;
    });
    if (simulator.manyWires) return simulator.attach(wire);
    if (current) await Promise.race([current.closed, systemClock().sleep(HANDOVER_MS)]);
    if (current) return void socket.resetAndDestroy();
    if (socket.destroyed) return;
    current = { socket, closed: wire.closed };
    simulator.attach(wire);
  };

  const server = createServer((socket) => void admit(socket));
  server.listen(address.port, address.host);
  try {
    await once(server, "listening");
  } catch (thrown) {
    throw new DeviceError("busy", {
      message: `cannot listen on ${address.host}:${address.port}`,
      hint: "Choose another port, or stop the program that listens there",
      cause: thrown,
    });
  }
  const bound = server.address();
  return {
    port: bound && typeof bound === "object" ? bound.port : address.port,
    async close() {
      const ended = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await ended;
    },
  };
}

/**
 * Lets a simulated card go to a virtual reader that listens, as vsmartcard's does behind pcscd: the connection is the card.
 * It ends when the card is lifted, and is made again when one is laid there or the reader ended it. A simulator
 * without presence is connected all the time.
 */
export function connectTcp(simulator: Simulator, address: { readonly host: string; readonly port: number }): Served {
  const clock = systemClock();
  let current: { readonly socket: Socket; readonly closed: Promise<void> } | undefined;
  let waiting: Disposable | undefined;
  let wanted = simulator.onPresence === undefined;

  const update = (): void => {
    if (!wanted) {
      current?.socket.destroy();
      current = undefined;
    } else if (!current && !waiting) open();
  };
  const open = (): void => {
    const socket = connect({ ...address, noDelay: true });
    const wire = farEnd(socket);
    const mine = { socket, closed: wire.closed };
    current = mine;
    socket.once("connect", () => {
      if (current === mine) simulator.attach(wire);
    });
    void wire.closed.then(() => {
      if (current !== mine) return;
      current = undefined;
      waiting = clock.timer(RETRY_MS, () => {
        waiting = undefined;
        update();
      });
    });
  };
  // Nothing else keeps the process alive while no card lies there.
  const alive = setInterval(() => {}, 2 ** 30);
  const forget = simulator.onPresence?.((present) => {
    wanted = present;
    update();
  });
  update();
  return {
    async close() {
      forget?.();
      clearInterval(alive);
      wanted = false;
      waiting?.[Symbol.dispose]();
      const leaving = current;
      update();
      await leaving?.closed;
    },
  };
}

/**
 * Puts a simulator behind a pseudo-terminal at `path`, for programs that want a serial line. Needs socat.
 * @throws DeviceError `unsupported` where socat is missing, `device_fault` where the path cannot be made
 */
export async function servePty(simulator: Simulator, path: string): Promise<Served> {
  const hop = await serveTcp(simulator, { host: "127.0.0.1", port: 0 });
  const closing = new AbortController();
  let socat: ChildProcess | undefined;
  const open = async (): Promise<void> => {
    const child = spawnPty(path, hop.port);
    socat = child;
    await untilUp(child, path);
    child.once("exit", () => void again());
  };
  const again = async (): Promise<void> => {
    try {
      await systemClock().sleep(RESPAWN_MS, closing.signal);
      await open();
    } catch {
      // Closed meanwhile, or the path is taken now: the line stays down.
    }
  };
  try {
    await open();
  } catch (thrown) {
    await hop.close();
    throw thrown;
  }
  return {
    async close() {
      closing.abort();
      if (socat?.pid !== undefined && socat.exitCode === null && socat.signalCode === null) {
        const ended = once(socat, "exit");
        socat.kill();
        await ended;
      }
      await hop.close();
    },
  };
}

function spawnPty(path: string, port: number): ChildProcess {
  return spawn("socat", ["-d", "-d", `PTY,link=${path},raw,echo=0`, `TCP:127.0.0.1:${port},nodelay`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** Resolves when the pseudo-terminal is there and the simulator is behind it. */
function untilUp(child: ChildProcess, path: string): Promise<void> {
  let said = "";
  return new Promise<void>((resolve, reject) => {
    child.once("error", (cause) =>
      reject(new DeviceError("unsupported", { message: "socat cannot be started", hint: "Install socat", cause })),
    );
    child.once("exit", () =>
      reject(new DeviceError("device_fault", { message: `no pseudo-terminal at ${path}`, hint: "Name a path that can be written" })),
    );
    child.stderr?.setEncoding("utf8").on("data", (line: string) => {
      // Only the beginning is of interest; the rest is read so that socat never waits for us.
      if (said.length < 4096) said += line;
      if (said.includes("starting data transfer loop")) resolve();
    });
  });
}
