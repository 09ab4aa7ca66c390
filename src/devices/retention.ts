import type { PruneBefore } from "../journal/types.js";

const DAY_MS = 24 * 3_600_000;
/** Keys are promised for 30 days; one more for clocks that were set. Payments are bookkeeping: a year, and the time to close its books. */
const KEEP_DAYS: PruneBefore = { print: 31, payment: 400 };

/** What the journal may forget now. */
export function pruneBefore(nowMs: number): PruneBefore {
  return { print: nowMs - KEEP_DAYS.print * DAY_MS, payment: nowMs - KEEP_DAYS.payment * DAY_MS };
}
