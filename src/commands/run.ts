import type { Agent } from "../agent.js";
import { ConfigError, describeProblems } from "../config/config-error.js";
import type { StationConfig } from "../config/types.js";
import { type AddCommand, withExamples } from "./command.js";
import { EXIT_CODES, type ExitCode } from "./exit-codes.js";
import { reportFailure } from "./failure.js";
import type { Terminal } from "./terminal.js";

export const addRun: AddCommand = (program, act) => {
  const command = program
    .command("run")
    .summary("run the agent")
    .description("Runs the agent until SIGTERM or Ctrl-C. SIGHUP reads the configuration again.")
    .requiredOption("-c, --config <file>", "configuration (TOML)");
  withExamples(command, [["stationd run --config /etc/stationd/stationd.toml", "as the systemd unit does"]]).action(
    act(async (terminal, { config: file }: { config: string }) => {
      const [{ loadConfig }, { startAgent }] = await Promise.all([import("../config/load.js"), import("../agent.js")]);
      return keepRunning({
        load: () => loadConfig(file),
        start: (config) => startAgent({ config }),
        signals: process,
        exitNow: (code) => process.exit(code),
        terminal,
      });
    }),
  );
};

type Signal = "SIGTERM" | "SIGINT" | "SIGHUP";

export interface KeepRunningOptions {
  readonly load: () => Promise<StationConfig>;
  readonly start: (config: StationConfig) => Promise<Agent>;
  /** The process, or what stands for it in a test. */
  readonly signals: { on(signal: Signal, listener: () => void): unknown; off(signal: Signal, listener: () => void): unknown };
  readonly exitNow: (code: number) => void;
  readonly terminal: Terminal;
}

/**
 * Runs an agent from its start to its end. SIGTERM and SIGINT stop it cleanly, a second one ends the process at once;
 * SIGHUP reloads: with a config that has problems the old one stays. Reloads never overlap.
 * @throws ConfigError; DeviceError where the agent cannot start
 */
export async function keepRunning({ load, start, signals, exitNow, terminal }: KeepRunningOptions): Promise<ExitCode> {
  let stopping = false;
  let askStop: () => void = () => {};
  const stopAsked = new Promise<void>((resolve) => {
    askStop = resolve;
  });
  const onStop = (): void => {
    // 128 + SIGTERM, as shells count.
    if (stopping) exitNow(143);
    stopping = true;
    askStop();
  };
  let agent: Agent | undefined;
  let reloads: Promise<void> = Promise.resolve();
  const onReload = (): void => {
    reloads = reloads.then(() => (agent && !stopping ? reload(agent, load, terminal) : undefined));
  };

  // Before the start: a signal that comes in the meantime must not kill the process halfway.
  signals.on("SIGTERM", onStop);
  signals.on("SIGINT", onStop);
  signals.on("SIGHUP", onReload);
  try {
    agent = await start(await load());
    await stopAsked;
    await reloads;
    await agent.stop();
    return EXIT_CODES.ok.code;
  } finally {
    signals.off("SIGTERM", onStop);
    signals.off("SIGINT", onStop);
    signals.off("SIGHUP", onReload);
  }
}

/** Never rejects: whatever is wrong is told, and the agent goes on as it was. */
async function reload(agent: Agent, load: () => Promise<StationConfig>, terminal: Terminal): Promise<void> {
  const { t } = terminal;
  try {
    const { restarted, ignored } = await agent.reload(await load());
    terminal.note(t`stationd: configuration read again; devices opened anew: ${restarted.join(", ") || t`none`}\n`);
    if (ignored.length > 0) terminal.note(t`stationd: these need a restart of the agent: ${ignored.join(", ")}\n`);
  } catch (error) {
    if (error instanceof ConfigError)
      terminal.note(`${describeProblems(error, t)}\nstationd: ${t(error.message)}: ${t`the old one stays in force`}\n`);
    else reportFailure(error, terminal, false);
  }
}
