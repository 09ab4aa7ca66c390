import type { PaymentFacts, PaymentOutcome, PaymentSteps } from "../../../contracts/payment-terminal.js";
import { DeviceError } from "../../../kernel/errors.js";
import { judgeReversal } from "./facts.js";
import { ReversalResponse } from "./messages.js";
import { carryOut } from "./order.js";
import { notStarted } from "./reasons.js";
import { before } from "./sale.js";
import { newServiceId, type Session } from "./session.js";

/** ReversalRequest of the whole payment by the terminal's name for it, with the same marks as a payment. */
export async function reverse(
  session: Session,
  payment: PaymentFacts,
  amountVnd: number,
  steps: PaymentSteps,
  signal: AbortSignal,
): Promise<PaymentOutcome> {
  const { device, config, random } = session;
  const { transactionId, approvedAt, terminalId } = payment;
  if (typeof transactionId !== "string" || typeof approvedAt !== "string" || terminalId !== config.poiId) {
    const hint = "Take it back on the terminal that took it, or in the acquirer's own web page";
    return notStarted(new DeviceError("unsupported", { device, message: "this terminal has no name for the payment", hint }));
  }
  steps.progress("checking");
  // The payment itself is the witness: the terminal must know it to take it back.
  const baseline = await before(session, payment, signal);
  if ("reason" in baseline) return baseline;
  const serviceId = newServiceId(random);
  const body = {
    OriginalPOITransaction: { POITransactionID: { TransactionID: transactionId, TimeStamp: approvedAt } },
    ReversalReason: "MerchantCancel",
  };
  const { saleId, poiId } = config;
  const facts = { device, saleId, poiId, serviceId, amountVnd, repeated: false };
  const judge = (response: ReversalResponse) => judgeReversal(response, facts, payment);
  return await carryOut(
    session,
    { category: "Reversal", serviceId, body, answer: ReversalResponse, baseline: baseline.facts, judge },
    steps,
    signal,
  );
}
