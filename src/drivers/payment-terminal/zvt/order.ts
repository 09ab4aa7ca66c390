import type { PaymentFacts, PaymentOutcome, PaymentSteps } from "../../../contracts/payment-terminal.js";
import type { DeviceError } from "../../../kernel/errors.js";
import { negativeAnswer, positiveAnswer } from "./apdu.js";
import { converse } from "./conversation.js";
import { factsOf, judge } from "./facts.js";
import type { TerminalMessage } from "./messages.js";
import { inDoubt, isBusy, notMoved, reasonOf } from "./reasons.js";
import { resultCode } from "./result-codes.js";
import { fingerprint, NOT_POSSIBLE, type Session } from "./session.js";

/** An order that moves money: 06 01 or 06 30. */
export interface Order {
  readonly command: Uint8Array;
  readonly amountVnd: number;
  readonly baseline: PaymentFacts;
  readonly originalTrace?: string;
  /** Codes with which the terminal ends this kind of order in words of their own. */
  outcomeOf?(code: number): PaymentOutcome | undefined;
}

/** With "please remove card" below it a status is 40 more. */
const withoutRemoveCard = (code: number): number => (code >= 0x41 && code <= 0x67 ? code - 0x40 : code);
/** The host is being asked: the bank may have booked. */
const ASKING = new Set([0x04, 0xd2, 0xd3]);
/** "Approved" and "auto-reversal": the bank has booked. */
const BOOKED = new Set([0x05, 0x1c]);

/**
 * Carries an order out, in this sequence: mark `armed`, command, 04 0F, mark `held`, mark `answering`, our answer, 06 0F. The answer to the
 * 04 0F is the commit: where a mark does not get written the terminal is told no (84 83) and takes the payment back. Rejects where the
 * terminal's word is missing or not plain; `resolvePayment` then asks.
 */
export async function carryOut(session: Session, order: Order, steps: PaymentSteps, stop: AbortSignal): Promise<PaymentOutcome> {
  const { device } = session;
  await steps.armed(order.baseline);
  try {
    return await underWay(session, order, steps, stop);
  } finally {
    session.quietSinceMs = session.clock.monotonicMs();
    session.log.debug("order ended", { device });
  }
}

async function underWay(session: Session, order: Order, steps: PaymentSteps, stop: AbortSignal): Promise<PaymentOutcome> {
  const { device, clock, config } = session;
  /** The result that our answer made binding. */
  let bound: { readonly facts: PaymentFacts; readonly print: string } | undefined;
  let declined: number | undefined;
  let host = "unasked" as Host;
  let doubt: DeviceError | undefined;

  const refuse = (reason: DeviceError): Uint8Array => {
    doubt ??= reason;
    return negativeAnswer(NOT_POSSIBLE);
  };

  const onStatus = async (message: TerminalMessage & { type: "statusInformation" }, apdu: Uint8Array): Promise<Uint8Array | "nothing"> => {
    if (bound?.print === fingerprint(apdu)) return positiveAnswer();
    if (bound) return refuse(inDoubt(device, "the terminal told two results"));
    const cameAtMs = clock.monotonicMs();
    const judged = judge(message.status, { ...order, terminalId: session.terminalId, originalTrace: order.originalTrace });
    if (judged === "declined") {
      declined = message.status.resultCode;
      return positiveAnswer();
    }
    if (judged === "foreign" || doubt) return refuse(inDoubt(device, "the terminal told a result that is not this payment's"));
    const facts = factsOf(message.status);
    try {
      await steps.held(facts);
      await steps.answering();
    } catch (thrown) {
      // What nobody wrote down must not be charged.
      doubt ??= thrown as DeviceError;
      return negativeAnswer(NOT_POSSIBLE);
    }
    if (clock.monotonicMs() - cameAtMs >= config.t3Ms) {
      // The terminal has given us up and begun to take the payment back: a yes now would only confuse it.
      doubt = inDoubt(device, "the journal was slower than the terminal waits");
      return "nothing";
    }
    bound = { facts, print: fingerprint(apdu) };
    session.bound = bound.print;
    return positiveAnswer();
  };

  const ending = await converse(session, order.command, {
    once: true,
    stop,
    onAccepted: () => void steps.sent().catch(() => {}),
    async onMessage(message, apdu) {
      switch (message.type) {
        case "statusInformation":
          return await onStatus(message, apdu);
        case "intermediateStatus":
          host = hostAfter(host, message.status.code);
          if (message.status.stage) steps.progress(message.status.stage);
          return undefined;
        case "printLine":
          steps.receiptLine(message.line.text);
          return undefined;
        case "printBlock":
          for (const { text } of message.lines) steps.receiptLine(text);
          return undefined;
        default:
          return undefined;
      }
    },
  });

  if (ending.type === "refused") {
    // A block that was sent again after a NAK: this "busy" may be the answer to the second copy, while the first one runs.
    if (ending.sendings > 1 && isBusy(ending.code)) throw inDoubt(device, "the order may have come through twice");
    return { state: "not_charged", reason: reasonOf(ending.code, device) };
  }
  if (doubt) throw doubt;
  if (ending.type === "completion") {
    if (bound) return { state: "approved", facts: bound.facts };
    if (declined === undefined) throw inDoubt(device, "the terminal ended a payment without a result");
    return order.outcomeOf?.(declined) ?? notMoved(declined, device);
  }
  // After our yes a failure does not undo the payment, and after a late yes it may: the terminal must say what it did.
  if (bound) throw inDoubt(device, "the terminal aborted after its result was answered");
  const code = declined ?? ending.code;
  const own = order.outcomeOf?.(code);
  if (own) return own;
  // A bank that was asked may have booked what the terminal then gave up, unless it is the bank's or the card's own no.
  const refused = ["declined", "card_refused"].includes(resultCode(code).meaning);
  if (declined === undefined && (host === "booked" || (host === "asked" && !refused))) {
    throw inDoubt(device, "the terminal aborted while the bank had the payment");
  }
  return notMoved(code, device);
}

type Host = "unasked" | "asked" | "booked";

function hostAfter(before: Host, status: number): Host {
  const code = withoutRemoveCard(status);
  if (before === "booked" || BOOKED.has(code)) return "booked";
  return ASKING.has(code) ? "asked" : before;
}
