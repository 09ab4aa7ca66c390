import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { systemClock } from "../../src/kernel/clock.js";
import { DeviceError } from "../../src/kernel/errors.js";
import type { FarEnd } from "../simulator.js";

const READ_BYTES = 8_192;
/** Node cannot wait for such a file, and a blocking read would hold one of its few threads: it is looked at again, ever less often. */
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
  let working = Promise.resolve();
  const close = async (): Promise<void> => {
    if (!over.signal.aborted) {
      over.abort(new DeviceError("device_absent", { message: `${path} was closed` }));
      // The number of a closed file may be another file's at once: nothing may be under way then.
      await working;
      await handle.close().catch(() => {});
      ended();
    }
    await closed;
  };
  /** Tries until the device is ready; a failure is the end of the wire. */
  const repeat = async <T>(turn: () => Promise<T | undefined>, signal: AbortSignal): Promise<T> => {
    const either = AbortSignal.any([signal, over.signal]);
    let pauseMs = PAUSE_MS.first;
    for (;;) {
      either.throwIfAborted();
      let done: T | undefined;
      const trying = turn();
      working = working.then(() => trying).then(nothing, nothing);
      try {
        done = await trying;
      } catch (thrown) {
        if (!isNotReady(thrown)) {
          void close();
          throw thrown;
        }
      }
      if (done !== undefined) return done;
      await clock.sleep(pauseMs, either);
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS.most);
    }
  };
  return {
    fd: handle.fd,
    closed,
    close,
    read: (signal) =>
      repeat(async () => {
        const buffer = new Uint8Array(READ_BYTES);
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
        return bytesRead > 0 ? buffer.subarray(0, bytesRead) : undefined;
      }, signal),
    async write(bytes, signal) {
      for (let offset = 0; offset < bytes.length; ) offset += await repeat(() => written(handle, bytes.subarray(offset)), signal);
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
