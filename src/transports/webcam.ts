import { lstat, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { superviseChild } from "../child/child.js";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import type { Logger } from "../kernel/log.js";
import type { ProgramEnd, ProgramLink, ProgramOutput } from "../kernel/program.js";
import type { Captured, CaptureOrder } from "./host/webcam-calls.js";
import type { LinkSettings } from "./settings.js";
import { cameraFailure } from "./video-failure.js";
import { absent } from "./wire.js";

export type WebcamSettings = Extract<LinkSettings, { kind: "webcam" }>;

/** Memory, not a disk: a face is never written to one. */
const MEMORY = "/dev/shm";

/**
 * A camera that gives stills, taken by fswebcam through node-webcam, each in a child process of its own that is killed
 * afterwards: that library builds a shell's command line and knows no time limit.
 *
 * `run(["still.jpg", "2"])` puts a picture taken after two seconds into the folder.
 */
export function webcam(settings: WebcamSettings, { clock, log }: { readonly clock: Clock; readonly log: Logger }): Connect<ProgramLink> {
  const { device, widthPx, heightPx } = settings;
  const description = device === "TEST" ? "test picture" : `camera ${device}`;
  return async (signal) => {
    signal.throwIfAborted();
    if (device !== "TEST") {
      await realpath(device).catch((thrown) => {
        throw cameraFailure(description, String(thrown), thrown);
      });
    }
    const folder = await privateFolder();
    const closing = new AbortController();
    let running: Promise<ProgramEnd> | undefined;

    const capture = async (args: readonly string[], output: ProgramOutput, asked: AbortSignal): Promise<ProgramEnd> => {
      const [name = "", delay = "0"] = args;
      const order: CaptureOrder = { device, widthPx, heightPx, delaySeconds: Number(delay), location: join(folder, name) };
      const child = superviseChild({ entry: new URL("./host/webcam-entry.js", import.meta.url), name: "webcam", log, clock });
      const stop = (): void => void child.stop();
      for (const one of [asked, closing.signal]) one.addEventListener("abort", stop, { once: true });
      try {
        const { failed, said } = (await child.call("capture", order, asked)) as Captured;
        for (const line of said.split(/[\r\n]+/)) if (line !== "") output.stderr?.(line);
        return { code: failed ? 1 : 0, stopped: false };
      } catch (thrown) {
        if (!asked.aborted && !closing.signal.aborted) throw thrown;
        return { code: undefined, stopped: true };
      } finally {
        for (const one of [asked, closing.signal]) one.removeEventListener("abort", stop);
        // fswebcam goes with it.
        await child.stop();
      }
    };

    return {
      description,
      folder,
      async run(args, output, asked) {
        closing.signal.throwIfAborted();
        if (running) throw new DeviceError("busy", { message: `${description} is taking a picture` });
        running = capture(args, output, asked).finally(() => {
          running = undefined;
        });
        return await running;
      },
      async take(name, mostBytes) {
        const path = join(folder, fileName(name));
        try {
          const found = await lstat(path).catch(() => undefined);
          if (!found?.isFile()) throw new DeviceError("device_fault", { message: `${description} gave no picture` });
          if (found.size > mostBytes) throw new DeviceError("too_large", { message: `a picture of ${found.size} bytes` });
          return new Uint8Array(await readFile(path));
        } finally {
          await rm(path, { force: true });
        }
      },
      async close() {
        closing.abort(absent(`${description} was closed`));
        await running?.catch(() => {});
        await rm(folder, { recursive: true, force: true });
      },
    };
  };
}

async function privateFolder(): Promise<string> {
  try {
    return await mkdtemp(join(MEMORY, "stationd-"));
  } catch {
    return await mkdtemp(join(tmpdir(), "stationd-"));
  }
}

function fileName(name: string): string {
  if (/^[\w-]{1,40}\.jpg$/.test(name)) return name;
  throw new DeviceError("invalid_params", { message: "no name of a picture" });
}
