import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { isatty } from "node:tty";
import type { Clock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import type { Connect } from "../kernel/link.js";
import { watchPresence } from "./presence.js";
import type { LinkSettings } from "./settings.js";
import { absent, lostLink, openFailure, systemCode, wireLink } from "./wire.js";

export type FileSettings = Extract<LinkSettings, { kind: "file" }>;

const READ_BYTES = 4_096;
/** Between two looks at a device that has nothing to say or takes nothing: soon at first, then ever less often. */
const PAUSE_MS = { first: 2, most: 50 };

/**
 * A device file such as /dev/usb/lp0, opened without blocking. Node cannot wait for readiness of such a file, and a
 * blocking read would hold one of the few pool threads for ever; so an unready device is looked at again after a pause.
 * `usblp` throws away the block under way when the file is closed: a driver of a one-way printer closes when it is done for good.
 */
export function file(settings: FileSettings, clock: Clock): Connect {
  const description = `file ${settings.path}`;
  return async (signal) => {
    signal.throwIfAborted();
    const opening = openDevice(settings.path);
    let handle: FileHandle;
    try {
      handle = await raceSignal(opening, signal);
    } catch (thrown) {
      opening.then((late) => late.close()).catch(() => {});
      throw signal.aborted ? signal.reason : openFailure(description, thrown);
    }
    const over = new AbortController();
    const { link, receive, end } = wireLink({
      description,
      chunkBytes: 4_096,
      write: (chunk) => writeAll(handle, chunk, clock, over.signal),
      async release() {
        over.abort(absent(`${description} was closed`));
        presence[Symbol.dispose]();
        await handle.close();
      },
    });
    const presence = watchPresence(settings.path, clock, () => end(absent(`${description} is gone`)));
    readOn(handle, clock, over.signal, receive).catch((thrown) => end(lostLink(description, thrown)));
    return link;
  };
}

/** Both ways, or for writing only where the device or its permissions allow no more. */
async function openDevice(path: string): Promise<FileHandle> {
  const flags = constants.O_NONBLOCK | constants.O_NOCTTY;
  try {
    return await open(path, constants.O_RDWR | flags);
  } catch (thrown) {
    if (systemCode(thrown) !== "EACCES" && systemCode(thrown) !== "EINVAL") throw thrown;
    return await open(path, constants.O_WRONLY | flags);
  }
}

async function readOn(handle: FileHandle, clock: Clock, over: AbortSignal, receive: (bytes: Uint8Array) => void): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES);
  const terminal = isatty(handle.fd);
  await untilOver(clock, over, async () => {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    // Some printers answer with nothing while they have nothing to say; a terminal only when it was hung up.
    if (bytesRead === 0 && terminal) throw absent("hung up");
    if (bytesRead > 0) receive(buffer.subarray(0, bytesRead));
    return bytesRead > 0 ? "moved" : "unready";
  }).catch((thrown: unknown) => {
    // A one-way printer, or a file opened for writing only: nothing will ever come, and that is no end.
    if (systemCode(thrown) !== "EINVAL" && systemCode(thrown) !== "EBADF") throw thrown;
  });
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, clock: Clock, over: AbortSignal): Promise<void> {
  let offset = 0;
  await untilOver(clock, over, async () => {
    const { bytesWritten } = await handle.write(chunk, offset, chunk.length - offset, null);
    offset += bytesWritten;
    if (offset === chunk.length) return "done";
    return bytesWritten > 0 ? "moved" : "unready";
  });
}

/** Repeats `turn` until it is done, with pauses while the device is not ready. @throws the signal's reason when the link is over */
async function untilOver(clock: Clock, over: AbortSignal, turn: () => Promise<"moved" | "unready" | "done">): Promise<void> {
  let pauseMs = PAUSE_MS.first;
  for (;;) {
    over.throwIfAborted();
    const outcome = await turn().catch((thrown: unknown) => {
      if (systemCode(thrown) === "EAGAIN" || systemCode(thrown) === "EINTR") return "unready";
      throw thrown;
    });
    if (outcome === "done") return;
    if (outcome === "unready") await clock.sleep(pauseMs, over);
    pauseMs = outcome === "moved" ? PAUSE_MS.first : Math.min(pauseMs * 2, PAUSE_MS.most);
  }
}
