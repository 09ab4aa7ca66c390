import { createHash } from "node:crypto";
import type { PrintBaseline } from "../../../contracts/printer.js";
import { z } from "../../../kernel/schema.js";
import { ASK_IN_TURN, askProcessId } from "./codec.js";
import { CUT_COUNTERS, type Features } from "./profiles.js";
import { askSerial, inTurnByte, newProcessId, processIdIs, readCounter } from "./questions.js";
import type { Session } from "./session.js";

/**
 * What is noted before the first byte of a job. The cutter's counter outlives a power cut, and only the tail of a job makes
 * its last cut: the counter tells whether a receipt is whole whatever happened to the link, the agent or the printer.
 */
const Baseline = z.object({
  /** Counter number and value, where the printer has one and the job's cuts can be counted. */
  counter: z.literal(CUT_COUNTERS).nullable(),
  value: z.int().nullable(),
  /** Cuts of the whole receipt. */
  cuts: z.int().nullable(),
  /** Fingerprint of the serial number, whatever letters a maker puts into one. */
  serial: z.string().nullable(),
  padBytes: z.int().min(0).max(1_000_000),
  autoStatus: z.boolean(),
  processId: z.boolean(),
  inTurn: z.boolean(),
});
export type Baseline = z.infer<typeof Baseline>;

/** Undefined: not a baseline of this driver (the device was another one when the job began). */
export function parseBaseline(baseline: PrintBaseline): Baseline | undefined {
  const parsed = Baseline.safeParse(baseline);
  return parsed.success ? parsed.data : undefined;
}

export function featuresOf({ autoStatus, processId, inTurn, counter }: Baseline): Features {
  return { autoStatus, processId, inTurn, counter: counter ?? undefined };
}

/** Undefined: the printer has a counter and does not tell it, so the job must not begin. */
export async function takeBaseline(
  session: Session,
  features: Features,
  cuts: number | undefined,
  padBytes: number,
): Promise<Baseline | undefined> {
  const { autoStatus, processId, inTurn, counter } = features;
  const facts: Baseline = {
    padBytes,
    autoStatus,
    processId,
    inTurn,
    serial: fingerprint(session.serial),
    counter: null,
    value: null,
    cuts: null,
  };
  if (counter === undefined || cuts === undefined) return facts;
  const value = await readCounter(session.talk, counter, session.config.replyMs);
  return value === undefined ? undefined : { ...facts, counter, value, cuts };
}

function fingerprint(serial: string | undefined): string | null {
  return serial === undefined ? null : createHash("sha256").update(serial).digest("hex").slice(0, 16);
}

const BARRIER_TRIES = 3;

/**
 * Waits until the printer has done all it was sent. Answers of earlier questions come before this one's, so afterwards none is
 * under way. False: it does not say, though it says that all is well.
 */
export async function passBarrier(session: Session, features: Features, onWait: () => void): Promise<boolean> {
  const { talk, watch, random } = session;
  if (!features.processId && !features.inTurn) return false;
  for (let tries = 0; tries < BARRIER_TRIES; tries++) {
    await watch.untilClear(onWait);
    const id = newProcessId(random);
    using expected = talk.expect(features.processId ? processIdIs(id) : inTurnByte);
    await talk.send(features.processId ? askProcessId(id) : ASK_IN_TURN);
    if (await watch.patiently(expected.reply, 1, onWait)) return true;
  }
  return false;
}

/** `whole`: every cut of the job was made. `torn`: certainly not. `gone`: nothing tells. Only behind a barrier. */
export async function countCuts(session: Session, baseline: Baseline): Promise<"whole" | "torn" | "gone"> {
  const { counter, value, cuts, serial } = baseline;
  if (counter === null || value === null || cuts === null) return "gone";
  // Another printer in its place knows nothing of this job.
  if (serial !== null) {
    session.serial ??= await askSerial(session.talk, session.config.replyMs);
    if (fingerprint(session.serial) !== serial) return "gone";
  }
  const now = await readCounter(session.talk, counter, session.config.replyMs);
  if (now === undefined || now < value) return "gone";
  return now - value >= cuts ? "whole" : "torn";
}
