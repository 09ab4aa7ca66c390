import { readFileSync } from "node:fs";

/** One system call on a file or socket, as strace saw it (-f -yy -xx -s 65536). Line numbers are the order of events. */
export interface SystemCall {
  readonly name: string;
  /** Path of the file, or `TCP:[near->far]`. */
  readonly on: string;
  readonly data: Buffer;
  /** Of a pwrite64; of an ftruncate the new length. */
  readonly offset: number;
  /** Where it began, and where it was over: before the first nothing of it has happened, after the last all of it. */
  readonly from: number;
  readonly until: number;
  readonly result: number;
}

export const TRACED = "trace=openat,unlink,read,recvfrom,write,writev,sendto,sendmsg,pwrite64,ftruncate,fsync,fdatasync";

export const strace = (log: string, ...more: readonly string[]): string[] => [
  ...["strace", "-f", "--seccomp-bpf", "-yy", "-xx", "-s", "65536", "-e", "signal=none", "-o", log],
  ...(more.length > 0 ? more : ["-e", TRACED]),
];

/** The calls of a log, by their end; one that never ended is left out. */
export function systemCalls(log: string): SystemCall[] {
  const calls: SystemCall[] = [];
  /** By thread: its call that has begun. */
  const begun = new Map<string, { readonly text: string; readonly from: number }>();
  for (const [at, line] of readFileSync(log, "latin1").split("\n").entries()) {
    const [, thread = "", said = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (said.endsWith("<unfinished ...>")) {
      begun.set(thread, { text: said.slice(0, -"<unfinished ...>".length), from: at });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(said);
    const open = resumed ? begun.get(thread) : undefined;
    if (resumed) begun.delete(thread);
    const call = callOf(resumed ? `${open?.text ?? ""}${resumed[1]}` : said, open?.from ?? at, at);
    if (call) calls.push(call);
  }
  return calls;
}

function callOf(text: string, from: number, until: number): SystemCall | undefined {
  const [, name = "", rest = "", result = ""] = /^(\w+)\((.*)\) += (-?\d+)/.exec(text) ?? [];
  if (name === "") return undefined;
  const on = /^(?:AT_FDCWD(?:<[^>]*>)?, )?(?:\d+<((?:->|[^<>])*)>|"([^"]*)")/.exec(rest);
  const pieces = [...rest.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = ""]) => bytesOf(hex));
  const path = on?.[1] ?? (on?.[2] === undefined ? "" : bytesOf(on[2]).toString());
  return {
    name,
    on: plainPath(path),
    data: Buffer.concat(pieces),
    offset: Number(/, (\d+) *$/.exec(rest)?.[1] ?? 0),
    from,
    until,
    result: Number(result),
  };
}

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll("\\x", ""), "hex");
/** strace writes paths of descriptors in hexadecimal, too, where it is told so for everything. */
const plainPath = (path: string): string => (path.startsWith("\\x") ? bytesOf(path).toString() : path);
