import { wrap } from "./table.js";
import { type Colour, paint, plain } from "./terminal.js";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One line of the agent's log, or of what systemd says about it. */
export interface LogLine {
  /** Milliseconds since the epoch; undefined where the line does not tell. */
  readonly time: number | undefined;
  readonly level: LogLevel;
  readonly event: string;
  readonly device: string | undefined;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly stack: readonly string[];
  /** False: text that the agent's logger did not write: systemd's word, or that of a dying Node. */
  readonly own: boolean;
}

/** Longer ones are no lines of ours. */
export const LONGEST_LINE = 65_536;
const HIDDEN = new Set(["level", "time", "pid", "hostname", "msg", "device", "stack"]);

/**
 * A line as journald hands it out (`journalctl -o json`), as the agent writes it, or any text.
 * @returns undefined for an empty line
 */
export function readLogLine(text: string): LogLine | undefined {
  if (text.trim() === "") return undefined;
  if (text.length > LONGEST_LINE) return foreign(`(a line of ${text.length} characters, left out)`, undefined, "warn");
  const outer = objectOf(text);
  if (!outer) return foreign(text, undefined, "info");
  const message = messageOf(outer.MESSAGE);
  if (message === undefined) return ownLine(outer, undefined) ?? foreign(text, undefined, "info");
  const stamp = Number(outer.__REALTIME_TIMESTAMP) / 1_000;
  const time = Number.isFinite(stamp) ? stamp : undefined;
  const inner = message.length > LONGEST_LINE ? undefined : objectOf(message);
  return (inner && ownLine(inner, time)) ?? foreign(message.slice(0, LONGEST_LINE), time, levelOfPriority(outer.PRIORITY));
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** journald gives text that is no UTF-8 as an array of bytes (systemd.journal-fields, JSON format). */
function messageOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return Array.isArray(value) && value.every((byte) => typeof byte === "number") ? Buffer.from(value).toString("utf8") : undefined;
}

function ownLine(line: Readonly<Record<string, unknown>>, journalTime: number | undefined): LogLine | undefined {
  const level = LOG_LEVELS.find((known) => known === line.level);
  if (!level || typeof line.msg !== "string") return undefined;
  const fields = Object.entries(line).filter(
    (entry): entry is [string, string | number] => !HIDDEN.has(entry[0]) && (typeof entry[1] === "string" || typeof entry[1] === "number"),
  );
  return {
    time: isInstant(line.time) ? line.time : journalTime,
    level,
    event: line.msg,
    device: typeof line.device === "string" ? line.device : undefined,
    fields: Object.fromEntries(fields),
    stack: Array.isArray(line.stack) ? line.stack.filter((frame) => typeof frame === "string").slice(0, 20) : [],
    own: true,
  };
}

/** What `Date` can show. */
function isInstant(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= 8.64e15;
}

function foreign(event: string, time: number | undefined, level: LogLevel): LogLine {
  return { time: isInstant(time) ? time : undefined, level, event, device: undefined, fields: {}, stack: [], own: false };
}

/** syslog(3): 0 to 3 are errors, 4 warnings, 7 debugging. */
function levelOfPriority(value: unknown): LogLevel {
  const priority = typeof value === "string" ? Number(value) : Number.NaN;
  return priority <= 3 ? "error" : priority === 4 ? "warn" : priority === 7 ? "debug" : "info";
}

export interface LogFilter {
  readonly device?: string | undefined;
  readonly level?: LogLevel | undefined;
  /** Milliseconds since the epoch. */
  readonly since?: number | undefined;
}

/** A line without a time or a device passes: what Node says when it dies belongs to no device and must be seen. */
export function wanted(line: LogLine, { device, level, since }: LogFilter): boolean {
  if (level !== undefined && LOG_LEVELS.indexOf(line.level) < LOG_LEVELS.indexOf(level)) return false;
  if (since !== undefined && line.time !== undefined && line.time < since) return false;
  return device === undefined || line.device === device || (!line.own && line.level === "error");
}

const COLOURS: Readonly<Record<LogLevel, Colour | undefined>> = { debug: "grey", info: undefined, warn: "yellow", error: "red" };

export interface LogStyle {
  readonly colour: boolean;
  /** Lines are broken at so many characters; undefined: never, as for pipes. */
  readonly columns: number | undefined;
}

const LINE_INDENT = 4;

/** A line for people: local time, level, device, what happened, and its fields. */
export function logText(line: LogLine, { colour, columns }: LogStyle): string {
  const head = `${line.time === undefined ? " ".repeat(19) : localTime(line.time)} ${line.level.toUpperCase().padEnd(5)} `;
  const fields = Object.entries(line.fields).map(([name, value]) => `${name}=${value}`);
  const body = plain([...(line.device === undefined ? [] : [`${line.device}:`]), line.event, ...fields].join(" "));
  const stack = line.stack.map((frame) => `${" ".repeat(LINE_INDENT)}${plain(frame)}\n`).join("");
  if (columns === undefined) return `${head}${body}\n${stack}`;
  // The first line has less room than those below it.
  const [first = "", ...rest] = wrap(body, Math.max(20, columns - head.length));
  const more = rest.length === 0 ? [] : wrap(rest.join(" "), columns - LINE_INDENT);
  return `${paint(head, COLOURS[line.level], colour)}${first}\n${more.map((part) => `${" ".repeat(LINE_INDENT)}${part}\n`).join("")}${stack}`;
}

function localTime(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Lines of a stream of text, each at most a little longer than is read: what goes on and on is cut. */
export async function* linesOf(source: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of source) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    }
    // The surplus is kept no longer; that there was one stays visible.
    if (rest.length > 2 * LONGEST_LINE) rest = rest.slice(0, LONGEST_LINE + 1);
  }
  if (rest !== "") yield rest;
}
