import type { InterruptedPayment, PaymentOutcome } from "../../../contracts/payment-terminal.js";
import { DeviceError } from "../../../kernel/errors.js";
import { isLater, isSameReceipt, type LastReceipt } from "./facts.js";
import { askStatus, lastReceipt, register } from "./questions.js";
import { forReview, reasonOf } from "./reasons.js";
import type { Session } from "./session.js";

/**
 * Finds out from the terminal's last receipt what became of an order. Rejects with `terminal_busy` while the terminal is at work, or may
 * still take a payment back without a word: ask again later.
 */
export async function resolvePayment(session: Session, payment: InterruptedPayment): Promise<PaymentOutcome> {
  const { device } = session;
  await register(session);
  const status = await askStatus(session);
  if (status.busy && status.reason) throw status.reason;
  const last = await lastReceipt(session);
  const waitMs = mayChangeFor(session, payment);
  const found =
    last.kind === "refused" ? forReview(device, "the terminal does not repeat its last receipt") : judgeLast(payment, last, session);
  if (
    waitMs <= 0 ||
    (found.state === "approved" && payment.step === "answering") ||
    found.state === "reversed" ||
    found.state === "declined"
  ) {
    return found;
  }
  throw new DeviceError("terminal_busy", {
    device,
    message: "the terminal may still take the payment back",
    hint: "Wait: the agent asks again by itself",
    details: { waitMs: Math.ceil(waitMs) },
  });
}

/**
 * How long the terminal's word may still change: an order runs on for T4, then the terminal takes it back in its own time. Counted from the
 * mark by the wall clock and, because that one jumps, from the end of the old link by the other.
 */
function mayChangeFor({ clock, config, openedAt, quietSinceMs }: Session, { markedAt }: InterruptedPayment): number {
  const sinceMark = clock.now() - Math.min(markedAt, openedAt);
  const sinceQuiet = clock.monotonicMs() - quietSinceMs;
  return Math.max(config.t4Ms + config.autoReversalMs - sinceMark, config.autoReversalMs - sinceQuiet);
}

/** What the last receipt says of an order, once it can be relied on. Whatever does not fit is for a person to look at. */
export function judgeLast(
  { amountVnd, baseline, facts: held, reverses }: InterruptedPayment,
  last: LastReceipt,
  { device, terminalId }: Pick<Session, "device" | "terminalId">,
): PaymentOutcome {
  if (last.kind !== "receipt") return forReview(device, "the terminal has no last receipt");
  const { facts } = last;
  if (baseline.kind === "receipt" && isSameReceipt(facts, withoutKind(baseline))) {
    const message = "the terminal's last receipt is the one before this payment";
    return { state: "not_charged", reason: new DeviceError("timeout", { device, message, hint: "Nothing was charged: pay again" }) };
  }
  const terminal = baseline.terminalId ?? terminalId;
  if (facts.unread || facts.totals || facts.amountVnd !== amountVnd || facts.terminalId === undefined || facts.terminalId !== terminal) {
    return forReview(device, "the terminal's last receipt is not this payment's");
  }
  const isHeld =
    held !== undefined &&
    ["receiptNumber", "traceNumber", "paymentType"].every((name) => facts[name] === held[name]) &&
    facts.traceNumber !== undefined;
  // Numbers that began again at 1 tell nothing; an end of day has no receipt number.
  const isNewer = isLater(baseline.receiptNumber === undefined ? "traceNumber" : "receiptNumber", facts, baseline);
  const isNew = baseline.kind === "none" || (baseline.kind === "receipt" && isNewer) || (baseline.kind === "unknown" && isHeld);

  if (reverses) {
    const done = facts.result === 0 && isNew && facts.originalTrace !== undefined && facts.originalTrace === reverses.traceNumber;
    if (done && (!held || isHeld)) return { state: "approved", facts };
    return forReview(device, "the terminal's last receipt is not this reversal's");
  }
  if (facts.originalTrace !== undefined) {
    const ours = held ? facts.originalTrace === held.traceNumber : isNew && Number(facts.originalTrace) > Number(baseline.traceNumber);
    if (!ours || facts.result !== 0) return forReview(device, "the terminal's last receipt is another reversal's");
    const message = "the terminal took the payment back by itself";
    return {
      state: "reversed",
      reason: new DeviceError("timeout", { device, message, hint: "Nothing was charged in the end: pay again" }),
    };
  }
  if (!isNew || (held && !isHeld) || typeof facts.result !== "number")
    return forReview(device, "the terminal's last receipt does not fit this payment");
  if (facts.result === 0) return { state: "approved", facts };
  if (held) return forReview(device, "the terminal contradicts its own result");
  return { state: "declined", reason: reasonOf(facts.result, device) };
}

function withoutKind({ kind: _, ...facts }: InterruptedPayment["baseline"]): InterruptedPayment["baseline"] {
  return facts;
}
