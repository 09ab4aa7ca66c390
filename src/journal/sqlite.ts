import type { DatabaseSyncInstance, StatementSyncInstance } from "@photostructure/sqlite";

/** What this room uses of SQLite; nothing else of either library is touched. */
export type Database = Pick<DatabaseSyncInstance, "exec" | "close"> & { prepare(sql: string): Statement };
export type Statement = Pick<StatementSyncInstance, "run" | "get" | "all">;
/**
 * One opening of a file per thread: the package leaves compiled statements alive at `close`, and with them the lock on the
 * file; only the end of the thread lets go for certain.
 */
export type OpenDatabase = (file: string, busyTimeoutMs: number) => Database;

interface SqliteModule {
  readonly DatabaseSync: new (file: string, options: { readonly timeout: number }) => Database;
}

/** Node has SQLite itself from 24 on (22 only as an experiment); before that a package with the same API stands in. */
async function loadSqlite(): Promise<SqliteModule> {
  const major = Number.parseInt(process.versions.node, 10);
  if (major >= 24) return process.getBuiltinModule("node:sqlite") as unknown as SqliteModule;
  return await import("@photostructure/sqlite");
}

export async function loadOpenDatabase(): Promise<OpenDatabase> {
  const { DatabaseSync } = await loadSqlite();
  return (file, busyTimeoutMs) => new DatabaseSync(file, { timeout: busyTimeoutMs });
}

/** Primary result codes of sqlite3.h that this room tells apart. */
export const SQLITE = { busy: 5, readonly: 8, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 } as const;

/** The primary result code of what SQLite threw; undefined where it is no error of SQLite. */
export function sqliteCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("errcode" in thrown) || typeof thrown.errcode !== "number") return undefined;
  // Extended codes carry the primary one in their low byte.
  return thrown.errcode & 0xff;
}
