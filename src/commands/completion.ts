import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Argument, type Command } from "commander";
import { systemClock } from "../kernel/clock.js";
import { within } from "../kernel/deadline.js";
import { type AddCommand, withExamples } from "./command.js";
import { socketCandidates } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import type { Terminal } from "./terminal.js";

const SHELLS = ["bash", "zsh", "fish"] as const;
const SYSTEM_CONFIG = "/etc/stationd/stationd.toml";
/** Whoever has pressed Tab does not wait for an agent that hangs. */
const PATIENCE_MS = 1_000;

export const addCompletion: AddCommand = (program: Command, act) => {
  const command = program
    .command("completion")
    .summary("let the shell complete commands and devices")
    .description(
      "Prints a script that lets a shell complete commands, options and the names of devices. With “devices” only these names, for such scripts.",
    )
    .addArgument(new Argument("<shell>", "bash, zsh or fish; or devices").choices([...SHELLS, "devices"]));
  withExamples(command, [
    ["source <(stationd completion bash)", "for this shell; into ~/.bashrc for all"],
    ["stationd completion bash | sudo tee /etc/bash_completion.d/stationd", "for everybody"],
    ["stationd completion fish | source", "fish"],
  ]).action(
    act(async (terminal, wanted: string) => {
      if (wanted === "devices") {
        for (const name of await deviceNames(terminal.env)) terminal.out(`${name}\n`);
        return EXIT_CODES.ok.code;
      }
      const [{ commandTree }, scripts] = await Promise.all([import("./completion-tree.js"), import("./completion-scripts.js")]);
      const script = { bash: scripts.bashScript, zsh: scripts.zshScript, fish: scripts.fishScript }[wanted as (typeof SHELLS)[number]];
      terminal.out(script(commandTree(program)));
      return EXIT_CODES.ok.code;
    }),
  );
};

/** Of the running agent, else of the configuration; none where neither can be had. Never rejects, never waits long. */
async function deviceNames(env: Terminal["env"]): Promise<string[]> {
  const found = (await ofAgent(env)) ?? (await ofConfig());
  // They go into a shell's line: nothing but what may be a device's name.
  return found.filter((name) => /^[a-z][a-z0-9-]{0,31}$/.test(name));
}

async function ofAgent(env: Terminal["env"]): Promise<string[] | undefined> {
  const sockets = socketCandidates(env, "service").filter((path) => existsSync(path));
  if (sockets.length === 0) return undefined;
  const { connectStation } = await import("../client/node.js");
  for (const socket of sockets) {
    try {
      return await within(systemClock(), PATIENCE_MS, undefined, async (signal) => {
        const options = { client: { name: "stationd-completion", version: "1" }, allowSimulated: true, reconnect: false, signal } as const;
        const client = await connectStation({ url: `ws+unix:${socket}:/v1`, ...options });
        client.close();
        return client.hello.devices.map(({ id }) => id);
      });
    } catch {
      // the next one, or the configuration
    }
  }
  return undefined;
}

async function ofConfig(): Promise<string[]> {
  try {
    const [{ parse }, text] = await Promise.all([import("smol-toml"), readFile(SYSTEM_CONFIG, "utf8")]);
    const { devices } = parse(text);
    return typeof devices === "object" && devices !== null ? Object.keys(devices) : [];
  } catch {
    return [];
  }
}
