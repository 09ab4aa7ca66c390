import type { Database } from "./sqlite.js";
import type { PruneBefore } from "./types.js";

/** See `Journal.prune`. Without the newest mark of an ended day a terminal's days would be counted from 1 again. */
export function prune(database: Database, before: PruneBefore): number {
  const prints = database.prepare("DELETE FROM job WHERE kind = 'print' AND ended = 1 AND updated_at < ?").run(before.print);
  const payments = database
    .prepare(
      `WITH
         day_mark AS (
           SELECT id, max(json_extract(evidence, '$.day')) FROM job WHERE json_extract(evidence, '$.dayClosed') IS NOT NULL GROUP BY device
         ),
         old AS (
           SELECT id, coalesce(json_extract(evidence, '$.reverses'), id) AS payment
           FROM job WHERE kind = 'payment' AND ended = 1 AND updated_at < ?1
         )
       DELETE FROM job WHERE id IN (
         SELECT id FROM old WHERE NOT EXISTS (
           SELECT 1 FROM job AS kin
           WHERE (kin.id = old.payment OR json_extract(kin.evidence, '$.reverses') = old.payment)
             AND (kin.ended = 0 OR kin.updated_at >= ?1 OR json_extract(kin.outcome, '$.state') = 'manual_review'
               OR kin.id IN (SELECT id FROM day_mark))
         )
       )`,
    )
    .run(before.payment);
  return Number(prints.changes) + Number(payments.changes);
}
