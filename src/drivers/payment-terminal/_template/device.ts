import type { DriverContext } from "../../../contracts/driver.js";
import type { PaymentOutcome, PaymentTerminal } from "../../../contracts/payment-terminal.js";
import { raceSignal } from "../../../kernel/deadline.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { BankConfig } from "./config.js";
import { startLine } from "./line.js";
import { carryOut, lastTransaction, resolvePayment, type Session } from "./payment.js";

export async function open(config: BankConfig, context: DriverContext): Promise<PaymentTerminal> {
  const { device, clock, log, signal } = context;
  const line = startLine(await context.connect(signal), { device, clock, log, config });
  const session: Session = { device, config, clock, line, quietSinceMs: clock.monotonicMs() };
  const onAbort = (): void => void line.close();
  signal.addEventListener("abort", onAbort, { once: true });
  line.signal.addEventListener("abort", () => signal.removeEventListener("abort", onAbort), { once: true });

  // One conversation at a time, each after the one before.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(async () => {
      line.signal.throwIfAborted();
      return await work();
    });
    turn = result.catch(() => {});
    return result;
  };
  /** What reads only may be given up by the caller at any time; it then ends by itself. */
  const reading = async <T>(work: () => Promise<T>, stop: AbortSignal): Promise<T> => {
    stop.throwIfAborted();
    return await raceSignal(inTurn(work), stop);
  };
  const notStarted = (message: string, hint: string): PaymentOutcome => ({
    state: "not_started",
    reason: new DeviceError("invalid_params", { device, message, hint }),
  });

  let terminalId: unknown;
  try {
    ({ terminalId } = await reading(() => lastTransaction(session), signal));
  } catch (thrown) {
    await line.close();
    throw thrown;
  }
  context.report({ state: "ready" });
  return {
    identity: typeof terminalId === "string" ? { serial: terminalId } : {},
    capabilities: { version: 1, maxAmountVnd: config.maxAmountVnd, reverse: true, totalsWithoutClosing: false, receiptLines: false },
    lost: line.ended,
    async pay({ amountVnd }, steps, stop) {
      if (!(Number.isSafeInteger(amountVnd) && amountVnd > 0 && amountVnd <= config.maxAmountVnd)) {
        return notStarted("the amount is not allowed here", "Raise the device's maxAmountVnd, or pay in another way");
      }
      return await inTurn(() => carryOut(session, { kind: "sale", amountVnd }, steps, stop));
    },
    resolve: (payment, stop) => reading(() => resolvePayment(session, payment), stop),
    async reverse({ traceNumber }, amountVnd, steps, stop) {
      if (typeof traceNumber !== "string" || !/^\d{6}$/.test(traceNumber)) {
        return notStarted("the payment has no trace number", "Take it back on the terminal itself");
      }
      return await inTurn(() => carryOut(session, { kind: "void", amountVnd, originalTrace: traceNumber }, steps, stop));
    },
    async totals() {
      throw new DeviceError("unsupported", { device });
    },
    async selfTest(stop) {
      await reading(() => lastTransaction(session), stop);
      return [{ check: "terminal answers", ok: true }];
    },
    close: () => line.close(),
  };
}
