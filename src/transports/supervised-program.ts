import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Readable } from "node:stream";
import { childEnv } from "../child/env.js";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { ProgramEnd, ProgramOutput } from "../kernel/program.js";

/** The rest of a longer line is dropped. */
const MOST_LINE_CHARACTERS = 4_096;
/** What `timeout` gives a program to stop by itself once the agent is dead. Longer than any patience of ours. */
const ORPHAN_SECONDS = 8;

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Supervision {
  /** Asks it to stop. */
  readonly signal: AbortSignal;
  /** Asks it to stop, and somebody waits for that. */
  readonly hurry: AbortSignal;
  readonly clock: Clock;
}

/** From the request to stop on: ms until it is asked again, and then until it is killed. */
interface Patience {
  readonly againMs: number;
  readonly killMs: number;
}
/** scanimage drives the lamp back at the first interrupt; with a hung network scanner it heeds only the second. */
const PATIENCE: Patience = { againMs: 5_000, killMs: 2_000 };
const HURRY: Patience = { againMs: 1_000, killMs: 500 };

/**
 * Full path of a program.
 * @throws DeviceError `device_absent` naming the package that has it
 */
export function findProgram(name: string, debianPackage: string): string {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder === "") continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  throw new DeviceError("device_absent", { message: `there is no program ${name}`, hint: `Install the package ${debianPackage}` });
}

/**
 * Runs a program that does not outlive the agent: when the agent dies, however it dies, the kernel interrupts `timeout`
 * (PR_SET_PDEATHSIG), which passes that on and kills the program where it does not obey. A program that got the signal
 * of its parent's death itself could take it for a wish and go on: scanimage with a hung network scanner does.
 * When it is to stop it is interrupted, interrupted again, and killed with whatever it has started.
 * @throws DeviceError `device_absent` where it cannot be started
 */
export async function runSupervised(program: Program, output: ProgramOutput, { signal, hurry, clock }: Supervision): Promise<ProgramEnd> {
  const setpriv = findProgram("setpriv", "util-linux");
  const timeout = findProgram("timeout", "coreutils");
  // --foreground: timeout stays in the group that is killed at last, and interrupts the program once and not twice.
  const orphan = ["--foreground", "--signal=INT", `--kill-after=${ORPHAN_SECONDS}`, "0"];
  const child = spawn(setpriv, ["--pdeathsig", "INT", "--", timeout, ...orphan, program.command, ...program.args], {
    shell: false,
    // An own process group: Ctrl-C is not meant for it, and its own children go with it.
    detached: true,
    cwd: program.folder,
    stdio: ["pipe", "pipe", "pipe"],
    env: childEnv(program.env),
  });
  // Whoever writes to what has ended learns it from the end.
  child.stdin.on("error", () => {});
  lines(child.stdout, (line) => output.stdout?.(line));
  lines(child.stderr, (line) => output.stderr?.(line));
  const closed = once(child, "close") as Promise<[code: number | null]>;
  closed.catch(() => {});
  try {
    await once(child, "spawn");
  } catch (cause) {
    throw new DeviceError("device_absent", {
      message: `${program.command} cannot be started`,
      hint: "Check the limits of the agent's unit",
      cause,
    });
  }
  let stopped = false;
  let ladder: Disposable[] = [];
  const forget = (): void => {
    for (const step of ladder) step[Symbol.dispose]();
  };
  const stop = ({ againMs, killMs }: Patience): void => {
    stopped = true;
    forget();
    ask(child, "SIGINT");
    ladder = [clock.timer(againMs, () => ask(child, "SIGINT")), clock.timer(againMs + killMs, () => killGroup(child))];
  };
  const unhook = [whenAborted(signal, () => stop(PATIENCE)), whenAborted(hurry, () => stop(HURRY))];
  if (output.begun) output.begun((text) => void child.stdin.write(text));
  else child.stdin.end();
  try {
    const [code] = await closed;
    return { code: code ?? undefined, stopped };
  } finally {
    for (const off of unhook) off();
    forget();
    // What it has started ends with it.
    if (stopped) killGroup(child);
  }
}

/** Calls back at once where it has aborted. Call what comes back to hear no more. */
function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) callback();
  else signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}

function ask(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}

/** Lines of a stream, ended by \n or \r; empty ones are left out. */
function lines(stream: Readable, tell: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (rest + chunk).split(/[\r\n]/);
    rest = (parts.pop() ?? "").slice(0, MOST_LINE_CHARACTERS);
    for (const part of parts) if (part !== "") tell(part.slice(0, MOST_LINE_CHARACTERS));
  });
  stream.on("end", () => {
    if (rest !== "") tell(rest);
  });
  stream.on("error", () => {});
}
