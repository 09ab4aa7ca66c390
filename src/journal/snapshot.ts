import { copyFile, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import { journalFile } from "./folder.js";
import { type JobRow, recordOf } from "./rows.js";
import { loadOpenDatabase } from "./sqlite.js";
import { openJournalDatabase } from "./store.js";
import { journalTrouble } from "./trouble.js";
import type { JobRecord } from "./types.js";

/** Longer than the tick by which file systems keep time: what is written after it shows in the time of the last change. */
const TICK_MS = 20;
/** A station rests longer between two commits than a copy takes. */
const TRIES = 50;
const BATCH = 2_000;

/**
 * Payments that were asked for from `from` until before `before` (milliseconds since the epoch), oldest first, in batches: with or without
 * an agent at work on this folder, and without a byte written there. The files are copied as a power cut would leave them, and the
 * copy is opened, brought up to date and removed.
 * @throws DeviceError `journal_unavailable` where there is no journal, it may not be read or is damaged; `busy` where it never rests
 */
export async function* readPayments(
  folder: string,
  { from, before }: { readonly from: number; readonly before: number },
  clock: Clock,
): AsyncGenerator<readonly JobRecord[]> {
  const file = journalFile(folder);
  const copy = await mkdtemp(join(tmpdir(), "stationd-journal-"));
  try {
    await copyAtRest(file, copy, clock);
    const database = openJournalDatabase(copy, await loadOpenDatabase());
    // Open files need no name: whatever ends this process, the copy is gone.
    await rm(copy, { recursive: true });
    try {
      const page = database.prepare(
        `SELECT rowid AS number, * FROM job WHERE (created_at, rowid) > (?, ?) AND created_at < ? AND +kind = 'payment'
         ORDER BY created_at, rowid LIMIT ${BATCH}`,
      );
      let [at, number] = [from, 0];
      for (;;) {
        const rows = page.all(at, number, before) as (JobRow & { readonly number: number })[];
        const last = rows.at(-1);
        if (!last) return;
        yield rows.map(recordOf);
        [at, number] = [last.created_at, last.number];
      }
    } finally {
      database.close();
    }
  } catch (thrown) {
    throw refusal(thrown, file, journalFile(copy));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** Of the main file and its -wal (and the -journal of a first opening) one moment's state. */
async function copyAtRest(file: string, folder: string, clock: Clock): Promise<void> {
  const files = [file, `${file}-wal`, `${file}-journal`];
  for (let left = TRIES; left > 0; left--) {
    const before = await changes(files);
    const until = clock.monotonicMs() + TICK_MS;
    // Asked again and again: the clock's timers keep no process alive, and a command has nothing else to live for.
    while (clock.monotonicMs() < until && (await changes(files)) === before);
    if ((await changes(files)) !== before) continue;
    for (const one of files) {
      const target = join(folder, basename(one));
      await rm(target, { force: true });
      await copyFile(one, target).catch((thrown: NodeJS.ErrnoException) => {
        if (thrown.code !== "ENOENT" || one === file) throw thrown;
      });
    }
    if ((await changes(files)) === before) return;
  }
  throw new DeviceError("busy", { message: "the journal is being written all the time", hint: "Try again when fewer people are served" });
}

async function changes(files: readonly string[]): Promise<string> {
  const states = files.map(async (file) => {
    const state = await stat(file, { bigint: true }).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== "ENOENT") throw thrown;
    });
    return state && [state.ino, state.size, state.mtimeNs];
  });
  return (await Promise.all(states)).join();
}

function refusal(thrown: unknown, file: string, copy: string): DeviceError {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  const hint =
    code === "ENOENT"
      ? `There is no ${file}: name the state folder with --state-dir (that of the system service is /var/lib/stationd), or the configuration with --config`
      : code === "EACCES" || code === "EPERM"
        ? `You may not read ${file}: ask as the agent's user or as root (sudo stationd …)`
        : undefined;
  if (hint !== undefined) return new DeviceError("journal_unavailable", { message: "the journal cannot be read", hint });
  const trouble = journalTrouble(thrown, file);
  return new DeviceError(trouble.kind, { message: trouble.message, hint: trouble.hint.replaceAll(copy, file) });
}
