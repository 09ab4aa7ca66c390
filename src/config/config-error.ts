import { DeviceError } from "../kernel/errors.js";
import type { KeyPath } from "./key-positions.js";

/** One thing wrong in a config file. No text in it repeats a value of the file: it might be a secret. */
export interface ConfigProblem {
  /** Counted from 1; absent where the file could not be read at all. */
  readonly line?: number;
  readonly column?: number;
  /** `devices.receipt.link.port`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** `invalid_params` with every problem of a config file, in the order of its lines. */
export class ConfigError extends DeviceError {
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
    super("invalid_params", {
      message: `the configuration has ${count}`,
      hint: problems.every(({ line }) => line === undefined)
        ? "Check the name of the file and who may read it"
        : "Correct the lines that are named; `stationd config reference` explains every key",
      details: { file, problems: problems.map((problem) => ({ ...problem })) },
    });
    this.file = file;
    this.problems = problems;
  }
}

/** One line per problem, `file:line:column: path: message`, as compilers do and editors understand. `say`: in the reader's language. */
export function describeProblems(error: ConfigError, say: (message: string) => string = (message) => message): string {
  return error.problems
    .map(({ line, column, path, message }) => {
      const place = line === undefined ? error.file : `${error.file}:${line}:${column ?? 1}`;
      return path === "" ? `${place}: ${say(message)}` : `${place}: ${path}: ${say(message)}`;
    })
    .join("\n");
}

/** As one would write it in TOML: `server.tokens[0].role`, `devices."odd id".driver`. */
export function pathText(path: KeyPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else {
      const key = /^[A-Za-z0-9_-]{1,64}$/.test(step) ? step : JSON.stringify(step.slice(0, 64));
      text += text === "" ? key : `.${key}`;
    }
  }
  return text;
}
