import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { systemClock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import type { LinkSettings } from "./settings.js";
import { absent, lostLink, systemCode, wireLink } from "./wire.js";

export type TcpSettings = Extract<LinkSettings, { kind: "tcp" }>;

/** A device that went away without a word is noticed by keep-alive only. */
const KEEP_ALIVE_DELAY_MS = 10_000;
/** A connection closed at once resets what the device has not fetched yet when it sends something meanwhile. */
const LINGER_MS = 250;

/** A TCP connection to an IP address or a name, such as port 9100 of a printer. */
export function tcp(settings: TcpSettings): Connect {
  const description = `tcp ${settings.host}:${settings.port}`;
  return async (signal) => {
    signal.throwIfAborted();
    const socket = connect({
      host: settings.host,
      port: settings.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
    });
    const { link, receive, end } = wireLink({
      description,
      chunkBytes: 64 * 1024,
      write: (chunk) => new Promise((resolve, reject) => socket.write(chunk, (error) => (error ? reject(error) : resolve()))),
      release: (pendingWrite) => hangUp(socket, pendingWrite),
    });
    socket.on("data", receive);
    // Half an end is an end: a device that no longer sends will not answer.
    socket.on("end", () => end(absent(`${description}: the far end closed the connection`)));
    socket.on("error", (error) => end(lostLink(description, error)));
    socket.on("close", () => end(lostLink(description)));
    try {
      await raceSignal(once(socket, "connect"), signal);
    } catch (thrown) {
      socket.destroy();
      throw signal.aborted ? signal.reason : connectFailure(description, thrown);
    }
    return link;
  };
}

async function hangUp(socket: Socket, pendingWrite: boolean): Promise<void> {
  if (socket.closed) return;
  const closed = once(socket, "close");
  if (!pendingWrite && !socket.destroyed) {
    socket.end();
    await Promise.race([closed, systemClock().sleep(LINGER_MS)]);
  }
  socket.destroy();
  await closed;
}

function connectFailure(description: string, thrown: unknown): DeviceError {
  const code = systemCode(thrown);
  const hint =
    code === "ECONNREFUSED"
      ? "The device is on the network but does not listen on this port: check the port, and whether it serves another host"
      : code === "ENOTFOUND" || code === "EAI_AGAIN"
        ? "The name is not known: check it, or use the IP address"
        : "Check the device's power, the network cable and the address";
  return new DeviceError("device_absent", { message: `${description} cannot be reached (${code ?? "unknown"})`, hint, cause: thrown });
}
