import type { PreparedPrint, PrintOutcome, PrintSteps } from "../../../contracts/printer.js";
import { concatBytes } from "../../../kernel/bytes.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import { ASK_IN_TURN, askProcessId } from "./codec.js";
import { type Baseline, countCuts, passBarrier, takeBaseline } from "./evidence.js";
import type { LaidOut } from "./layout.js";
import type { Features } from "./profiles.js";
import { askSerial, inTurnByte, learn, newProcessId, processIdIs } from "./questions.js";
import { sendBlindly, sendSegments } from "./sending.js";
import { bandBytes, initialBytes, type Session } from "./session.js";
import { obstacle } from "./status.js";

/** What `prepare` hands out. */
export interface PreparedReceipt extends PreparedPrint {
  readonly laidOut: LaidOut;
}

/** Nothing can be asked: no claims of any kind. */
export const DEAF: Features = { autoStatus: false, processId: false, inTurn: false, counter: undefined };

/** Rounds of silence that are waited out, the printer saying that all is well, before its counter is asked instead. */
const CONFIRM_ROUNDS = 2;
/** The slowest printers do 50 mm, 400 rows, in a second. */
const SLOW_ROWS_PER_MS = 0.4;

/** Asks the printer how it is, and what it can tell if that is not known yet. The reason where it cannot print now. */
export async function preflight(session: Session): Promise<DeviceError | undefined> {
  const { talk, watch, config, device, random, clock } = session;
  if (config.oneWay) {
    session.features = DEAF;
    return undefined;
  }
  const signs = await watch.refresh();
  if (!signs) {
    const reason = new DeviceError("device_absent", { device, message: "no answer" });
    talk.fail(reason);
    return reason;
  }
  const reason = obstacle(signs, device);
  if (reason) return reason;
  if (!session.features) {
    session.features = await learn(talk, config, random, clock, bandBytes(config));
    await talk.send(initialBytes(session.features));
    if (session.features.processId) session.serial = await askSerial(talk, config.replyMs);
  }
  return undefined;
}

/** See `Printer.print`. */
export async function printReceipt(
  session: Session,
  { laidOut }: PreparedReceipt,
  steps: PrintSteps,
  signal: AbortSignal,
): Promise<PrintOutcome> {
  steps.progress("checking");
  const begun = await begin(session, laidOut, steps, signal);
  return "baseline" in begun ? await send(session, laidOut, steps, begun.baseline) : begun;
}

/** Up to the durable mark before the first byte: whatever goes wrong, nothing has left. */
async function begin(
  session: Session,
  laidOut: LaidOut,
  steps: PrintSteps,
  signal: AbortSignal,
): Promise<PrintOutcome | { readonly baseline: Baseline }> {
  const { device } = session;
  try {
    signal.throwIfAborted();
    const refusal = await preflight(session);
    if (refusal) return { state: "not_started", reason: refusal };
    const baseline = await takeBaseline(session, session.features ?? DEAF, laidOut.cuts, laidOut.padBytes);
    if (!baseline) throw new DeviceError("device_fault", { device, message: "the printer does not tell its cutter counter" });
    signal.throwIfAborted();
    await steps.sending(baseline);
    return { baseline };
  } catch (thrown) {
    return { state: "not_started", reason: asDeviceError(thrown, "device_fault", { device }) };
  }
}

/** From the first byte on. Rejects when the talk ends. */
async function send(session: Session, laidOut: LaidOut, steps: PrintSteps, baseline: Baseline): Promise<PrintOutcome> {
  const { talk, watch, random, log } = session;
  const features = session.features ?? DEAF;
  let stage: "sending" | "confirming" = "sending";
  using _guard = watch.guard({
    pushes: features.autoStatus,
    reachable: features.inTurn,
    onStop: (stopped) => steps.progress(stopped ? "waiting_for_person" : stage),
  });
  const onWait = (): void => steps.progress("waiting_for_person");
  const onProgress = (fraction: number): void => steps.progress("sending", fraction);
  await sendSegments(session, features, [{ bytes: initialBytes(features) }, ...laidOut.body], { onWait, onProgress });
  // Without the mark the tail must not leave. Whether it is on disk nobody knows then, so the torn receipt is not voided here,
  // where its cut might later be taken for the tail's, but by `resolve`, behind a mark of its own.
  await steps.finishing();
  await watch.untilClear(onWait);
  const id = newProcessId(random);
  using confirmed = talk.expect(features.processId ? processIdIs(id) : inTurnByte);
  await sendBlindly(session, features, concatBytes([laidOut.tail, lastQuestion(features, id)]), { onWait, onProgress });
  // All has left; a journal that cannot say so knows less than it could, but nothing wrong.
  await steps.sent().catch((thrown: unknown) => log.warn("mark lost", { step: "sent", kind: asDeviceError(thrown).kind }));
  stage = "confirming";
  steps.progress(stage);
  return await confirm(session, features, laidOut, baseline, confirmed.reply, onWait);
}

function lastQuestion(features: Features, id: string): Uint8Array {
  if (features.processId) return askProcessId(id);
  return features.inTurn ? ASK_IN_TURN : new Uint8Array();
}

async function confirm(
  session: Session,
  features: Features,
  laidOut: LaidOut,
  baseline: Baseline,
  reply: Promise<true>,
  onWait: () => void,
): Promise<PrintOutcome> {
  const { talk, watch, clock, config, device } = session;
  if (config.oneWay) return { state: "sent" };
  const printingMs = laidOut.rows / SLOW_ROWS_PER_MS;
  if (!features.processId && !features.inTurn) {
    await clock.sleep(printingMs, talk.signal);
    await cleanStatus(session, onWait);
    return { state: "printed", confirmation: "inferred" };
  }
  const rounds = CONFIRM_ROUNDS + (features.inTurn ? 0 : Math.ceil(printingMs / config.silenceMs));
  if (await watch.patiently(reply, rounds, onWait)) {
    if (features.processId) return { state: "printed", confirmation: "confirmed" };
    await cleanStatus(session, onWait);
    return { state: "printed", confirmation: "inferred" };
  }
  // The answer was lost, or the printer restarted and forgot the question: its counter knows which.
  const cuts = (await passBarrier(session, features, onWait)) ? await countCuts(session, baseline) : "gone";
  if (cuts === "whole") return { state: "printed", confirmation: "confirmed" };
  if (cuts === "gone")
    return { state: "unknown", reason: new DeviceError("device_fault", { device, message: "the printer did not confirm" }) };
  const reason = new DeviceError("device_absent", { device, message: "the printer lost the end of the receipt" });
  talk.fail(reason);
  throw reason;
}

/** Returns once the printer says of itself that all is well; one that says nothing is lost. Waits while somebody has to act. */
async function cleanStatus({ talk, watch, clock, config, device }: Session, onWait: () => void): Promise<void> {
  for (let silent = 0; silent <= CONFIRM_ROUNDS; ) {
    const signs = await watch.refresh();
    if (signs && !obstacle(signs, device)) return;
    if (signs) await watch.untilClear(onWait);
    else {
      silent++;
      await clock.sleep(config.silenceMs, talk.signal);
    }
  }
  const reason = new DeviceError("device_absent", { device, message: "no answer after the receipt" });
  talk.fail(reason);
  throw reason;
}
