import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DeviceError } from "../kernel/errors.js";
import { type AuditEntry, hashOf, NOTHING, parseEntry, segmentsAmong, WRITERS, type Writer } from "./entry.js";

export interface AuditProblem {
  readonly file: string;
  readonly line: number;
  readonly problem: string;
}

/** One writer's entries, as far as they prove each other. */
export interface Chain {
  readonly writer: Writer;
  readonly first: number;
  readonly last: number;
  /** SHA-256 of the last line. Whoever wrote it down elsewhere can tell that nothing before it was exchanged. */
  readonly head: string;
  readonly problems: readonly AuditProblem[];
}

export interface Audit {
  /** In the order of their times. */
  readonly entries: readonly AuditEntry[];
  readonly chains: readonly Chain[];
  /** Is this the hash of an entry that was read? */
  has(hash: string): boolean;
}

/** Files of ours are at most a line longer than four megabytes. */
const FILE_BYTES = 16 * 1024 * 1024;

/**
 * All entries since `since` (milliseconds since the epoch), with the agent dead or alive; every line is looked at, also earlier ones.
 * @throws DeviceError `journal_unavailable` where the folder cannot be read
 */
export async function readAudit(folder: string, since = 0): Promise<Audit> {
  const names = await readdir(folder).catch((thrown: unknown) => Promise.reject(unreadable(folder, thrown)));
  const entries: AuditEntry[] = [];
  const chains: Chain[] = [];
  const hashes = new Set<string>();
  for (const writer of WRITERS) {
    const problems: AuditProblem[] = [];
    let [first, last, head] = [0, 0, NOTHING];
    for (const { name: file } of segmentsAmong(names, writer)) {
      const lines = await linesOf(join(folder, file));
      if (lines === undefined) {
        problems.push({ file, line: 1, problem: "is larger than any file of the audit log" });
        continue;
      }
      lines.forEach((text, index) => {
        const entry = parseEntry(text);
        const at = (problem: string): void => void problems.push({ file, line: index + 1, problem });
        if (entry === undefined) at("is no entry");
        else {
          // What came before the first file that is left was removed when its time was over.
          const begins = first === 0 && index === 0 && entry.n > 1;
          if (entry.n !== last + 1 && !begins) at(`entry ${entry.n} follows entry ${last}`);
          else if (entry.prev !== head && !begins) at("does not follow from the line before it: one of the two was changed");
          if (first === 0) first = entry.n;
          last = entry.n;
          if (Date.parse(entry.at) >= since) entries.push(entry);
        }
        head = hashOf(text);
        hashes.add(head);
      });
    }
    if (head !== NOTHING) chains.push({ writer, first, last, head, problems });
  }
  return { entries: entries.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)), chains, has: (hash) => hashes.has(hash) };
}

/** Whole lines. What follows the last line's end was being written, or was torn by a power cut. */
async function linesOf(path: string): Promise<string[] | undefined> {
  try {
    if ((await stat(path)).size > FILE_BYTES) return undefined;
    return (await readFile(path, "utf8")).split("\n").slice(0, -1);
  } catch (thrown) {
    throw unreadable(path, thrown);
  }
}

function unreadable(path: string, thrown: unknown): DeviceError {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  const hint =
    code === "ENOENT"
      ? `There is no ${path}: name the state folder with --state-dir (that of the system service is /var/lib/stationd), or the configuration with --config`
      : `You may not read ${path}: ask as root (sudo stationd audit)`;
  return new DeviceError("journal_unavailable", { message: "the audit log cannot be read", hint });
}
