import type { PaymentOutcome, PaymentRequest, PaymentSteps } from "../../../contracts/payment-terminal.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import { authorisation } from "./commands.js";
import { baselineOf } from "./facts.js";
import { carryOut } from "./order.js";
import { lastBefore } from "./questions.js";
import type { Session } from "./session.js";

/** Takes one payment. See the contract for when it ends how, and `carryOut` for the order of marks and bytes. */
export async function pay(session: Session, request: PaymentRequest, steps: PaymentSteps, signal: AbortSignal): Promise<PaymentOutcome> {
  const { device, config } = session;
  const { amountVnd } = request;
  if (!(Number.isSafeInteger(amountVnd) && amountVnd > 0 && amountVnd <= config.maxAmountVnd)) {
    const hint = "Raise the device's maxAmountVnd, or pay in another way";
    return { state: "not_started", reason: new DeviceError("invalid_params", { device, message: "the amount is not allowed here", hint }) };
  }
  steps.progress("checking");
  const baseline = await before(session, signal);
  if ("reason" in baseline) return baseline;
  const { paymentType } = config;
  const command = authorisation({ amountVnd, ...(paymentType === undefined ? {} : { paymentType }) });
  return await carryOut(session, { command, amountVnd, baseline: baseline.facts }, steps, signal);
}

/** What the terminal did last, or why nothing is begun now. */
export async function before(
  session: Session,
  signal: AbortSignal,
): Promise<{ readonly facts: ReturnType<typeof baselineOf> } | { readonly state: "not_started"; readonly reason: DeviceError }> {
  const notStarted = (reason: unknown) =>
    ({ state: "not_started", reason: asDeviceError(reason, "canceled", { device: session.device }) }) as const;
  if (signal.aborted) return notStarted(signal.reason);
  try {
    const facts = baselineOf(await lastBefore(session));
    return signal.aborted ? notStarted(signal.reason) : { facts };
  } catch (thrown) {
    return notStarted(asDeviceError(thrown, "internal", { device: session.device }));
  }
}
