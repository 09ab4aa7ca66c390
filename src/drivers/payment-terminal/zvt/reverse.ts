import type { PaymentFacts, PaymentOutcome, PaymentSteps } from "../../../contracts/payment-terminal.js";
import { DeviceError } from "../../../kernel/errors.js";
import { reversal } from "./commands.js";
import { carryOut } from "./order.js";
import { forReview } from "./reasons.js";
import { resultCode } from "./result-codes.js";
import { before } from "./sale.js";
import type { Session } from "./session.js";

/** 06 30 by receipt number, with the same marks as a payment. The terminal must name the payment's trace number in its answer. */
export async function reverse(
  session: Session,
  payment: PaymentFacts,
  amountVnd: number,
  steps: PaymentSteps,
  signal: AbortSignal,
): Promise<PaymentOutcome> {
  const { device, config } = session;
  const receipt = Number(payment.receiptNumber);
  const { traceNumber } = payment;
  if (!(receipt >= 1 && receipt <= 9999) || typeof traceNumber !== "string") {
    const hint = "Take it back on the terminal itself";
    return { state: "not_started", reason: new DeviceError("unsupported", { device, message: "the payment has no receipt number", hint }) };
  }
  steps.progress("checking");
  const baseline = await before(session, signal);
  if ("reason" in baseline) return baseline;
  const order = {
    command: reversal(config.password.reveal(), receipt),
    amountVnd,
    baseline: baseline.facts,
    originalTrace: traceNumber,
    outcomeOf(code: number): PaymentOutcome | undefined {
      const { meaning } = resultCode(code);
      // Somebody else took it back, or a reversal of ours did that is thought to have failed.
      if (meaning === "already_reversed") return forReview(device, "the terminal says that it was taken back before");
      return undefined;
    },
  };
  return await carryOut(session, order, steps, signal);
}
