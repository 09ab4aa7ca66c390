import assert from "node:assert/strict";
import type { DriverContext } from "../../../contracts/driver.js";
import type { PreparedPrint, Printer } from "../../../contracts/printer.js";
import { raceSignal } from "../../../kernel/deadline.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { EscposConfig } from "./config.js";
import { encode } from "./encoder.js";
import { passBarrier } from "./evidence.js";
import { layOut, toBytes } from "./layout.js";
import { DEAF, type PreparedReceipt, preflight, printReceipt } from "./print.js";
import { profileOf } from "./profiles.js";
import { askNames } from "./questions.js";
import { resolvePrint } from "./resolve.js";
import { selfTest } from "./self-test.js";
import { sendSegments } from "./sending.js";
import type { Session } from "./session.js";
import { statusOf, UNKNOWN_STATUS } from "./status.js";
import { startTalk } from "./talk.js";
import { deafWatch, startWatch } from "./watch.js";

const CAPABILITIES_VERSION = 1;

export async function open(config: EscposConfig, context: DriverContext): Promise<Printer> {
  const { device, clock, random, log, imaging, simulated, signal } = context;
  const link = await context.connect(signal);
  const talk = startTalk(link, clock, device);
  const watch = config.oneWay
    ? deafWatch(context)
    : startWatch(talk, { device, clock, config, report: (condition) => context.report(condition) });
  const session: Session = { device, config, clock, random, log, imaging, simulated, talk, watch, features: undefined, serial: undefined };
  const onAbort = (): void => void talk.close();
  signal.addEventListener("abort", onAbort, { once: true });
  talk.signal.addEventListener("abort", () => signal.removeEventListener("abort", onAbort), { once: true });
  try {
    const refusal = await raceSignal(preflight(session), signal);
    if (refusal?.kind === "device_absent") {
      const hint = "Check cable and power; if the cable has no line back, set oneWay = true";
      throw new DeviceError("device_absent", { device, message: refusal.message, hint });
    }
    const names = session.features?.processId ? await raceSignal(askNames(talk, config.replyMs), signal) : {};
    session.serial ??= names.serial;
    if (!refusal) watch.report({ state: "ready" });
    const { processId, inTurn, counter, autoStatus } = session.features ?? DEAF;
    return printer(session, names, {
      version: CAPABILITIES_VERSION,
      widthDots: config.widthDots,
      confirmation: config.oneWay ? "none" : processId || counter !== undefined ? "confirmed" : "inferred",
      autoStatus,
      cutterCounter: counter ?? null,
      acknowledges: inTurn,
      nativeCodes: profileOf(config).nativeCodes,
    });
  } catch (thrown) {
    await talk.close();
    throw thrown;
  }
}

function printer(session: Session, identity: Printer["identity"], capabilities: Printer["capabilities"]): Printer {
  const { talk, watch, config, imaging, device } = session;
  return {
    identity,
    capabilities,
    lost: talk.ended,
    async prepare(document, marks, signal) {
      const laidOut = toBytes(await layOut(document, marks, config, "device", imaging, signal), config);
      const prepared: PreparedReceipt = { byteLength: laidOut.byteLength, laidOut };
      return prepared;
    },
    print: (prepared, steps, signal) => printReceipt(session, receipt(prepared), steps, signal),
    resolve: (job, voiding, signal) => resolvePrint(session, job, voiding, signal),
    async status(signal) {
      if (config.oneWay) return UNKNOWN_STATUS;
      const signs = await raceSignal(watch.refresh(), signal);
      if (!signs) throw new DeviceError("device_absent", { device, message: "no answer" });
      return statusOf(signs);
    },
    async cut(signal) {
      const refusal = await raceSignal(preflight(session), signal);
      if (refusal) throw refusal;
      const features = session.features ?? DEAF;
      const bytes = encode((encoder) => encoder.cut(true, config.cutFeedLines));
      const work = sendSegments(session, features, [{ bytes }], { onWait() {}, onProgress() {} }).then(() =>
        passBarrier(session, features, () => {}),
      );
      await raceSignal(work, signal);
    },
    selfTest: (signal) => selfTest(session, signal),
    close: () => talk.close(),
  };
}

function receipt(prepared: PreparedPrint): PreparedReceipt {
  assert("laidOut" in prepared, "prepared by another driver");
  return prepared as PreparedReceipt;
}
