import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { childEnv } from "../child/env.js";
import { systemClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import type { LinkSettings } from "./settings.js";
import { absent, lostLink, wireLink } from "./wire.js";

export type ProcessSettings = Extract<LinkSettings, { kind: "process" }>;

/** From the request to go to SIGKILL. */
const TERM_MS = 500;
/** A grandchild may hold the output open after the process itself is gone. */
const LAST_OUTPUT_MS = 250;

/** A program whose standard input and output are the device: `socat - …`, a vendor's bridge. */
export function processLink(settings: ProcessSettings): Connect {
  const description = `process ${settings.command}`;
  return async (signal) => {
    signal.throwIfAborted();
    const clock = systemClock();
    // An own process group: Ctrl-C is not meant for it, and its own children go with it.
    const child = spawn(settings.command, settings.args, {
      shell: false,
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
      env: childEnv(),
    });
    const { link, receive, end } = wireLink({
      description,
      chunkBytes: 64 * 1024,
      write: (chunk) => new Promise((resolve, reject) => child.stdin.write(chunk, (error) => (error ? reject(error) : resolve()))),
      release: () => endProcess(child),
    });
    child.stdout.on("data", receive);
    child.stdout.on("end", () => end(absent(`${description} closed its output`)));
    child.stdout.on("error", (error) => end(lostLink(description, error)));
    child.stdin.on("error", (error) => end(lostLink(description, error)));
    child.once(
      "exit",
      (code, killer) => void clock.timer(LAST_OUTPUT_MS, () => end(absent(`${description} ended (${killer ?? `exit code ${code}`})`))),
    );
    const spawned = once(child, "spawn");
    child.on("error", (error) => end(lostLink(description, error)));
    try {
      await spawned;
    } catch (thrown) {
      throw new DeviceError("device_absent", {
        message: `${description} cannot be started`,
        hint: `Install ${settings.command}, or correct "command" in the device's link`,
        cause: thrown,
      });
    }
    if (signal.aborted) {
      await link.close();
      throw signal.reason;
    }
    return link;
  };
}

async function endProcess(child: ChildProcess): Promise<void> {
  child.stdin?.destroy();
  if (child.pid === undefined) return;
  const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : Promise.resolve();
  signalGroup(child.pid, "SIGTERM");
  await Promise.race([exited, systemClock().sleep(TERM_MS)]);
  signalGroup(child.pid, "SIGKILL");
  await exited;
  child.stdout?.destroy();
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Already gone.
  }
}
