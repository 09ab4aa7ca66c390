import { read } from "node:fs";
import { promisify } from "node:util";
import type { SerialPort } from "serialport";
import type { Clock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import { watchPresence } from "./presence.js";
import type { LinkSettings } from "./settings.js";
import { absent, lostLink, openFailure, systemCode, wireLink } from "./wire.js";

export type SerialSettings = Extract<LinkSettings, { kind: "serial" }>;

/**
 * A serial port, real or USB. The library is fenced, because it
 * - recurses for ever on the end of file that an unplugged adapter gives (see `endOnHangUp`), or stays silent (see `watchPresence`),
 * - notices a lost port only while somebody listens for data: the listener is there before the port opens,
 * - never calls back for a write to a stalled or closed port: `wireLink` gives up waiting when the link ends,
 * - emits `error` on closing over a stalled write and may emit `close` twice: the first end counts, the rest is heard and ignored,
 * - keeps the port open when its stream fails: `release` closes it whatever the stream thinks.
 */
export function serial(settings: SerialSettings, clock: Clock): Connect {
  const description = `serial ${settings.path}`;
  return async (signal) => {
    signal.throwIfAborted();
    const port = await newPort(settings);
    const { link, receive, end } = wireLink({
      description,
      // At 9,600 baud a port takes four seconds for this; what is abandoned in mid-write is at most so much.
      chunkBytes: 4_096,
      write: (chunk) => new Promise((resolve, reject) => port.write(Buffer.from(chunk), (error) => (error ? reject(error) : resolve()))),
      async release(pendingWrite) {
        presence?.[Symbol.dispose]();
        await closePort(port, pendingWrite);
      },
    });
    let presence: Disposable | undefined;
    port.once("open", () => endOnHangUp(port));
    port.on("data", receive);
    port.on("error", (error: Error) => end(lostLink(description, error)));
    port.on("close", () => end(lostLink(description)));

    const opened = new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
    try {
      await raceSignal(opened, signal);
    } catch (thrown) {
      opened.then(() => closePort(port, false)).catch(() => {});
      throw signal.aborted ? signal.reason : openFailure(description, thrown);
    }
    presence = watchPresence(settings.path, clock, () => end(absent(`${description} is gone`)));
    return link;
  };
}

async function newPort(settings: SerialSettings): Promise<SerialPort> {
  let library: typeof import("serialport");
  try {
    library = await import("serialport");
  } catch (thrown) {
    throw new DeviceError("device_fault", {
      message: "the serial port library cannot be loaded",
      retryable: false,
      hint: "Its native part does not fit this machine: install the agent again on this machine (npm ci), with optional packages",
      cause: thrown,
    });
  }
  const software = settings.flowControl === "xonxoff";
  return new library.SerialPort({
    autoOpen: false,
    path: settings.path,
    baudRate: settings.baudRate,
    dataBits: settings.dataBits,
    stopBits: settings.stopBits,
    parity: settings.parity,
    rtscts: settings.flowControl === "rtscts",
    xon: software,
    xoff: software,
  });
}

function closePort(port: SerialPort, pendingWrite: boolean): Promise<void> {
  return new Promise((resolve) => {
    const close = (): void => port.close(() => resolve());
    if (port.closing) port.once("close", () => resolve());
    else if (!port.isOpen) resolve();
    // The kernel holds a close back for up to 30 s until all is sent; what was given up is not worth that.
    else if (pendingWrite) port.flush(close);
    else close();
  });
}

/** What the library's POSIX port has besides its declared interface. */
interface PosixPort {
  readonly fd: number | null;
  readonly poller: { once(event: "readable", callback: (error: Error | null) => void): void };
  read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }>;
}

const readFile = promisify(read);

/**
 * Replaces the library's read, which answers an end of file by reading again, without a pause and for ever. A raw port
 * waits for at least one byte, so an end of file can only mean that the line was hung up.
 */
function endOnHangUp(port: SerialPort): void {
  const native = port.port as unknown as PosixPort | undefined;
  if (!native?.poller) return;
  const readable = (): Promise<void> =>
    new Promise((resolve, reject) => native.poller.once("readable", (error) => (error ? reject(error) : resolve())));
  native.read = async (buffer, offset, length) => {
    while (native.fd !== null) {
      try {
        const { bytesRead } = await readFile(native.fd, buffer, offset, length, null);
        if (bytesRead === 0) throw absent("hung up");
        return { buffer, bytesRead };
      } catch (thrown) {
        if (systemCode(thrown) !== "EAGAIN" && systemCode(thrown) !== "EINTR") throw thrown;
      }
      if (native.fd !== null) await readable();
    }
    throw Object.assign(absent("closed"), { canceled: true });
  };
}
