import type { Database } from "./sqlite.js";

/** Each entry lifts the store by one version; entries are only ever appended. */
const MIGRATIONS = [
  `CREATE TABLE job (
     id TEXT PRIMARY KEY,
     kind TEXT NOT NULL CHECK (kind IN ('print', 'payment')),
     device TEXT NOT NULL,
     principal TEXT NOT NULL,
     idempotency_key TEXT NOT NULL,
     request_hmac TEXT NOT NULL,
     step TEXT NOT NULL,
     outcome TEXT,
     ended INTEGER NOT NULL,
     evidence TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     UNIQUE (principal, idempotency_key)
   ) STRICT;
   CREATE INDEX job_by_age ON job (created_at);
   CREATE INDEX job_open ON job (created_at) WHERE ended = 0;
   CREATE TABLE history (
     job TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
     at INTEGER NOT NULL,
     step TEXT NOT NULL,
     outcome TEXT
   ) STRICT;
   CREATE INDEX history_of_job ON history (job);`,
  // Payments are kept so long that none of these may be looked for one by one. Each index holds few rows: no mark of a sale writes to it.
  `CREATE INDEX payment_day_closed ON job (device, json_extract(evidence, '$.day')) WHERE json_extract(evidence, '$.dayClosed') IS NOT NULL;
   CREATE INDEX payment_reversal ON job (json_extract(evidence, '$.reverses')) WHERE json_extract(evidence, '$.reverses') IS NOT NULL;
   CREATE INDEX payment_in_review ON job (created_at) WHERE json_extract(outcome, '$.state') = 'manual_review';`,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

export function schemaVersion(database: Database): number {
  const row = database.prepare("PRAGMA user_version").get() as { user_version: number };
  return row.user_version;
}

/** Brings an older store up to date, each step with its version number in one transaction. */
export function migrate(database: Database): void {
  for (let version = schemaVersion(database); version < SCHEMA_VERSION; version++) {
    database.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[version]} PRAGMA user_version = ${version + 1}; COMMIT`);
  }
}
