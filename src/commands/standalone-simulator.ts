import { simulatorKinds } from "../../simulators/index.js";
import { runSimulator } from "../../simulators/run.js";
import { expectation, inputSchema } from "../config/json-schema.js";
import type { Json } from "../kernel/errors.js";
import { wrap } from "./table.js";
import { json, plain, type Terminal } from "./terminal.js";

export interface SimulateOptions {
  readonly kind: string;
  /** `tcp:HOST:PORT` or `pty:PATH`. */
  readonly wire: string;
  /** Goes there instead of listening there. */
  readonly connect: boolean;
  readonly paperFile: string | undefined;
  readonly authorityFile: string | undefined;
  /** Knobs; the simulator's own schema checks them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly json: boolean;
}

/** Runs until Ctrl-C or SIGTERM and tells each change of the simulator's state. @throws DeviceError */
export async function simulate(terminal: Terminal, { json: asJson, ...run }: SimulateOptions): Promise<void> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const tell = stateLines();
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  try {
    await runSimulator({
      ...run,
      signal: ended.signal,
      onListening: (address) =>
        terminal.out(asJson ? `${JSON.stringify({ listening: address })}\n` : terminal.t`${run.kind} at ${plain(address)}\n`),
      onChange: (state) => terminal.out(asJson ? `${JSON.stringify({ state })}\n` : tell(state)),
    });
  } finally {
    process.removeListener("SIGINT", end);
    process.removeListener("SIGTERM", end);
  }
}

/** What is different from the last time, one line per fact; nothing where nothing is. */
export function stateLines(): (state: Readonly<Record<string, Json>>) => string {
  let last: Readonly<Record<string, string>> = {};
  return (state) => {
    const shown = Object.fromEntries(
      Object.entries(state).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    );
    const changed = Object.entries(shown).filter(([name, value]) => last[name] !== value);
    last = shown;
    return changed.map(([name, value]) => `${plain(name)}: ${plain(value)}\n`).join("");
  };
}

/** Every kind with its knobs. */
export function listSimulators(asJson: boolean, columns: number): string {
  const kinds = simulatorKinds.map(({ kind, summary, options }) => ({ kind, summary, options: inputSchema(options) }));
  if (asJson) return json({ simulators: kinds });
  return kinds
    .map(({ kind, summary, options }) => {
      const knobs = Object.entries(options.properties ?? {}).flatMap(([name, knob]) => {
        const standard = knob.default === undefined ? "" : `, ${JSON.stringify(knob.default)} unless told`;
        const meaning = knob.description === undefined ? "" : `: ${knob.description}`;
        return wrap(`${name}=… ${expectation(knob)}${standard}${meaning}`, columns - 6).map(
          (line, index) => `${index === 0 ? "    " : "      "}${line}`,
        );
      });
      return [...wrap(`${kind}: ${summary}`, columns), ...knobs].map((line) => `${line}\n`).join("");
    })
    .join("\n");
}
