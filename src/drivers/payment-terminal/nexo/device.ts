import type { DriverContext } from "../../../contracts/driver.js";
import type { PaymentTerminal } from "../../../contracts/payment-terminal.js";
import { raceSignal } from "../../../kernel/deadline.js";
import { asDeviceError, type DeviceError } from "../../../kernel/errors.js";
import type { HttpLink } from "../../../kernel/http.js";
import type { NexoConfig } from "./config.js";
import { deriveKey } from "./envelope.js";
import { diagnose, reportStatus } from "./questions.js";
import { resolvePayment } from "./resolve.js";
import { reverse } from "./reverse.js";
import { pay } from "./sale.js";
import { type Session, startSession } from "./session.js";
import { totals } from "./totals.js";

const CAPABILITIES_VERSION = 1;

export async function open(config: NexoConfig, context: DriverContext<HttpLink>): Promise<PaymentTerminal> {
  const { device, clock, random, log, signal } = context;
  signal.throwIfAborted();
  const key = await deriveKey(config.passphrase, config);
  const link = await context.connect(signal);
  const session = startSession({ device, config, clock, random, log, link, key, report: (condition) => context.report(condition) });
  const onAbort = (): void => void session.close();
  signal.addEventListener("abort", onAbort, { once: true });
  session.signal.addEventListener("abort", () => signal.removeEventListener("abort", onAbort), { once: true });
  try {
    signal.throwIfAborted();
    await raceSignal(reportStatus(session), signal);
  } catch (thrown) {
    await session.close();
    throw asDeviceError(thrown, "internal", { device });
  }
  watch(session);
  return terminal(session);
}

/** Nothing tells that the terminal is gone but a question without an answer. */
function watch(session: Session): void {
  const { clock, config, signal } = session;
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(config.pollMs, signal);
      if (session.idle) await session.inTurn(() => reportStatus(session));
    }
  };
  loop().catch((thrown) => session.fail(thrown as DeviceError));
}

function terminal(session: Session): PaymentTerminal {
  const { config, device } = session;
  const asked = <T>(work: () => Promise<T>): Promise<T> =>
    session.inTurn(work).catch((thrown) => Promise.reject(asDeviceError(thrown, "internal", { device })));
  /** What reads only may be given up by the caller at any time. */
  const reading = async <T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> => {
    signal.throwIfAborted();
    return await raceSignal(
      asked(() => work(signal)),
      signal,
    );
  };
  return {
    identity: { serial: config.poiId },
    capabilities: {
      version: CAPABILITIES_VERSION,
      maxAmountVnd: config.maxAmountVnd,
      reverse: true,
      totalsWithoutClosing: true,
      receiptLines: true,
    },
    lost: session.ended,
    pay: (request, steps, signal) => asked(() => pay(session, request, steps, signal)),
    reverse: (payment, amountVnd, steps, signal) => asked(() => reverse(session, payment, amountVnd, steps, signal)),
    resolve: (payment, signal) => reading((limit) => resolvePayment(session, payment, limit), signal),
    totals: (close, signal) => reading((limit) => totals(session, close, limit), signal),
    selfTest: (signal) =>
      reading(async (limit) => {
        const reason = await diagnose(session, limit);
        return [
          { check: "answers, sealed with the shared key", ok: true },
          { check: "ready for payments", ok: reason === undefined, ...(reason ? { note: reason.message, hint: reason.hint } : {}) },
        ];
      }, signal),
    close: () => session.close(),
  };
}
