import { chmodSync, closeSync, openSync } from "node:fs";
import { DeviceError, errorObject } from "../kernel/errors.js";
import { ensureFolder, journalFile, syncFolder } from "./folder.js";
import { prune } from "./prune.js";
import { byId, byKey, closedDay, list } from "./queries.js";
import type { Reply, Request } from "./requests.js";
import { endedFlag, type JobRow, outcomeText, rowOf } from "./rows.js";
import { migrate, SCHEMA_VERSION, schemaVersion } from "./schema.js";
import type { Database, OpenDatabase } from "./sqlite.js";
import { damagedHint, journalTrouble } from "./trouble.js";
import type { JobPatch, JobRecord } from "./types.js";

/** An agent that restarts may meet its predecessor's last breath. */
const BUSY_TIMEOUT_MS = 500;

export interface Store {
  /**
   * One transaction: returns after its fsync, with one reply per request.
   * After a failed COMMIT nobody knows what is on disk, and a later fsync may report success for pages that an earlier one
   * lost: so a store that threw is finished, and a new one, in a new thread, reads what is really there.
   * @throws DeviceError `journal_unavailable`
   */
  run(batch: readonly Request[]): readonly Reply[];
}

/**
 * The store of `folder`. Synchronous: belongs in a worker thread, one to a thread.
 * @throws DeviceError `journal_unavailable` where it cannot be opened, belongs to another agent or is damaged
 */
export function openStore(folder: string, openDatabase: OpenDatabase): Store {
  const file = journalFile(folder);
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      throw journalTrouble(thrown, file);
    }
  };
  const database = guarded(() => openJournalDatabase(folder, openDatabase));
  return {
    run: (batch) =>
      guarded(() => {
        database.exec(batch.every(isRead) ? "BEGIN" : "BEGIN IMMEDIATE");
        const replies = batch.map((request) => answer(database, request));
        database.exec("COMMIT");
        return replies;
      }),
  };
}

function isRead(request: Request): boolean {
  return request.op !== "begin" && request.op !== "advance" && request.op !== "prune";
}

/** Opened for one owner alone, sound, and of the present version. */
export function openJournalDatabase(folder: string, openDatabase: OpenDatabase): Database {
  const file = journalFile(folder);
  ensureFolder(folder);
  createPrivateFile(folder, file);
  const database = openDatabase(file, BUSY_TIMEOUT_MS);
  // Exclusive: a second agent on this folder is refused, and the index of the WAL needs no shared memory.
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  requireSound(database, file);
  // What a connection that failed left in the WAL is written and fsynced again before anything is built on it.
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  migrate(database);
  return database;
}

/** SQLite gives its -wal file the mode of the main one, so that one is made first, for its owner alone. */
function createPrivateFile(folder: string, file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
    syncFolder(folder);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
    // By path: closing a second handle of a file drops the locks that this process holds on it (POSIX).
    chmodSync(file, 0o600);
  }
}

/** Never repaired and never deleted by the agent: what a damaged journal still tells is a person's to read. */
function requireSound(database: Database, file: string): void {
  const row = database.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
  if (row.quick_check !== "ok") throw new DeviceError("journal_unavailable", { hint: damagedHint(file) });
  if (schemaVersion(database) > SCHEMA_VERSION) {
    throw new DeviceError("journal_unavailable", { hint: `${file} was written by a newer stationd: install that version again` });
  }
}

function answer(database: Database, request: Request): Reply {
  switch (request.op) {
    case "begin":
      return begin(database, request.record);
    case "advance":
      return advance(database, request.id, request.patch);
    case "byKey":
      return { value: byKey(database, request.principal, request.idempotencyKey) };
    case "byId":
      return { value: byId(database, request.id) };
    case "list":
      return { value: list(database, request.filter) };
    case "closedDay":
      return { value: closedDay(database, request.device) };
    case "prune":
      return { value: prune(database, request.before) };
  }
}

function begin(database: Database, record: JobRecord): Reply {
  const existing = byKey(database, record.principal, record.idempotencyKey);
  if (existing) return { value: { existing } };
  const { changes } = database
    .prepare("INSERT INTO job VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING")
    .run(...rowOf(record));
  if (changes === 0) return { error: errorObject(new DeviceError("internal", { message: "job id used twice" })) };
  remember(database, record.id, record.createdAt, record.step, outcomeText(record.outcome));
  return { value: { existing: undefined } };
}

function advance(database: Database, id: string, patch: JobPatch): Reply {
  const row = database.prepare("SELECT * FROM job WHERE id = ?").get(id) as JobRow | undefined;
  if (!row) return { error: errorObject(new DeviceError("job_not_found")) };
  const step = patch.step ?? row.step;
  const outcome = patch.outcome === undefined ? row.outcome : outcomeText(patch.outcome);
  const ended = patch.outcome === undefined ? row.ended : endedFlag(patch.outcome);
  const evidence = patch.evidence === undefined ? row.evidence : JSON.stringify(patch.evidence);
  database
    .prepare("UPDATE job SET step = ?, outcome = ?, ended = ?, evidence = ?, updated_at = ? WHERE id = ?")
    .run(step, outcome, ended, evidence, patch.updatedAt, id);
  remember(database, id, patch.updatedAt, step, outcome);
  return { value: undefined };
}

function remember(database: Database, job: string, at: number, step: string, outcome: string | null): void {
  database.prepare("INSERT INTO history VALUES (?, ?, ?, ?)").run(job, at, step, outcome);
}
