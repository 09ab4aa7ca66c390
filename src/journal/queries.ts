import { type JobRow, recordOf } from "./rows.js";
import type { Database } from "./sqlite.js";
import type { JobRecord, ListFilter } from "./types.js";

export function byKey(database: Database, principal: string, idempotencyKey: string): JobRecord | undefined {
  return one(database.prepare("SELECT * FROM job WHERE principal = ? AND idempotency_key = ?").get(principal, idempotencyKey));
}

export function byId(database: Database, id: string): JobRecord | undefined {
  return one(database.prepare("SELECT * FROM job WHERE id = ?").get(id));
}

/** The plus keeps SQLite from gathering a year of one caller's or device's jobs to sort them: it is to go by age, and to stop at the limit. */
export function list(database: Database, filter: ListFilter): readonly JobRecord[] {
  const where: string[] = [];
  const values: (string | number)[] = [];
  for (const column of ["principal", "device", "kind"] as const) {
    const value = filter[column];
    if (value === undefined) continue;
    where.push(`+${column} = ?`);
    values.push(value);
  }
  if (filter.day !== undefined) {
    where.push("json_extract(evidence, '$.day') = ?");
    values.push(filter.day);
  }
  if (filter.purposeIn !== undefined) {
    where.push("instr(?, json_extract(evidence, '$.baseline.purpose')) > 0");
    values.push(filter.purposeIn);
  }
  if (filter.open !== undefined) where.push(filter.open ? "ended = 0" : "ended = 1");
  if (filter.inReview) where.push("json_extract(outcome, '$.state') = 'manual_review'");
  const rows = database
    .prepare(`SELECT * FROM job WHERE ${["TRUE", ...where].join(" AND ")} ORDER BY created_at DESC, rowid DESC LIMIT ?`)
    .all(...values, filter.limit);
  return (rows as JobRow[]).map(recordOf);
}

export function closedDay(database: Database, device: string): number {
  const row = database
    .prepare(
      "SELECT max(json_extract(evidence, '$.day')) AS day FROM job WHERE device = ? AND json_extract(evidence, '$.dayClosed') IS NOT NULL",
    )
    .get(device) as { readonly day: number | null };
  return row.day ?? 0;
}

function one(row: unknown): JobRecord | undefined {
  return row === undefined ? undefined : recordOf(row as JobRow);
}
