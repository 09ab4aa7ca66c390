import type { Translate } from "../languages/translate.js";
import type { PaymentJob } from "../protocol/payment-terminal.js";
import { PAYMENT_WORDS } from "../technician/payment-words.js";
import { commandHint } from "./command-hint.js";
import { plain } from "./terminal.js";

/** One payment in words, ready for the terminal. */
export function describePayment(job: PaymentJob, t: Translate): string {
  const [amount, reference] = [job.amountVnd, plain(job.reference)];
  const what = job.reverses === undefined ? t`payment of ${amount} VND (${reference})` : t`reversal of ${amount} VND (${reference})`;
  const lines = [`${plain(job.device)}: ${what}: ${t(PAYMENT_WORDS[job.state])}${job.simulated ? ` ${t`[simulated]`}` : ""}`];
  if (job.reason) lines.push(`  ${plain(t(job.reason.message))}. ${plain(commandHint(job.reason.hint, t))}.`);
  for (const { transactionId, amountVnd } of job.transfers ?? []) lines.push(t`  transfer ${plain(transactionId)}: ${amountVnd} VND`);
  lines.push(t`  job ${job.job}, key ${plain(job.idempotencyKey)}`);
  return `${lines.join("\n")}\n`;
}
