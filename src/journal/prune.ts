import { newestDay } from "./queries.js";
import type { Database } from "./sqlite.js";
import type { PruneBefore } from "./types.js";

/** See `Journal.prune`. */
export function prune(database: Database, before: PruneBefore): number {
  const prints = database.prepare("DELETE FROM job WHERE kind = 'print' AND ended = 1 AND updated_at < ?").run(before.print);
  const payments = database
    .prepare(
      `DELETE FROM job WHERE id IN (
         SELECT id FROM (
           SELECT id, coalesce(json_extract(evidence, '$.reverses'), id) AS payment
           FROM job WHERE kind = 'payment' AND ended = 1 AND updated_at < ?1
         ) AS old
         WHERE NOT EXISTS (
           SELECT 1 FROM job AS kin
           WHERE (kin.id = old.payment OR json_extract(kin.evidence, '$.reverses') = old.payment)
             AND (kin.ended = 0 OR kin.updated_at >= ?1 OR json_extract(kin.outcome, '$.state') = 'manual_review'
               OR kin.id IN (SELECT value FROM json_each(?2)))
         )
       )`,
    )
    .run(before.payment, JSON.stringify(dayMarks(database)));
  return Number(prints.changes) + Number(payments.changes);
}

/** Of each device the payment that tells its business day: without any, the count would begin at 1 again. */
function dayMarks(database: Database): string[] {
  const devices = database.prepare("SELECT DISTINCT device FROM job WHERE kind = 'payment'").all() as { device: string }[];
  return devices.flatMap(({ device }) => newestDay(database, device, 1).map(({ id }) => id));
}
