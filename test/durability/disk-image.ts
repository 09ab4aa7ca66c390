import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { SystemCall } from "./trace.js";

/** Content of each file, by name. */
export type Files = ReadonlyMap<string, Buffer>;

/** What one call changes. A write may reach the disk in part: `data` and `offset` are then those of the part. */
export interface Change {
  readonly file: string;
  readonly what: "write" | "truncate" | "unlink";
  readonly data: Buffer;
  readonly offset: number;
}

/** Between the end of one fsync and that of the next: what is on the disk for certain, and what may be there, whole, in part or not. */
export interface CrashWindow {
  readonly certain: Files;
  readonly possible: readonly Change[];
  /** Where in the trace the fsync was over that made `certain` certain; nothing after it has been acknowledged. */
  readonly since: number;
}

const CHANGES: Readonly<Record<string, Change["what"]>> = { pwrite64: "write", ftruncate: "truncate", unlink: "unlink" };

export function filesOf(folder: string): Files {
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}

export function writeFiles(folder: string, files: Files): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes, { mode: 0o600 });
}

/** Every window of a run that began with these files in this folder. POSIX: an fsync is good for what was over before it began, in its own file. */
export function crashWindows(folder: string, before: Files, calls: readonly SystemCall[]): CrashWindow[] {
  const windows: CrashWindow[] = [];
  let certain = before;
  let since = -1;
  let pending: { readonly change: Change; readonly call: SystemCall }[] = [];
  const own = calls.filter(({ on, result }) => result >= 0 && (on === folder || dirname(on) === folder));
  for (const call of [...own].sort((a, b) => a.until - b.until)) {
    const what = CHANGES[call.name];
    if (what) pending.push({ call, change: { file: basename(call.on), what, data: call.data, offset: call.offset } });
    if (call.name !== "fsync" && call.name !== "fdatasync") continue;
    windows.push({ certain, possible: pending.map(({ change }) => change), since });
    const synced = ({ change, call: { until } }: (typeof pending)[number]): boolean =>
      until < call.from && (change.what === "unlink" ? call.on === folder : call.on === join(folder, change.file));
    certain = apply(
      certain,
      pending.filter(synced).map(({ change }) => change),
    );
    pending = pending.filter((change) => !synced(change));
    since = call.until;
  }
  windows.push({ certain, possible: pending.map(({ change }) => change), since });
  return windows;
}

export function apply(files: Files, changes: readonly Change[]): Files {
  const changed = new Map(files);
  for (const { file, what, data, offset } of changes) {
    const old = changed.get(file) ?? Buffer.alloc(0);
    if (what === "unlink") changed.delete(file);
    else if (what === "truncate")
      changed.set(file, Buffer.concat([old, Buffer.alloc(Math.max(0, offset - old.length))]).subarray(0, offset));
    else {
      const grown = Buffer.alloc(Math.max(old.length, offset + data.length));
      old.copy(grown);
      data.copy(grown, offset);
      changed.set(file, grown);
    }
  }
  return changed;
}
