import type { PaymentFacts, PaymentOutcome, PaymentRequest, PaymentSteps } from "../../../contracts/payment-terminal.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import { judgePayment } from "./facts.js";
import { PaymentResponse } from "./messages.js";
import { carryOut } from "./order.js";
import { askKnown, diagnose } from "./questions.js";
import { notStarted, reasonOf } from "./reasons.js";
import { newServiceId, type Session } from "./session.js";

/** Takes one payment. See the contract for when it ends how, and `carryOut` for the order of marks and bytes. */
export async function pay(session: Session, request: PaymentRequest, steps: PaymentSteps, signal: AbortSignal): Promise<PaymentOutcome> {
  const { device, config, clock, random } = session;
  const { amountVnd, reference } = request;
  if (!(Number.isSafeInteger(amountVnd) && amountVnd > 0 && amountVnd <= config.maxAmountVnd)) {
    const hint = "Raise the device's maxAmountVnd, or pay in another way";
    return notStarted(new DeviceError("invalid_params", { device, message: "the amount is not allowed here", hint }));
  }
  steps.progress("checking");
  const baseline = await before(session, request.previous, signal);
  if ("reason" in baseline) return baseline;
  const serviceId = newServiceId(random);
  const body = {
    SaleData: {
      SaleTransactionID: { TransactionID: reference, TimeStamp: new Date(clock.now()).toISOString() },
      ...(config.notices ? { SaleToAcquirerData: "tenderOption=ReceiveDisplayNotifications" } : {}),
    },
    // Dong have no smaller unit: the amount is a whole number.
    PaymentTransaction: { AmountsReq: { Currency: "VND", RequestedAmount: amountVnd } },
  };
  const { saleId, poiId } = config;
  const facts = { device, saleId, poiId, serviceId, amountVnd, repeated: false };
  const judge = (response: PaymentResponse) => judgePayment(response, facts);
  return await carryOut(
    session,
    { category: "Payment", serviceId, body, answer: PaymentResponse, baseline: baseline.facts, judge },
    steps,
    signal,
  );
}

/**
 * Whether the terminal is there and free, and whether it still knows the payment before: that one is the witness by which it can later be
 * believed that it does not know this one.
 */
export async function before(
  session: Session,
  previous: PaymentFacts | undefined,
  stop: AbortSignal,
): Promise<{ readonly facts: PaymentFacts } | ReturnType<typeof notStarted>> {
  const { device, config } = session;
  try {
    stop.throwIfAborted();
    const found = await witness(session, previous, stop);
    // Having answered about that one it is there, and not at work.
    const reason = found === undefined ? await diagnose(session, stop) : undefined;
    if (reason) return notStarted(reason);
    stop.throwIfAborted();
    return { facts: found === undefined ? {} : { witness: found } };
  } catch (thrown) {
    if (stop.aborted) return notStarted(asDeviceError(stop.reason, "canceled", { device }));
    return notStarted(asDeviceError(thrown, "internal", { device }));
  }

  async function witness(asked: Session, payment: PaymentFacts | undefined, signal: AbortSignal): Promise<string | undefined> {
    const { serviceId, terminalId } = payment ?? {};
    if (typeof serviceId !== "string" || terminalId !== config.poiId) return undefined;
    const known = await askKnown(asked, { category: "Payment", serviceId, saleId: config.saleId }, signal);
    if (known.kind === "in_progress") throw new DeviceError("terminal_busy", { device });
    if (known.kind === "unsaid" && known.response.Result === "Failure") {
      const reason = reasonOf(known.response, device);
      if (reason.kind === "terminal_busy") throw reason;
    }
    return known.kind === "found" && known.header.ServiceID === serviceId ? serviceId : undefined;
  }
}
