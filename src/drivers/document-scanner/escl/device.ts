import type { DocumentScanner } from "../../../contracts/document-scanner.js";
import type { DriverContext } from "../../../contracts/driver.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { HttpLink } from "../../../kernel/http.js";
import { decodeCapabilities, describeCapabilities, type ScannerCapabilities } from "./capabilities.js";
import type { EsclConfig } from "./config.js";
import { scan } from "./job.js";
import { type Session, startSession } from "./session.js";

/** Questions in a row without an answer, after which the scanner is gone. */
const MOST_MISSES = 3;
const ASK_AGAIN_MS = 2_000;

export async function open(config: EsclConfig, context: DriverContext<HttpLink>): Promise<DocumentScanner> {
  const { device, clock, log, signal } = context;
  signal.throwIfAborted();
  const link = await context.connect(signal);
  const session = startSession({ device, config, clock, log, link, report: (condition) => context.report(condition) });
  const onAbort = (): void => void session.close();
  signal.addEventListener("abort", onAbort, { once: true });
  session.signal.addEventListener("abort", () => signal.removeEventListener("abort", onAbort), { once: true });
  try {
    signal.throwIfAborted();
    const capabilities = decodeCapabilities(await session.read("ScannerCapabilities", signal));
    // A scanner that has no time is there all the same.
    await session.status(signal).catch((thrown: unknown) => (isBusy(thrown) ? undefined : Promise.reject(thrown)));
    return scanner(session, capabilities);
  } catch (thrown) {
    await session.close();
    signal.throwIfAborted();
    throw asDeviceError(thrown, "internal", { device });
  }
}

const isBusy = (thrown: unknown): boolean => thrown instanceof DeviceError && thrown.kind === "busy";

function scanner(session: Session, capabilities: ScannerCapabilities): DocumentScanner {
  const { device } = session;
  watch(session).catch((thrown) => session.fail(asDeviceError(thrown, "internal", { device })));
  return {
    identity: {
      ...(capabilities.model === undefined ? {} : { model: capabilities.model }),
      ...(capabilities.serial === undefined ? {} : { serial: capabilities.serial }),
    },
    capabilities: describeCapabilities(capabilities),
    lost: session.ended,
    scan: (order, steps, signal) => session.alone(() => scan(session, capabilities, order, steps, signal)),
    async selfTest(signal) {
      session.signal.throwIfAborted();
      try {
        const { state } = await session.status(signal);
        return [{ check: "answers", ok: state !== "Stopped" && state !== "Down", ...(/^\w{1,32}$/.test(state) ? { note: state } : {}) }];
      } catch (thrown) {
        signal.throwIfAborted();
        session.signal.throwIfAborted();
        const { message, hint } = asDeviceError(thrown, "internal");
        return [{ check: "answers", ok: false, note: message, hint }];
      }
    },
    close: () => session.close(),
  };
}

/** Nothing tells that the scanner is gone but questions without an answer. @throws DeviceError then, or the session's end */
async function watch(session: Session): Promise<never> {
  const { clock, config, signal } = session;
  for (let missed = 0; ; ) {
    await clock.sleep(missed === 0 ? config.pollMs : Math.min(config.pollMs, ASK_AGAIN_MS), signal);
    if (session.scanning) continue;
    try {
      await session.status(signal);
      missed = 0;
    } catch (thrown) {
      signal.throwIfAborted();
      if (isBusy(thrown)) missed = 0;
      else if (++missed >= MOST_MISSES) throw thrown;
    }
  }
}
