import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Poller } from "@serialport/bindings-cpp/dist/poller.js";
import { systemClock } from "../../src/kernel/clock.js";
import { raceSignal } from "../../src/kernel/deadline.js";
import { DeviceError } from "../../src/kernel/errors.js";
import type { FarEnd } from "../simulator.js";

const READ_BYTES = 8_192;
/** A device that is not ready is asked again, ever less often. */
const PAUSE_MS = { first: 2, most: 40 };
const THERE_WITHIN_MS = 5_000;

/** A character device as the far end of a wire: each read of it is a chunk, each chunk written one write. */
export interface DeviceFile extends FarEnd {
  readonly fd: number;
}

/** @throws NodeJS.ErrnoException as `open` does */
export async function openDeviceFile(path: string): Promise<DeviceFile> {
  const handle = await open(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOCTTY);
  const clock = systemClock();
  const over = new AbortController();
  let ended = (): void => {};
  const closed = new Promise<void>((resolve) => {
    ended = resolve;
  });
  // Node itself cannot wait for such a file, and a blocking read would hold one of its few threads. Only for reading: asked for
  // both ways, the poller never rests.
  const poller = new Poller(handle.fd);
  let working = Promise.resolve();
  const close = async (): Promise<void> => {
    if (!over.signal.aborted) {
      over.abort(new DeviceError("device_absent", { message: `${path} was closed` }));
      // In this order: a poller that was not stopped keeps the number of the file.
      poller.stop();
      poller.destroy();
      // The number of a closed file may be another file's at once: nothing may be under way then.
      await working;
      await handle.close().catch(() => {});
      ended();
    }
    await closed;
  };
  /** Tries until the device is ready, which `wait` waits for; a failure is the end of the wire. */
  const repeat = async <T>(
    turn: () => Promise<T | undefined>,
    wait: (turns: number, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<T> => {
    const either = AbortSignal.any([signal, over.signal]);
    for (let turns = 0; ; turns++) {
      either.throwIfAborted();
      const trying = turn();
      working = working.then(() => trying).then(nothing, nothing);
      try {
        const done = await trying;
        if (done !== undefined) return done;
      } catch (thrown) {
        if (!isNotReady(thrown)) {
          void close();
          throw thrown;
        }
      }
      either.throwIfAborted();
      await wait(turns, either);
    }
  };
  const pause = (turns: number, signal: AbortSignal): Promise<void> =>
    clock.sleep(Math.min(PAUSE_MS.first * 2 ** turns, PAUSE_MS.most), signal);
  const readable = async (turns: number, signal: AbortSignal): Promise<void> => {
    await raceSignal(new Promise<void>((resolve) => poller.once("readable", () => resolve())), signal);
    // A line that was hung up is always readable, and gives nothing.
    if (turns > 0) await pause(turns, signal);
  };
  return {
    fd: handle.fd,
    closed,
    close,
    read: (signal) =>
      repeat(
        async () => {
          const buffer = new Uint8Array(READ_BYTES);
          const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
          return bytesRead > 0 ? buffer.subarray(0, bytesRead) : undefined;
        },
        readable,
        signal,
      ),
    async write(bytes, signal) {
      for (let offset = 0; offset < bytes.length; ) offset += await repeat(() => written(handle, bytes.subarray(offset)), pause, signal);
    },
  };
}

async function written(handle: FileHandle, bytes: Uint8Array): Promise<number | undefined> {
  const { bytesWritten } = await handle.write(bytes, 0, bytes.length, null);
  return bytesWritten > 0 ? bytesWritten : undefined;
}

function isNotReady(thrown: unknown): boolean {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return code === "EAGAIN" || code === "EINTR";
}

function nothing(): void {}

/** Asks again until there is an answer. @throws DeviceError `device_absent` after some seconds */
export async function untilThere<T>(look: () => T | undefined): Promise<T> {
  const clock = systemClock();
  const until = clock.monotonicMs() + THERE_WITHIN_MS;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (clock.monotonicMs() > until) throw new DeviceError("device_absent", { message: "the kernel made no device node" });
    await clock.sleep(20);
  }
}
