import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/kernel/clock.js";

/** The command as it is shipped, or as compiled where it was not bundled. */
const COMMANDS = ["../../bundle/stationd.js", "../../src/cli.js"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
const LOG_LINES = 4_000;
const STARTS_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 20_000;
const clock = systemClock();

/** `stationd run` in a process of its own, run after run over one state folder. */
export interface SoakAgent {
  /** Undefined while there is none. */
  readonly pid: number | undefined;
  /** Resolves when it listens. */
  start(): Promise<void>;
  /** As a power cut does. */
  kill(): Promise<void>;
  /** As systemd does. @returns its exit code, or undefined where it had to be killed */
  stop(): Promise<number | undefined>;
  /** Reads the configuration again. */
  hangUp(): void;
  /** What it logged in this time. */
  logged(fromMs: number, toMs: number): readonly string[];
  /** Called when it ends and nobody asked for it. */
  onEnded(listener: (how: string) => void): void;
}

export interface SoakAgentOptions {
  readonly config: string;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
}

export function soakAgent({ config, port, env }: SoakAgentOptions): SoakAgent {
  const command = COMMANDS.find(existsSync) ?? "";
  // It does not outlive this process, whatever becomes of it; in a group of its own, because Ctrl-C is not meant for it.
  const guarded = spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
  const run = [process.execPath, command, "run", "--config", config];
  const [program = "", ...args] = guarded ? ["setpriv", "--pdeathsig", "KILL", ...run] : run;
  let child: ChildProcess | undefined;
  let expected = false;
  let log: { readonly atMs: number; readonly line: string }[] = [];
  let tellEnded: (how: string) => void = () => {};

  const keep = (line: string): void => {
    log.push({ atMs: clock.monotonicMs(), line });
    if (log.length > LOG_LINES * 2) log = log.slice(-LOG_LINES);
  };
  const gone = async (): Promise<void> => {
    if (child && child.exitCode === null && child.signalCode === null) await once(child, "exit");
  };
  return {
    get pid() {
      return child && child.exitCode === null && child.signalCode === null ? child.pid : undefined;
    },
    async start() {
      expected = false;
      const started = spawn(program, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"], cwd: "/" });
      child = started;
      for (const stream of [started.stdout, started.stderr]) createInterface({ input: stream as Readable }).on("line", keep);
      started.once("exit", (code, signal) => {
        if (child === started && !expected) tellEnded(signal ?? `exit code ${code}`);
      });
      const giveUpAt = clock.monotonicMs() + STARTS_WITHIN_MS;
      while (!(await answers(port))) {
        if (started.exitCode !== null || clock.monotonicMs() > giveUpAt) {
          throw new RangeError(
            `the agent does not start:\n${log
              .map(({ line }) => line)
              .slice(-20)
              .join("\n")}`,
          );
        }
        await clock.sleep(50);
      }
    },
    async kill() {
      expected = true;
      child?.kill("SIGKILL");
      await gone();
    },
    async stop() {
      expected = true;
      child?.kill("SIGTERM");
      await Promise.race([gone(), clock.sleep(STOPS_WITHIN_MS)]);
      const code = child?.exitCode ?? undefined;
      child?.kill("SIGKILL");
      await gone();
      return code;
    },
    hangUp: () => void child?.kill("SIGHUP"),
    logged: (fromMs, toMs) => log.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs).map(({ line }) => line),
    onEnded(listener) {
      tellEnded = listener;
    },
  };
}

async function answers(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/healthz`).then(
    (response) => response.ok,
    () => false,
  );
}
