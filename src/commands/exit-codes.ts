import type { ErrorKind } from "../kernel/errors.js";
import type { Job } from "../protocol/jobs.js";

/** What the `stationd` command ends with. The table in docs/operations.md is made from this one. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: "done" },
  failed: { code: 1, meaning: "it could not be done: the message says why" },
  usage: { code: 2, meaning: "the command line is wrong" },
  unreachable: { code: 3, meaning: "no agent answers, or it went away" },
  device: { code: 4, meaning: "a device is missing, busy or needs a person (paper, cover), or nothing happened in time" },
  unknownOutcome: { code: 5, meaning: "nobody can tell (yet) whether it happened: ask `stationd jobs get KEY`" },
  refused: { code: 6, meaning: "the agent does not let this caller do that" },
  config: { code: 78, meaning: "the configuration has problems: each is listed with its line" },
  interrupted: { code: 130, meaning: "stopped by Ctrl-C" },
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES]["code"];

type Outcome = keyof typeof EXIT_CODES;

const OUTCOME_OF_KIND: Readonly<Record<ErrorKind | "connection_lost" | "blob_damaged" | "simulated_agent", Outcome>> = {
  invalid_request: "failed",
  invalid_params: "failed",
  method_not_found: "failed",
  internal: "failed",
  unauthorized: "refused",
  forbidden: "refused",
  protocol_mismatch: "refused",
  simulated_agent: "refused",
  unknown_device: "failed",
  job_not_found: "failed",
  unsupported: "failed",
  busy: "device",
  maintenance: "device",
  timeout: "device",
  canceled: "interrupted",
  too_large: "failed",
  rate_limited: "failed",
  idempotency_conflict: "failed",
  device_absent: "device",
  device_fault: "device",
  paper_out: "device",
  cover_open: "device",
  paper_jam: "device",
  card_absent: "device",
  card_removed: "device",
  card_unsupported: "device",
  mrz_required: "failed",
  access_denied: "device",
  card_error: "device",
  scan_empty: "device",
  feeder_empty: "device",
  document_jam: "device",
  terminal_busy: "device",
  payment_unresolved: "unknownOutcome",
  camera_lost: "device",
  quality_rejected: "device",
  journal_unavailable: "failed",
  shutting_down: "unreachable",
  connection_lost: "unreachable",
  blob_damaged: "failed",
};

/** A kind that only a newer agent knows counts as failed. */
export function exitCodeOfKind(kind: string): ExitCode {
  const outcomes: Readonly<Record<string, Outcome>> = OUTCOME_OF_KIND;
  return EXIT_CODES[(Object.hasOwn(outcomes, kind) ? outcomes[kind] : undefined) ?? "failed"].code;
}

/** A job that has not ended counts as unknown. */
export function exitCodeOfJob({ state, final, reason }: Pick<Job, "state" | "final" | "reason">): ExitCode {
  if (!final || state === "unknown" || state === "manual_review") return EXIT_CODES.unknownOutcome.code;
  if (state === "printed" || state === "sent" || state === "approved" || state === "reversed") return EXIT_CODES.ok.code;
  return reason ? exitCodeOfKind(reason.kind) : EXIT_CODES.failed.code;
}

/** The table of docs/operations.md. */
export function exitCodeTable(): string {
  return ["| code | meaning |", "|---|---|", ...Object.values(EXIT_CODES).map(({ code, meaning }) => `| ${code} | ${meaning} |`)].join(
    "\n",
  );
}
