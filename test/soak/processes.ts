import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { childrenOf } from "../../bench/process.js";

/** The agent or a child of it, seen from outside: it need not be able to say anything. */
export interface Seen {
  readonly pid: number;
  readonly name: string;
  readonly mib: number;
  readonly anonMib: number;
  readonly files: number;
}

/** `receipt`, `imaging`, `camera` …; `spare` is a process that waits for its device to be plugged in again. */
export type ChildName = string;

/** What a child's command line tells of it; device processes are told apart by the port that they have open. */
const BY_COMMAND: readonly (readonly [part: string, name: ChildName])[] = [
  ["card-host-entry.js", "id-reader"],
  ["/imaging/entry.js", "imaging"],
  ["documents-entry.js", "documents"],
  ["ffmpeg", "webcam"],
];

export function childrenByName(agentPid: number, ports: ReadonlyMap<string, string>): readonly (readonly [number, ChildName])[] {
  return childrenOf(agentPid).map((pid) => [pid, nameOf(pid, ports)]);
}

export function look(agentPid: number, ports: ReadonlyMap<string, string>): readonly Seen[] {
  const named: (readonly [number, ChildName])[] = [[agentPid, "agent"], ...childrenByName(agentPid, ports)];
  return named.flatMap(([pid, name]) => see(pid, name) ?? []);
}

function nameOf(pid: number, ports: ReadonlyMap<string, string>): ChildName {
  const command = quietly(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "";
  const known = BY_COMMAND.find(([part]) => command.includes(part))?.[1];
  if (known !== undefined) return known;
  const open = filesOf(pid);
  return [...ports].find(([, path]) => open.includes(quietly(() => readlinkSync(path)) ?? path))?.[0] ?? "spare";
}

function see(pid: number, name: ChildName): Seen | undefined {
  const status = quietly(() => readFileSync(`/proc/${pid}/status`, "latin1"));
  const mib = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status ?? "")?.[1] ?? 0) / 1_024;
  // One that has just ended has no memory any more.
  return mib("VmRSS") > 0 ? { pid, name, mib: mib("VmRSS"), anonMib: mib("RssAnon"), files: filesOf(pid).length } : undefined;
}

function filesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return (quietly(() => readdirSync(folder)) ?? []).map((fd) => quietly(() => readlinkSync(`${folder}/${fd}`)) ?? "");
}

/** Processes come and go while one looks. */
function quietly<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
