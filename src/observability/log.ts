import { createRequire } from "node:module";
import type { DestinationStream, Logger as Pino } from "pino";
import type { LogFields, Logger } from "../kernel/log.js";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

interface LoggerOptions {
  readonly level: LogLevel;
  /** Gets each line; standard output unless told. */
  readonly destination?: DestinationStream;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];

/** The fields that may be logged, by name and type. `satisfies` keeps the list as long as LogFields. */
const ALLOWED = {
  device: "string",
  driver: "string",
  link: "string",
  state: "string",
  kind: "string",
  method: "string",
  session: "string",
  role: "string",
  origin: "string",
  job: "string",
  step: "string",
  reason: "string",
  child: "string",
  pid: "number",
  port: "number",
  path: "string",
  count: "number",
  bytes: "number",
  durationMs: "number",
  attempt: "number",
} as const satisfies Record<keyof LogFields, "string" | "number">;

/** Longer strings are no names: something else got into the field. */
const LONGEST_FIELD = 200;

type Line = Record<string, string | number | readonly string[]>;

/** Only allowed fields of the expected type; a Secret is an object and prints as itself. */
function allowed(fields: LogFields | undefined): Line {
  const line: Line = {};
  if (fields === undefined) return line;
  for (const name in ALLOWED) {
    const value: unknown = fields[name as keyof LogFields];
    if (value === undefined) continue;
    if (typeof value === "number" && ALLOWED[name as keyof LogFields] === "number") line[name] = value;
    else if (typeof value === "string" && ALLOWED[name as keyof LogFields] === "string") line[name] = value.slice(0, LONGEST_FIELD);
    else line[name] = String(value) === "[secret]" ? "[secret]" : "[dropped]";
  }
  return line;
}

/** Name and frames of a fault and of what caused it. Messages are left out: they may carry input. */
function faultLine(fault: unknown): Line {
  const names: string[] = [];
  const frames: string[] = [];
  for (let error = fault, depth = 0; error instanceof Error && depth < 4; error = error.cause, depth++) {
    names.push(error.name.slice(0, 60));
    // The stack begins with the message, which may run over several lines and look like frames.
    const whole = error.stack ?? "";
    const message = whole.indexOf(error.message);
    const stack = (message === -1 ? whole : whole.slice(message + error.message.length))
      .split("\n")
      .filter((row) => /^ {4}at [^\n]+(:\d+:\d+\)?|\(<anonymous>\)|native\)?)$/.test(row));
    frames.push(...stack.slice(0, 12).map((row) => row.trim()));
  }
  if (names.length === 0) names.push(typeof fault);
  return { fault: names.join(" < "), stack: frames };
}

/** How long the first calm lines may wait, so that loading the library (20 ms and more) is not part of the start-up. */
const HOLD_MS = 250;

type WrittenLevel = Exclude<LogLevel, "silent">;

/** Where lines go: to pino, which is loaded for the first line that must not wait, or a moment after the first that may. */
function createSink({ level, destination }: LoggerOptions): (as: WrittenLevel, line: Line, event: string) => void {
  let pino: Pino | undefined;
  let held: [WrittenLevel, Line, string][] = [];
  const open = (): Pino => {
    if (pino !== undefined) return pino;
    const load = createRequire(import.meta.url)("pino") as typeof import("pino").pino;
    const options = { level, base: { pid: process.pid }, timestamp: false, formatters: { level: (label: string) => ({ level: label }) } };
    pino = destination === undefined ? load(options) : load(options, destination);
    return pino;
  };
  const release = (): void => {
    process.removeListener("exit", release);
    const lines = held;
    held = [];
    for (const [as, line, event] of lines) open()[as](line, event);
  };
  return (as, line, event) => {
    const calm = as === "info" || as === "debug";
    if (pino === undefined && destination === undefined && calm) {
      held.push([as, line, event]);
      if (held.length > 1) return;
      // The edge of the process: no test and no decision depends on this moment.
      setTimeout(release, HOLD_MS).unref();
      process.once("exit", release);
      return;
    }
    if (held.length > 0) release();
    open()[as](line, event);
  };
}

/** Lines of JSON with allow-listed fields; `time` is in milliseconds since the epoch. */
export function createLogger(options: LoggerOptions): Logger {
  const threshold = LEVELS.indexOf(options.level);
  const sink = createSink(options);
  const at = (bound: Line): Logger => {
    const write = (as: WrittenLevel, event: string, fields: LogFields | undefined, fault?: unknown): void => {
      if (LEVELS.indexOf(as) < threshold) return;
      sink(as, { time: Date.now(), ...bound, ...allowed(fields), ...(fault === undefined ? {} : faultLine(fault)) }, event);
    };
    return {
      debug: (event, fields) => write("debug", event, fields),
      info: (event, fields) => write("info", event, fields),
      warn: (event, fields) => write("warn", event, fields),
      error: (event, fields, fault) => write("error", event, fields, fault),
      with: (fields) => at({ ...bound, ...allowed(fields) }),
    };
  };
  return at({});
}
