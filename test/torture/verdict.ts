import type { PaymentJob } from "../../src/protocol/payment-terminal.js";
import type { Booking, End, Kind, Misfortune } from "./bank.js";

/** One run, as the agent tells it and as the bank has it. */
export interface Outcome {
  readonly kind: Kind;
  readonly misfortune: Pick<Misfortune, "ends" | "blind">;
  readonly amountVnd: number;
  /** The order that was struck; undefined: the agent knows of none. */
  readonly job: Pick<PaymentJob, "state" | "reason"> | undefined;
  /** Of a reversal: how its payment stands now. */
  readonly original?: Pick<PaymentJob, "state"> | undefined;
  /** Those of this amount. */
  readonly bookings: readonly Booking[];
}

export interface Verdict {
  readonly end: End;
  /** What the ledger or the table of ends contradicts. */
  readonly wrong: readonly string[];
  /** A person has to look, although link, terminal and its history are there. */
  readonly reviewedWithEvidence: boolean;
}

export const chargesOf = (bookings: readonly Booking[]): number =>
  bookings.filter(({ kind, hostApproved }) => kind === "sale" && hostApproved).length;
export const netOf = (bookings: readonly Booking[]): number => bookings.reduce((sum, { net }) => sum + net, 0);

export function judge({ kind, misfortune, amountVnd, job, original, bookings }: Outcome): Verdict {
  const { ends, blind } = misfortune;
  const end: End = job?.state ?? "none";
  const payment: End = kind === "sale" ? end : (original?.state ?? "none");
  const net = netOf(bookings);
  const reviewed = end === "manual_review" || payment === "manual_review";
  const wrong: string[] = [];
  if (chargesOf(bookings) > 1) wrong.push("charged twice");
  if (bookings.filter(({ net: moved }) => moved < 0).length > 1) wrong.push("taken back twice");
  if (payment === "approved" && net !== amountVnd) wrong.push("approved without a charge");
  if (net !== 0 && payment !== "approved" && payment !== "manual_review") wrong.push("a charge was forgotten");
  if (kind === "reversal") {
    if (chargesOf(bookings) !== 1) wrong.push("no payment to take back");
    if (end === "reversed" && net !== 0) wrong.push("said to be taken back, and was not");
    if (end !== "reversed" && end !== "manual_review" && net === 0) wrong.push("taken back, and not said so");
    if ((end === "manual_review") !== (payment === "manual_review")) wrong.push(`the payment is ${payment}`);
  }
  const right = end === "manual_review" ? blind !== undefined : ends.includes(end);
  if (!right) wrong.push(`expected ${ends.join(" or ")}`);
  return { end, wrong, reviewedWithEvidence: reviewed && blind === undefined };
}
