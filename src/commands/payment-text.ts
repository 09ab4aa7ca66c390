import type { PaymentJob } from "../protocol/payment-terminal.js";
import { plain } from "./terminal.js";

const WORDS: Readonly<Record<PaymentJob["state"], string>> = {
  queued: "is waiting for the terminal",
  in_progress: "is under way",
  unknown: "not known yet; the terminal will be asked",
  resolving: "not known yet; the terminal is being asked",
  reversing: "approved; is being taken back",
  reversal_unknown: "approved; not known yet whether it was taken back",
  approved: "approved",
  declined: "declined",
  cancelled: "cancelled",
  not_charged: "not charged, by the terminal's own proof",
  expired: "expired",
  reversed: "taken back",
  manual_review: "for a person to review: compare with the terminal's journal",
  not_started: "not started; nothing was charged",
};

/** One payment in words, ready for the terminal. */
export function describePayment(job: PaymentJob): string {
  const what = `${job.reverses === undefined ? "payment" : "reversal"} of ${job.amountVnd} VND (${plain(job.reference)})`;
  const lines = [`${plain(job.device)}: ${what}: ${WORDS[job.state]}${job.simulated ? " [simulated]" : ""}`];
  if (job.reason) lines.push(`  ${plain(job.reason.message)}. ${plain(job.reason.hint)}.`);
  for (const { transactionId, amountVnd } of job.transfers ?? []) lines.push(`  transfer ${plain(transactionId)}: ${amountVnd} VND`);
  lines.push(`  job ${job.job}, key ${plain(job.idempotencyKey)}`);
  return `${lines.join("\n")}\n`;
}
