import type { Command } from "commander";
import type { ExitCode } from "./exit-codes.js";
import type { Terminal } from "./terminal.js";

/** Wraps what a command does, so that its exit code and its failure reach the end of the program. */
export type Act = <A extends unknown[]>(work: (terminal: Terminal, ...args: A) => Promise<ExitCode>) => (...args: A) => Promise<void>;

/** Adds one subcommand. What it needs to run is imported only when it runs: the command starts fast. */
export type AddCommand = (program: Command, act: Act) => void;

export interface JsonFlag {
  readonly json?: true;
}

export function withJson(command: Command): Command {
  return command.option("--json", "print JSON for programs");
}

/** `--help` ends with these; each is a command line and, after two blanks, what it does. */
export function withExamples(command: Command, examples: readonly (readonly [line: string, meaning: string])[]): Command {
  return command.addHelpText("after", (): string => {
    // The help's styles are where its words become those of the reader's language.
    const help = command.createHelp();
    const lines = examples.map(([line, meaning]) => `  # ${help.styleDescriptionText(meaning)}\n  $ ${line}`);
    return `\n${help.styleTitle("Examples:")}\n${lines.join("\n")}`;
  });
}
