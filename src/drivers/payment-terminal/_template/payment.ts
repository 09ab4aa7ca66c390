import type { InterruptedPayment, PaymentFacts, PaymentOutcome, PaymentSteps } from "../../../contracts/payment-terminal.js";
import type { Clock } from "../../../kernel/clock.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import { ANSWERS, BUSY, encodeMessage, type Fields, FOUND, KINDS, type Message, NOTHING_YET, RESULTS } from "./codec.js";
import type { BankConfig } from "./config.js";
import type { Line } from "./line.js";

/** One opening of a terminal. */
export interface Session {
  readonly device: string;
  readonly config: BankConfig;
  readonly clock: Clock;
  readonly line: Line;
  /** `clock.monotonicMs()` since when no order has been under way on this link. */
  quietSinceMs: number;
}

/** An order that moves money. */
export interface Order {
  readonly kind: "sale" | "void";
  readonly amountVnd: number;
  /** Of a void: the trace number of what it takes back. */
  readonly originalTrace?: string;
}

const TYPES = { sale: "S", void: "V" } as const;

/** What the terminal did last: `kind` is `receipt` or `none`. */
export async function lastTransaction({ line, device, config }: Session): Promise<PaymentFacts> {
  const payload = encodeMessage(KINDS.last);
  const message = await line.ask({ payload, answer: ANSWERS.last, waitMs: config.answerMs, once: false });
  await line.acknowledge();
  if (message.code === BUSY) throw new DeviceError("terminal_busy", { device });
  if (message.code === NOTHING_YET) return { kind: "none" };
  const { traceNumber, type, result, amountVnd } = message.fields;
  if (message.code !== FOUND || !traceNumber || !type || !result || !amountVnd) {
    throw new DeviceError("device_fault", { device, message: "the terminal does not tell its last transaction" });
  }
  return { kind: "receipt", ...factsOf(message.fields) };
}

/** Carries an order out: baseline, `armed`, order, result, `held`, `answering`, ACK. This sequence is the contract: never change it. */
export async function carryOut(session: Session, order: Order, steps: PaymentSteps, stop: AbortSignal): Promise<PaymentOutcome> {
  const { device } = session;
  let baseline: PaymentFacts;
  steps.progress("checking");
  try {
    stop.throwIfAborted();
    baseline = await lastTransaction(session);
    stop.throwIfAborted();
  } catch (thrown) {
    return { state: "not_started", reason: asDeviceError(thrown, "canceled", { device }) };
  }
  await steps.armed(baseline);
  try {
    return await underWay(session, order, baseline, steps, stop);
  } finally {
    session.quietSinceMs = session.clock.monotonicMs();
  }
}

async function underWay(session: Session, order: Order, baseline: PaymentFacts, steps: PaymentSteps, stop: AbortSignal) {
  const { device, clock, config, line } = session;
  const { kind, amountVnd, originalTrace } = order;
  const fields = { amountVnd: String(amountVnd), ...(originalTrace === undefined ? {} : { originalTrace }) };
  // A wish and no more: the terminal's result is waited for all the same.
  const onStop = (): void => line.wish(encodeMessage(KINDS.cancel));
  let message: Message;
  try {
    message = await line.ask({
      payload: encodeMessage(KINDS[kind], fields),
      answer: ANSWERS[kind],
      waitMs: config.orderMs,
      once: true,
      taken() {
        void steps.sent().catch(() => {});
        steps.progress("present_card");
        if (stop.aborted) onStop();
        else stop.addEventListener("abort", onStop, { once: true });
      },
    });
  } finally {
    stop.removeEventListener("abort", onStop);
  }
  const cameAtMs = clock.monotonicMs();
  const facts: PaymentFacts = { ...factsOf(message.fields), type: TYPES[kind], result: message.code };
  const meaning = RESULTS[message.code];
  // Not plainly this order's: our ACK must not make it binding.
  if (!meaning || !fits(facts, order, baseline)) throw inDoubt(device, "the terminal's result is not plain");
  if (meaning !== "approved") {
    await line.acknowledge();
    return notMoved(device, meaning, message.code);
  }
  await steps.held(facts);
  await steps.answering();
  // The terminal has given us up: an ACK now would confuse it.
  if (clock.monotonicMs() - cameAtMs >= config.ackMs) throw inDoubt(device, "the journal was slower than the terminal waits");
  await line.acknowledge();
  return { state: "approved", facts } as const;
}

/** Numbers, and of the card its last four digits. */
function factsOf(fields: Fields): PaymentFacts {
  return { ...fields, ...(fields.amountVnd === undefined ? {} : { amountVnd: Number(fields.amountVnd) }) };
}

/** A result that is this order's. A decline must tell it too: one that was sent late may belong to the order before. */
function fits(facts: PaymentFacts, { amountVnd, originalTrace }: Order, baseline: PaymentFacts): boolean {
  const sameTerminal = facts.terminalId === (baseline.terminalId ?? facts.terminalId);
  return sameTerminal && facts.amountVnd === amountVnd && facts.originalTrace === originalTrace && isNew(facts, baseline);
}

/** Numbers that began again at 1 tell nothing. */
const isNew = ({ traceNumber }: PaymentFacts, baseline: PaymentFacts): boolean =>
  traceNumber !== undefined && (baseline.kind === "none" || Number(traceNumber) > Number(baseline.traceNumber));

/** See the contract. Rejects with `terminal_busy` while the terminal may still change its word. */
export async function resolvePayment(session: Session, payment: InterruptedPayment): Promise<PaymentOutcome> {
  const { device, clock, config, quietSinceMs } = session;
  const last = await lastTransaction(session);
  const found = judgeLast(device, payment, last);
  // By the wall clock from the mark, and, because that one jumps, by the other from the end of the last order or the opening.
  const sinceQuiet = clock.monotonicMs() - quietSinceMs;
  const sinceMark = payment.markedAt <= clock.now() ? clock.now() - payment.markedAt : sinceQuiet;
  const stillMs = Math.max(config.orderMs + config.takeBackMs - sinceMark, config.takeBackMs - sinceQuiet);
  const definite = found.state === "reversed" || found.state === "declined" || found.state === "cancelled";
  if (stillMs <= 0 || definite || (found.state === "approved" && payment.step === "answering")) return found;
  throw new DeviceError("terminal_busy", {
    device,
    message: "the terminal may still take the payment back",
    hint: "Wait: the agent asks again",
  });
}

/** What the last transaction says of an order. Whatever does not fit is for a person to look at. */
function judgeLast(device: string, payment: InterruptedPayment, last: PaymentFacts): PaymentOutcome {
  const { amountVnd, baseline, facts: held, reverses } = payment;
  const review = (message: string): PaymentOutcome => {
    const hint = "Compare the terminal's journal with the station's";
    return { state: "manual_review", reason: new DeviceError("device_fault", { device, message, hint, retryable: false }) };
  };
  if (last.kind !== "receipt") return review("the terminal has no last transaction");
  if (baseline.kind === "receipt" && isSame(last, baseline)) {
    // It told an approval before: only its own reversal would take that back.
    if (held) return review("the terminal forgot its own result");
    const message = "the terminal's last transaction is the one before this payment";
    return { state: "not_charged", reason: new DeviceError("timeout", { device, message, hint: "Nothing was charged: pay again" }) };
  }
  if (!isNew(last, baseline) || last.amountVnd !== amountVnd || last.terminalId !== (baseline.terminalId ?? last.terminalId)) {
    return review("the terminal's last transaction is not this payment's");
  }
  if (!reverses && last.type === TYPES.void) {
    const ours = held ? last.originalTrace === held.traceNumber : Number(last.originalTrace) > Number(baseline.traceNumber);
    if (!ours || RESULTS[String(last.result)] !== "approved") return review("the terminal's last transaction is another void");
    const message = "the terminal took the payment back by itself";
    return { state: "reversed", reason: new DeviceError("timeout", { device, message, hint: "Pay again" }) };
  }
  const ours = last.type === (reverses ? TYPES.void : TYPES.sale) && last.originalTrace === reverses?.traceNumber;
  const meaning = RESULTS[String(last.result)];
  if (!ours || !meaning || (held && (meaning !== "approved" || last.traceNumber !== held.traceNumber))) {
    return review("the terminal's last transaction does not fit this payment");
  }
  return meaning === "approved" ? { state: "approved", facts: last } : notMoved(device, meaning, String(last.result));
}

/** The very same transaction: every number that either tells. */
const isSame = (one: PaymentFacts, other: PaymentFacts): boolean =>
  ["traceNumber", "type", "result", "amountVnd", "approvalCode", "originalTrace", "terminalId", "approvedAt"].every(
    (name) => one[name] === other[name],
  );

function notMoved(device: string, state: "declined" | "cancelled", code: string): PaymentOutcome {
  const kind = state === "declined" ? "card_error" : "canceled";
  return {
    state,
    reason: new DeviceError(kind, { device, message: `terminal: ${state}`, hint: "Pay with another card", details: { code } }),
  };
}

/** The terminal's word is missing or contradicts itself: the caller asks by `resolve`. */
function inDoubt(device: string, message: string): DeviceError {
  return new DeviceError("timeout", { device, message, hint: "The agent asks the terminal what became of it" });
}
