import type { Command } from "commander";

/** What may stand at a place of the command line: fixed words, the name of a device, a file, or what nobody can guess. */
export type Values = readonly string[] | "device" | "file" | "free";

export interface CompletedOption {
  /** `-d`, `--device` */
  readonly names: readonly string[];
  readonly summary: string;
  /** Undefined: it takes no value. */
  readonly values: Values | undefined;
}

export interface CompletedCommand {
  /** Words after `stationd`: `["jobs", "list"]`. */
  readonly path: readonly string[];
  readonly children: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly CompletedOption[];
  /** What the arguments may be, where any of them is more than a free word. */
  readonly values: Values;
}

/** Every command that commander knows, from the top down. */
export function commandTree(program: Command): CompletedCommand[] {
  const walk = (command: Command, path: readonly string[]): CompletedCommand[] => {
    const help = command.createHelp();
    const children = command.commands.filter((child) => help.visibleCommands(command).includes(child));
    const own: CompletedCommand = {
      path,
      children: children.map((child) => ({ name: child.name(), summary: summaryOf(child) })),
      options: help.visibleOptions(command).map(({ short, long, description, argChoices, required, optional }) => ({
        names: [short, long].filter((name) => name !== undefined),
        summary: description,
        values: required || optional ? valuesOf(long?.replace("--", "") ?? "", argChoices) : undefined,
      })),
      values:
        command.registeredArguments.map((argument) => valuesOf(argument.name(), argument.argChoices)).find((values) => values !== "free") ??
        "free",
    };
    return [own, ...children.flatMap((child) => walk(child, [...path, child.name()]))];
  };
  return walk(program, []);
}

const summaryOf = (command: Command): string => command.summary() || command.description();

/** Names of options and arguments mean the same in all commands. */
const FILES = new Set([
  "file",
  "out",
  "config",
  "socket",
  "token-file",
  "portrait",
  "paper",
  "state-dir",
  "log-file",
  "dir",
  "folder",
  "ca-out",
  "pty",
]);

function valuesOf(name: string, choices: readonly string[] | undefined): Values {
  if (choices && choices.length > 0) return choices;
  if (name === "device") return "device";
  return FILES.has(name) ? "file" : "free";
}
