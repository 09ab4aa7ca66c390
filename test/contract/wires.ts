import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { FarEnd } from "../../simulators/simulator.js";
import { systemClock } from "../../src/kernel/clock.js";
import { DeviceError } from "../../src/kernel/errors.js";
import { type Connect, createInbox } from "../../src/kernel/link.js";
import { silentLog } from "../../src/kernel/log.js";
import { connectorFor, memoryPair } from "../../src/transports/index.js";
import { LinkSettings } from "../../src/transports/settings.js";
import { openPtyPair } from "../../src/transports/testing/pty.js";

/** A wire with the driver's end and the device's end. */
export interface Wire extends AsyncDisposable {
  readonly connect: Connect;
  /** The device's end of each connection, as it is made. */
  readonly plugged: () => Promise<FarEnd>;
  /** The device is gone, as when its cable is pulled. */
  unplug(): Promise<void>;
}

export interface WireKind {
  readonly name: string;
  /** Needs pseudo-terminals and the native serial library. */
  readonly native: boolean;
  lay(): Promise<Wire>;
  /** A connector to a device that is not there. */
  absent(): Promise<Connect>;
}

const never = new AbortController().signal;
const connector = (settings: unknown): Connect => connectorFor(LinkSettings.parse(settings), { clock: systemClock(), log: silentLog });

/** The next value of several that come one after the other. */
function handover<T>(): { give(value: T): void; next(): Promise<T> } {
  const values: T[] = [];
  const takers: ((value: T) => void)[] = [];
  return {
    give(value) {
      const taker = takers.shift();
      if (taker) taker(value);
      else values.push(value);
    },
    next() {
      const value = values.shift();
      return value === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(value);
    },
  };
}

function socketEnd(socket: Socket): FarEnd {
  const inbox = createInbox();
  const closed = once(socket, "close").then(() => inbox.end(new DeviceError("device_absent")));
  socket.on("data", (bytes: Buffer) => inbox.push(new Uint8Array(bytes)));
  socket.on("error", () => {});
  return {
    read: inbox.read,
    write: (bytes) => new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve()))),
    async close() {
      socket.destroy();
      await closed;
    },
    closed,
  };
}

const memory: WireKind = {
  name: "memory",
  native: false,
  async lay() {
    const ends = handover<FarEnd>();
    let unplugged = false;
    const all: FarEnd[] = [];
    const unplug = async (): Promise<void> => {
      unplugged = true;
      await Promise.all(all.map((end) => end.close()));
    };
    return {
      async connect(signal) {
        signal.throwIfAborted();
        if (unplugged) throw new DeviceError("device_absent");
        const [near, far] = memoryPair();
        all.push(far);
        ends.give(far);
        return near;
      },
      plugged: ends.next,
      unplug,
      [Symbol.asyncDispose]: unplug,
    };
  },
  absent: async () => () => Promise.reject(new DeviceError("device_absent")),
};

const tcp: WireKind = {
  name: "tcp",
  native: false,
  async lay() {
    const ends = handover<FarEnd>();
    const all: FarEnd[] = [];
    const server = createServer((socket) => {
      const end = socketEnd(socket);
      all.push(end);
      ends.give(end);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    const unplug = async (): Promise<void> => {
      await Promise.all(all.map((end) => end.close()));
      if (server.listening) await once(server.close(), "close");
    };
    return {
      connect: connector({ kind: "tcp", host: "127.0.0.1", port: typeof address === "object" ? address?.port : 0 }),
      plugged: ends.next,
      unplug,
      [Symbol.asyncDispose]: unplug,
    };
  },
  async absent() {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    await once(server.close(), "close");
    return connector({ kind: "tcp", host: "127.0.0.1", port: typeof address === "object" ? address?.port : 0 });
  },
};

function serial(name: string, hosted: boolean): WireKind {
  const settings = { kind: "serial", baudRate: 115_200, hosted };
  return {
    name,
    native: true,
    async lay() {
      const pair = await openPtyPair();
      // The device holds its end of the line from the start, whether or not the agent has opened the other one.
      const far = await connector({ ...settings, hosted: false, path: pair.b })(never);
      const unplug = async (): Promise<void> => {
        await pair.unplug();
        await far.close();
      };
      return { connect: connector({ ...settings, path: pair.a }), plugged: async () => far, unplug, [Symbol.asyncDispose]: unplug };
    },
    absent: async () => connector({ ...settings, path: "/dev/serial/by-id/not-there" }),
  };
}

/** Every way in which a driver is tried. */
export const wireKinds: readonly WireKind[] = [memory, tcp, serial("serial in the agent's process", false), serial("serial hosted", true)];
