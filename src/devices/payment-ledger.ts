import type { TerminalTotals } from "../contracts/payment-terminal.js";
import type { JobRecord } from "../journal/types.js";
import { evidenceOf } from "./payment-job.js";

/**
 * The terminal's business days are numbered, and each payment notes its own when it is armed: wall clocks are set back, and a payment
 * that was asked for before an end of day may be armed after it.
 */
export interface Ledger {
  /** Approved less reversed. */
  readonly totals: TerminalTotals;
  /** One of the day's records, to carry the mark that it ended. A day without payments needs none. */
  readonly anchor: JobRecord | undefined;
}

/** `today`: the records of one terminal's business day. */
export function ledgerOf(today: readonly JobRecord[]): Ledger {
  let [count, sumVnd] = [0, 0];
  for (const record of today) {
    const sign = signOf(record);
    count += sign;
    sumVnd += sign * evidenceOf(record).amountVnd;
  }
  return { totals: { count, sumVnd }, anchor: today[0] };
}

/** What a record adds to its own day: a payment taken back on a later day still counts on this one. */
function signOf(record: JobRecord): -1 | 0 | 1 {
  const { reverses, reversal, ruled } = evidenceOf(record);
  const state = record.outcome?.state;
  if (reverses !== undefined) return state === "reversed" ? -1 : 0;
  if (state === "approved" || state === "reversing") return 1;
  // Charged for certain, because its reversal was begun: the reversal's own record takes it off. One that the terminal took back by
  // itself never was in its totals.
  const wasApproved = reversal !== undefined && (state === "reversed" || state === "manual_review");
  return wasApproved && ruled?.outcome !== "not_charged" ? 1 : 0;
}
