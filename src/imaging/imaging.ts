import { superviseChild } from "../child/child.js";
import type { Bitmap, Imaging, Photo, Photos } from "../contracts/imaging.js";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import type { DrawRequest } from "./entry.js";
import { OWN_FONTS_ONLY } from "./own-fonts.js";
import { secondTry } from "./second-try.js";

export interface ImagingRoom extends Imaging, Photos {
  /** Of the child, while it runs. */
  readonly pid: number | undefined;
  /** For good. Idempotent, never rejects. */
  stop(): Promise<void>;
}

const IDLE_STOP_MS = 60_000;
const MAX_OLD_SPACE_MB = 256;
/** Decoding one big picture is a single piece of work. */
export const HEARTBEAT = { everyMs: 500, deadAfterMs: 4_000 };

/** Drawing in a supervised child, started by the first request and stopped after a minute without one. */
export function createImaging({ log, clock }: { readonly log: Logger; readonly clock: Clock }): ImagingRoom {
  const child = superviseChild({
    entry: new URL("./entry.js", import.meta.url),
    name: "imaging",
    log,
    clock,
    idleStopMs: IDLE_STOP_MS,
    maxOldSpaceMb: MAX_OLD_SPACE_MB,
    heartbeat: HEARTBEAT,
    env: OWN_FONTS_ONLY,
  });
  const call = async (method: string, args: unknown, hostile: boolean, signal: AbortSignal): Promise<unknown> => {
    return await secondTry(
      () => child.call(method, args, signal),
      (cause) =>
        hostile
          ? new DeviceError("invalid_params", { message: "an image could not be decoded", cause })
          : new DeviceError("internal", { message: "drawing ended unexpectedly", retryable: true, cause }),
    );
  };
  return {
    get pid() {
      return child.pid;
    },
    stop: () => child.stop(),
    async draw(blocks, style, signal) {
      if (blocks.length === 0) return [];
      const request: DrawRequest = { blocks, style };
      const hostile = blocks.some((block) => block.type === "image");
      return (await call("draw", request, hostile, signal)) as Bitmap[];
    },
    png: async (bitmap, signal) => (await call("png", bitmap, false, signal)) as Uint8Array,
    photo: async (image, signal) => (await call("photo", image, true, signal)) as Photo,
  };
}
