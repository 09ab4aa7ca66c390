import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { childEnv } from "../child/env.js";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Connect, Link } from "../kernel/link.js";
import type { LinkSettings } from "./settings.js";
import { cameraFailure } from "./video-failure.js";
import { wireLink } from "./wire.js";

export type VideoSettings = Extract<LinkSettings, { kind: "video" }>;

/** It dies with the agent, even where that is killed; ffmpeg ends by itself when nobody reads its output. */
const FFMPEG = ["setpriv", "--pdeathsig", "KILL", "ffmpeg"] as const;
/** Between two pictures in what the link carries. */
export const BOUNDARY = "stationd";
/** What it said last is what it died of. */
const LAST_WORDS = 4_096;

/**
 * A camera as a stream of JPEGs in parts, each with its length, made by one ffmpeg per link. Connecting looks whether the
 * device is there and may be opened; the camera itself runs from the first read until the link is closed.
 * @param program stands for ffmpeg in tests
 */
export function video(settings: VideoSettings, _clock: Clock, program: readonly string[] = FFMPEG): Connect<Link> {
  const description = settings.inputFormat === "test" ? "test picture" : `camera ${settings.device}`;
  return async (signal) => {
    signal.throwIfAborted();
    // The stable name leads to another node after the camera was plugged in again.
    const node = await nodeOf(settings, description);
    signal.throwIfAborted();
    let child: ChildProcess | undefined;
    const { link, receive, end } = wireLink({
      description,
      chunkBytes: 1,
      write: () => Promise.reject(new DeviceError("unsupported", { message: "nothing can be written to a camera" })),
      release: async () => {
        if (child) await kill(child);
      },
    });
    const start = (): void => {
      child = launch([...program, ...ffmpegArgs(settings, node)]);
      let said = "";
      child.stdout?.on("data", receive);
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said = (said + text).slice(-LAST_WORDS);
      });
      child.once("error", (thrown) => end(cameraFailure(description, String(thrown))));
      child.once("close", () => end(cameraFailure(description, said)));
    };
    let over = false;
    void link.closed.then(() => {
      over = true;
    });
    return {
      ...link,
      read(readSignal) {
        if (!child && !over) start();
        return link.read(readSignal);
      },
      close() {
        over = true;
        return link.close();
      },
    };
  };
}

/** Exact arguments, never a shell. */
function ffmpegArgs(settings: VideoSettings, node: string): string[] {
  const { inputFormat, widthPx, heightPx, framesPerSecond } = settings;
  const size = `${widthPx}x${heightPx}`;
  const encode = ["-c:v", "mjpeg", "-q:v", "4"];
  const camera = ["-f", "v4l2", "-input_format", inputFormat, "-video_size", size, "-framerate", String(framesPerSecond), "-i", node];
  const pattern = ["-re", "-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${framesPerSecond}`];
  return [
    "-nostdin",
    ...["-loglevel", "error"],
    ...(inputFormat === "test" ? pattern : camera),
    "-an",
    // A camera that gives JPEGs is passed on as it is.
    ...(inputFormat === "mjpeg" ? ["-c:v", "copy"] : encode),
    ...["-f", "mpjpeg", "-boundary_tag", BOUNDARY, "-flush_packets", "1", "pipe:1"],
  ];
}

async function nodeOf({ inputFormat, device }: VideoSettings, description: string): Promise<string> {
  if (inputFormat === "test") return device;
  try {
    const node = await realpath(device);
    await access(node, constants.R_OK | constants.W_OK);
    return node;
  } catch (thrown) {
    throw cameraFailure(description, String(thrown), thrown);
  }
}

function launch([command = "", ...args]: readonly string[]): ChildProcess {
  // An own process group: Ctrl-C is not meant for it.
  return spawn(command, args, { shell: false, detached: true, stdio: ["ignore", "pipe", "pipe"], env: childEnv() });
}

/** At once and for good: a read from a camera that was pulled out may never return. */
async function kill(child: ChildProcess): Promise<void> {
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
