import type { InterruptedPrint, PrintBaseline, PrintOutcome } from "../contracts/printer.js";
import type { JobOutcome, JobRecord } from "../journal/types.js";
import { DeviceError, errorObject } from "../kernel/errors.js";
import type { PrintJob, PrintState } from "../protocol/jobs.js";

/** Durable steps of a print job. Before `sending` no byte left; before `finishing` the receipt cannot be whole. */
export type PrintStep = "queued" | InterruptedPrint["step"] | "ended";

export function jobOutcome(outcome: PrintOutcome): JobOutcome {
  return {
    state: outcome.state,
    final: true,
    ...(outcome.state === "printed" ? { confirmation: outcome.confirmation } : {}),
    ...("reason" in outcome ? { reason: errorObject(outcome.reason) } : {}),
  };
}

/** How far an interrupted job had come, or undefined where no byte of it left. */
export function interrupted(record: JobRecord): InterruptedPrint | undefined {
  const step = record.step as PrintStep;
  if (step === "queued" || step === "ended") return undefined;
  return { step, baseline: (record.evidence.baseline ?? {}) as PrintBaseline };
}

/**
 * A record as the wire shows it. `live`: this process is working on it. A queued record that nobody works on is of a
 * run that ended before it began: its document was never stored, so it never will begin.
 */
export function shownJob(record: JobRecord, live: { readonly connected: boolean } | undefined, simulated: boolean): PrintJob {
  const { state, final, confirmation, reason } = standing(record, live);
  return {
    kind: "print",
    job: record.id,
    idempotencyKey: record.idempotencyKey,
    device: record.device,
    state,
    final,
    ...(confirmation === undefined ? {} : { confirmation }),
    ...(record.evidence.reprint === true ? { reprint: true } : {}),
    ...(reason ? { reason: reason as NonNullable<PrintJob["reason"]> } : {}),
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    ...(simulated ? { simulated: true as const } : {}),
  };
}

function standing(
  record: JobRecord,
  live: { readonly connected: boolean } | undefined,
): { state: PrintState; final: boolean; confirmation?: "confirmed" | "inferred"; reason?: JobOutcome["reason"] } {
  if (record.outcome) {
    const { state, final, confirmation, reason } = record.outcome;
    return {
      state: state as PrintState,
      final,
      ...(confirmation === undefined ? {} : { confirmation: confirmation as "confirmed" | "inferred" }),
      ...(reason ? { reason } : {}),
    };
  }
  if (record.step === "queued") {
    return live
      ? { state: "queued", final: false }
      : { state: "not_started", final: true, reason: errorObject(stoppedBefore(record.device)) };
  }
  return live?.connected ? { state: "in_progress", final: false } : { state: "unknown", final: false };
}

export function stoppedBefore(device: string): DeviceError {
  return new DeviceError("shutting_down", { device, message: "the agent stopped before the job began", hint: "Ask again with a new key" });
}
