import type { InterruptedPayment, PaymentOutcome } from "../../../contracts/payment-terminal.js";
import { DeviceError } from "../../../kernel/errors.js";
import { type Judged, judgePayment, judgeReversal } from "./facts.js";
import { PaymentResponse, ReversalResponse } from "./messages.js";
import { askKnown, type Known } from "./questions.js";
import { forReview, reasonOf } from "./reasons.js";
import type { Session } from "./session.js";

const AGAIN_MS = 3_000;
/** Questions in one call: the caller asks again by itself. */
const MOST_QUESTIONS = 8;
/** Answers about something else, until a person must look. */
const MOST_STRANGE = 3;

/** What the terminal says to a question that it will never answer otherwise. */
const LASTING = new Set(["unknown", "MessageFormat", "NotAllowed", "UnavailableService", "NotFound"]);

/** Finds out from the terminal what became of an order. Rejects while it is at work on it, or may still learn of it: ask again later. */
export async function resolvePayment(session: Session, payment: InterruptedPayment, signal: AbortSignal): Promise<PaymentOutcome> {
  const { device, config, clock } = session;
  const { serviceId, saleId, poiId, witness } = payment.baseline;
  if (typeof serviceId !== "string" || typeof saleId !== "string") return forReview(device, "the order has no name to ask for");
  if (poiId !== config.poiId) return forReview(device, "the order went to another terminal");
  const category = payment.reverses ? "Reversal" : "Payment";
  const order = { category, serviceId, saleId } as const;

  let misses = 0;
  let strange = 0;
  let had = payment.step !== "armed" || payment.facts !== undefined;
  for (let asked = 0; asked < MOST_QUESTIONS; asked++) {
    if (asked > 0) await clock.sleep(AGAIN_MS, signal);
    const known = await askKnown(session, order, signal);
    const waitMs = mayChangeFor(session, payment);
    if (known.kind === "in_progress") had = true;
    else if (known.kind === "found") {
      const outcome = ending(session, payment, known, waitMs);
      if (outcome) return outcome;
      if (++strange === MOST_STRANGE) return forReview(device, "the terminal repeats another order, or none that can be read");
    } else if (waitMs > 0) throw notYet(device, waitMs);
    else if (known.kind === "unsaid") return unsaid(session, known);
    else if (had) return forReview(device, "the terminal had the order, and does not know it any more");
    else if (++misses === 2) return await neverThere(session, saleId, witness, signal);
  }
  throw new DeviceError("terminal_busy", { device, message: "the terminal is still at work on it" });
}

/**
 * How long an order may still turn up or end otherwise. Counted from the mark by the wall clock and, because that one jumps, from the
 * moment when the order left, or of this opening, by the other.
 */
function mayChangeFor({ clock, config, orderedAtMs }: Session, { markedAt }: InterruptedPayment): number {
  return config.settleMs - Math.min(clock.now() - markedAt, clock.monotonicMs() - orderedAtMs);
}

function notYet(device: string, waitMs: number): DeviceError {
  return new DeviceError("terminal_busy", {
    device,
    message: "the order may still turn up on the terminal",
    hint: "Wait: the agent asks again by itself",
    details: { waitMs: Math.ceil(waitMs) },
  });
}

/** What the terminal repeats of the order; undefined where it is another's, or cannot be read. */
function ending(
  session: Session,
  payment: InterruptedPayment,
  known: Known & { kind: "found" },
  waitMs: number,
): PaymentOutcome | undefined {
  const { device, config } = session;
  const { serviceId, saleId } = payment.baseline as { serviceId: string; saleId: string };
  const { header } = known;
  const ours =
    header.ServiceID === serviceId &&
    header.SaleID === saleId &&
    header.POIID === config.poiId &&
    header.MessageCategory === (payment.reverses ? "Reversal" : "Payment");
  if (!ours) return undefined;
  const facts = { device, serviceId, saleId, poiId: config.poiId, amountVnd: payment.amountVnd, repeated: waitMs <= 0 };
  const judged = payment.reverses
    ? judgedBy(ReversalResponse.safeParse(known.reversal), (response) => judgeReversal(response, facts, payment.reverses ?? {}))
    : judgedBy(PaymentResponse.safeParse(known.payment), (response) => judgePayment(response, facts));
  if (!judged) return undefined;
  if (judged.kind === "doubt") {
    if (waitMs > 0) throw notYet(device, waitMs);
    return forReview(device, "the terminal does not say whether it was charged");
  }
  const { facts: held } = payment;
  if (judged.kind === "done") {
    if (held && held.transactionId !== judged.facts.transactionId) return forReview(device, "the terminal contradicts its own result");
    return { state: "approved", facts: judged.facts };
  }
  return held && judged.outcome.state !== "manual_review" ? forReview(device, "the terminal contradicts its own result") : judged.outcome;
}

function judgedBy<T>(parsed: { success: true; data: T } | { success: false }, judge: (response: T) => Judged): Judged | undefined {
  return parsed.success ? judge(parsed.data) : undefined;
}

function unsaid({ device }: Session, { response }: Known & { kind: "unsaid" }): PaymentOutcome {
  const reason = reasonOf(response, device);
  const word = (reason.details as { condition: string }).condition;
  if (response.Result === "Failure" && !LASTING.has(word)) throw reason;
  return forReview(device, "the terminal does not tell what became of an order");
}

/**
 * The terminal does not know the order. That it never came is proven only by a memory that is whole: one that never knew this order, and
 * still knows the payment before it.
 */
async function neverThere(session: Session, saleId: string, witness: unknown, signal: AbortSignal): Promise<PaymentOutcome> {
  const { device, clock } = session;
  if (typeof witness !== "string")
    return forReview(device, "the terminal does not know the order, and no earlier payment shows whether it forgot");
  const ask = (): Promise<Known> => askKnown(session, { category: "Payment", serviceId: witness, saleId }, signal);
  let known = await ask();
  if (known.kind === "not_found") {
    // As with the order itself, one word is not enough.
    await clock.sleep(AGAIN_MS, signal);
    known = await ask();
  }
  if (known.kind === "not_found") return forReview(device, "the terminal has lost its memory: it does not know the payment before either");
  if (known.kind === "unsaid") return unsaid(session, known);
  if (known.kind !== "found" || known.header.ServiceID !== witness) {
    throw new DeviceError("terminal_busy", { device, message: "the terminal does not tell of the payment before" });
  }
  const message = "the terminal never had the order: it still knows the payment before";
  return { state: "not_charged", reason: new DeviceError("timeout", { device, message, hint: "Nothing was charged: pay again" }) };
}
