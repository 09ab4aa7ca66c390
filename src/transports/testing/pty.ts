import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export interface PtyPair extends AsyncDisposable {
  /** Two paths that behave as two serial ports joined by a null-modem cable. */
  readonly a: string;
  readonly b: string;
  /** Pulls the cable: both ports vanish. */
  unplug(): Promise<void>;
}

/** Needs `socat`. @throws Error when it is not installed. */
export async function openPtyPair(): Promise<PtyPair> {
  const folder = await mkdtemp(join(tmpdir(), "stationd-pty-"));
  const a = join(folder, "a");
  const b = join(folder, "b");
  const socat: ChildProcess = spawn("socat", [`pty,raw,echo=0,link=${a}`, `pty,raw,echo=0,link=${b}`], { stdio: "ignore" });
  const ended = once(socat, "exit").catch(() => {});
  const unplug = async (): Promise<void> => {
    socat.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await once(socat, "spawn");
    for (const path of [a, b]) {
      while (socat.exitCode === null && !(await exists(path))) await pause(2);
    }
  } catch (thrown) {
    await unplug();
    throw thrown;
  }
  return { a, b, unplug, [Symbol.asyncDispose]: unplug };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Whether the tests over a real serial stack can run here. With STATIOND_REAL_STACK=required a missing piece is a failure,
 * otherwise it is said loudly and skipped.
 */
export async function realSerialStack(): Promise<boolean> {
  let missing: string | undefined;
  try {
    await (await openPtyPair()).unplug();
  } catch {
    missing = "socat is not installed";
  }
  await import("serialport").catch(() => {
    missing = "the serialport library cannot be loaded";
  });
  if (missing === undefined) return true;
  if (process.env.STATIOND_REAL_STACK === "required") throw new Error(`STATIOND_REAL_STACK=required, but ${missing}`);
  console.warn(`SKIPPED: tests over real serial ports, because ${missing}`);
  return false;
}
