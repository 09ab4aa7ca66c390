import type { InterruptedPrint, PrintOutcome } from "../../../contracts/printer.js";
import { DeviceError } from "../../../kernel/errors.js";
import { encode } from "./encoder.js";
import { type Baseline, countCuts, featuresOf, parseBaseline, passBarrier } from "./evidence.js";
import { DEAF } from "./print.js";
import type { Features } from "./profiles.js";
import { learn } from "./questions.js";
import { sendSegments } from "./sending.js";
import { bandBytes, initialBytes, type Session } from "./session.js";
import { voidTorn } from "./voiding.js";

const PAD_BYTES = 512;

/**
 * What became of a job that was broken off, by these facts:
 * - Up to `finishing` the tail never left, so the last cut was never made: torn, whatever else happened.
 * - From then on the cutter's counter tells, read behind a barrier: what the printer still had is then on paper. It is kept
 *   through a power cut, and only the tail makes the last cut.
 * - Without a counter nothing tells: an answer of now does not say whether the printer was off in between. That is `unknown`.
 */
export async function resolvePrint(
  session: Session,
  job: InterruptedPrint,
  voiding: () => Promise<void>,
  signal: AbortSignal,
): Promise<PrintOutcome> {
  const { config, watch } = session;
  const baseline = parseBaseline(job.baseline);
  if (config.oneWay) return await resolveBlindly(session, job, voiding, signal);
  if (!baseline) return { state: "unknown", reason: lostEvidence(session, "the job began on another driver") };

  const onWait = (): void => {}; // the watch reports what a person has to do
  await watch.refresh();
  await watch.untilClear(onWait);
  // What the printer could tell at the job's beginning it can tell now; a hurried opening may have heard less.
  let features = featuresOf(baseline);
  using _guard = watch.guard({ pushes: false, reachable: true });
  await bringIntoStep(session, features, baseline, onWait);
  let inStep = await passBarrier(session, features, onWait);
  if (!inStep && (features.processId || features.inTurn)) {
    // Another, lesser printer may stand in its place: what it cannot tell is not waited for.
    features = await learn(session.talk, config, session.random, session.clock, bandBytes(config));
    await session.talk.send(initialBytes(features));
    inStep = await passBarrier(session, features, onWait);
  }
  session.features = features;

  const cuts = job.step === "finishing" || job.step === "sent" ? (inStep ? await countCuts(session, baseline) : "gone") : "torn";
  if (cuts === "whole") return { state: "printed", confirmation: "confirmed" };
  if (cuts === "gone") {
    await separate(session, features, onWait);
    return { state: "unknown", reason: lostEvidence(session, "the printer keeps no count of its receipts") };
  }
  if (job.step !== "voiding") await voiding();
  await voidTorn(session, features, onWait, signal);
  return { state: "failed", reason: torn(session) };
}

/**
 * Ends whatever command was broken off. Zeros complete a raster with white and are ignored elsewhere; the cut of a tail is fed
 * beforehand and `GS V 0` is a cut too, so completing that one is harmless. They go in small pieces, behind an obstacle if there is one.
 */
async function bringIntoStep(session: Session, features: Features, { padBytes }: Baseline, onWait: () => void): Promise<void> {
  for (let sent = 0; sent < padBytes; sent += PAD_BYTES) {
    await session.watch.untilClear(onWait);
    await session.talk.send(new Uint8Array(PAD_BYTES));
  }
  await session.talk.send(initialBytes(features));
}

/** Nobody knows whether the last receipt was cut off: an empty slip is better than two receipts on one piece of paper. */
async function separate(session: Session, features: Features, onWait: () => void): Promise<void> {
  const bytes = encode((encoder) => encoder.cut(true, session.config.cutFeedLines));
  await sendSegments(session, features, [{ bytes }], { onWait, onProgress() {} });
}

/** A printer that only listens. */
async function resolveBlindly(
  session: Session,
  job: InterruptedPrint,
  voiding: () => Promise<void>,
  signal: AbortSignal,
): Promise<PrintOutcome> {
  const baseline = parseBaseline(job.baseline);
  if (job.step === "sent") return { state: "sent" };
  if (baseline) await bringIntoStep(session, DEAF, baseline, () => {});
  if (job.step === "finishing") {
    await separate(session, DEAF, () => {});
    return { state: "unknown", reason: lostEvidence(session, "the wire carries nothing back") };
  }
  if (job.step !== "voiding") await voiding();
  await voidTorn(session, DEAF, () => {}, signal);
  return { state: "failed", reason: torn(session) };
}

function torn({ device }: Session): DeviceError {
  return new DeviceError("device_fault", {
    device,
    message: "the printer got only a part of the receipt",
    hint: "Print it again: the torn one was marked BẢN IN HỎNG and cut off",
  });
}

function lostEvidence({ device }: Session, message: string): DeviceError {
  return new DeviceError("device_fault", { device, message, hint: "Look whether the receipt came out before it is printed again" });
}
