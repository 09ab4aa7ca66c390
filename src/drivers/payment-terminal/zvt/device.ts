import type { DriverContext } from "../../../contracts/driver.js";
import type { PaymentTerminal } from "../../../contracts/payment-terminal.js";
import { raceSignal } from "../../../kernel/deadline.js";
import type { DeviceError } from "../../../kernel/errors.js";
import type { ZvtConfig } from "./config.js";
import { asked, askPatiently, register, reportStatus } from "./questions.js";
import { resolvePayment } from "./resolve.js";
import { reverse } from "./reverse.js";
import { pay } from "./sale.js";
import { type Session, startSession } from "./session.js";
import { totals } from "./totals.js";

const CAPABILITIES_VERSION = 1;

export async function open(config: ZvtConfig, context: DriverContext): Promise<PaymentTerminal> {
  const { device, clock, log, signal } = context;
  const link = await context.connect(signal);
  const framing = config.framing ?? (link.description.startsWith("serial ") ? "serial" : "tcp");
  const session = startSession(link, framing, config, { device, clock, log, report: (condition) => context.report(condition) });
  const { line } = session;
  const onAbort = (): void => void line.close();
  signal.addEventListener("abort", onAbort, { once: true });
  line.signal.addEventListener("abort", () => signal.removeEventListener("abort", onAbort), { once: true });
  try {
    signal.throwIfAborted();
    await raceSignal(
      asked(session, async () => {
        await register(session);
        await reportStatus(session);
      }),
      signal,
    );
  } catch (thrown) {
    await line.close();
    throw thrown;
  }
  watch(session);
  return terminal(session, framing);
}

/** A cable that was pulled, or an end of day that is due, shows by itself only when somebody asks. */
function watch(session: Session): void {
  const { line, clock, config } = session;
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(config.pollMs, line.signal);
      if (session.idle) await asked(session, () => reportStatus(session));
    }
  };
  // Only the line's end stops it, and `lost` tells that.
  loop().catch((thrown) => line.fail(thrown as DeviceError));
}

function terminal(session: Session, framing: "serial" | "tcp"): PaymentTerminal {
  const { line, config, terminalId, softwareVersion } = session;
  /** What reads only may be given up by the caller at any time; it then ends by itself. */
  const reading = <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    signal.throwIfAborted();
    return raceSignal(asked(session, work), signal);
  };
  return {
    identity: {
      ...(terminalId === undefined ? {} : { serial: terminalId }),
      ...(softwareVersion === undefined ? {} : { firmware: softwareVersion }),
    },
    capabilities: {
      version: CAPABILITIES_VERSION,
      maxAmountVnd: config.maxAmountVnd,
      reverse: true,
      totalsWithoutClosing: false,
      receiptLines: config.printReceipts,
      framing,
    },
    lost: line.ended,
    pay: (request, steps, signal) => asked(session, () => pay(session, request, steps, signal)),
    reverse: (payment, amountVnd, steps, signal) => asked(session, () => reverse(session, payment, amountVnd, steps, signal)),
    resolve: async (payment, signal) => await reading(() => resolvePayment(session, payment), signal),
    totals: async (close, signal) =>
      await reading(async () => {
        const counted = await totals(session, close);
        await reportStatus(session).catch(() => {});
        return counted;
      }, signal),
    selfTest: async (signal) =>
      await reading(async () => {
        await register(session);
        const { reason } = await askPatiently(session);
        return [
          { check: "registered", ok: true },
          { check: "ready for payments", ok: reason === undefined, ...(reason ? { note: reason.message, hint: reason.hint } : {}) },
        ];
      }, signal),
    close: () => line.close(),
  };
}
