import type { InterruptedPayment, PaymentCode, PaymentFacts, PaymentOutcome } from "../contracts/payment-terminal.js";
import type { JobOutcome, JobRecord } from "../journal/types.js";
import { errorObject } from "../kernel/errors.js";
import type { PaymentJob, PaymentState } from "../protocol/payment-terminal.js";
import { isSettled, type PaymentLife } from "./payment-machine.js";
import { stoppedBefore } from "./print-job.js";

/** Durable steps. Before `armed` no byte left that may charge. */
export type PaymentStep = "created" | InterruptedPayment["step"] | "ended" | "reversing";

/** A transfer as the journal keeps it. */
export type ShownTransfer = { readonly transactionId: string; readonly amountVnd: number };

/** What the journal keeps of a payment besides its step. Never the description, never more of a card than the driver's facts. */
export type PaymentEvidence = {
  readonly amountVnd: number;
  readonly reference: string;
  /** Since `armed`. */
  readonly baseline?: PaymentFacts;
  /** Since `held`, or the end. */
  readonly facts?: PaymentFacts;
  /** Number of the terminal's business day that it was armed in. */
  readonly day?: number;
  /** The business day ended with this one among its payments. */
  readonly dayClosed?: true;
  /** This job is a reversal of that one. */
  readonly reverses?: string;
  /** The newest reversal of this one. */
  readonly reversal?: string;
  /** Transfers that came late, once too often or for something else. */
  readonly unexpected?: readonly ShownTransfer[];
  /** What a technician found after review, read from where, and who. */
  readonly ruled?: { readonly outcome: string; readonly evidence: string; readonly by: string };
};

export function evidenceOf(record: JobRecord): PaymentEvidence {
  return record.evidence as PaymentEvidence;
}

/** How far an interrupted payment had come. `original`: of a reversal, the payment that it was to take back. */
export function interrupted(record: JobRecord, original: JobRecord | undefined): InterruptedPayment {
  const { amountVnd, baseline, facts } = evidenceOf(record);
  return {
    step: record.step as InterruptedPayment["step"],
    amountVnd,
    baseline: baseline ?? {},
    facts,
    markedAt: record.updatedAt,
    ...(original ? { reverses: evidenceOf(original).facts ?? {} } : {}),
  };
}

/** A reversal that the terminal approved ends `reversed`: it charged nothing, and no sum of approved payments may count it. */
export function jobOutcome(record: JobRecord, outcome: PaymentOutcome): JobOutcome {
  const done = evidenceOf(record).reverses !== undefined && outcome.state === "approved";
  return {
    state: done ? "reversed" : outcome.state,
    final: true,
    ...("reason" in outcome ? { reason: errorObject(outcome.reason) } : {}),
  };
}

/** How a record stands that nobody in this process works on: past `armed`, nobody knows. */
export function lifeOf(record: JobRecord): PaymentLife {
  if (record.outcome?.final) return record.outcome.state as PaymentLife;
  if (record.step === "reversing") return "reversal_unknown";
  return record.step === "created" ? "not_started" : "unknown";
}

const WIRE_STATES: { readonly [L in PaymentLife]?: PaymentState } = {
  created: "queued",
  armed: "in_progress",
  sent: "in_progress",
  held: "in_progress",
  answering: "in_progress",
};

/** The transfers that came for a payment, the one that it was approved with first. */
export function transfersOf({ facts, unexpected = [] }: PaymentEvidence): readonly ShownTransfer[] {
  const { bankTransactionId, paidVnd } = facts ?? {};
  const first = typeof bankTransactionId === "string" && typeof paidVnd === "number";
  return [...(first ? [{ transactionId: bankTransactionId, amountVnd: paidVnd }] : []), ...unexpected];
}

/**
 * A record as the wire shows it. `life`: how it stands for the one who works on it; left out where nobody does. `code`: what the payer
 * is shown.
 */
export function shownPayment(record: JobRecord, life: PaymentLife | undefined, simulated: boolean, code?: PaymentCode): PaymentJob {
  const { amountVnd, reference, reverses } = evidenceOf(record);
  const standing = record.outcome?.final ? lifeOf(record) : (life ?? lifeOf(record));
  const receipt = receiptOf(record, standing);
  const stopped = standing === "not_started" && !record.outcome ? errorObject(stoppedBefore(record.device)) : undefined;
  const reason = record.outcome?.reason ?? stopped;
  const transfers = transfersOf(evidenceOf(record));
  return {
    kind: "payment",
    job: record.id,
    idempotencyKey: record.idempotencyKey,
    device: record.device,
    amountVnd,
    reference,
    ...(reverses === undefined ? {} : { reverses }),
    state: WIRE_STATES[standing] ?? (standing as PaymentState),
    final: isSettled(standing),
    ...(receipt ? { receipt } : {}),
    ...(code && !isSettled(standing) ? { code: { ...code } } : {}),
    ...(transfers.length > 0 ? { transfers: [...transfers] } : {}),
    ...(reason ? { reason: reason as NonNullable<PaymentJob["reason"]> } : {}),
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    ...(simulated ? { simulated: true as const } : {}),
  };
}

const RECEIPT_FACTS = ["receiptNumber", "traceNumber", "terminalId", "cardName", "cardLastFour", "approvedAt"] as const;
const WITH_RECEIPT: ReadonlySet<PaymentLife> = new Set(["approved", "reversing", "reversal_unknown", "reversed"]);

function receiptOf(record: JobRecord, standing: PaymentLife): PaymentJob["receipt"] {
  const { facts } = evidenceOf(record);
  if (!facts || !WITH_RECEIPT.has(standing)) return undefined;
  const shown = RECEIPT_FACTS.flatMap((name) => {
    const fact = facts[name];
    return typeof fact === "string" || typeof fact === "number" ? [[name, String(fact)]] : [];
  });
  return shown.length === 0 ? undefined : Object.fromEntries(shown);
}
