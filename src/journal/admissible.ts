import { DeviceError, ERROR_KINDS, type ErrorObject, type Json } from "../kernel/errors.js";
import type { JobOutcome, JobPatch, JobRecord } from "./types.js";

/*
 * The journal outlives the citizen's visit, so what a person typed, scanned or reads on paper must not get in. Every field is a
 * number, a word of the code or a short token: blanks and letters beyond ASCII, that is prose and names, fit in none of them.
 */
const WORD = /^[a-z][a-z0-9_]{0,39}$/;
const TOKEN = /^[\x21-\x7e]{1,256}$/;
const NAME = /^\w{1,40}$/;
const FACT = /^[\w.:+/-]{0,64}$/;
/** The code's own English. */
const PHRASE = /^[\x20-\x7e]{0,240}$/;
const EVIDENCE_BYTES = 2_048;

function refuse(field: string): never {
  throw new DeviceError("internal", { message: `the journal takes no free text: ${field}` });
}

function requireMatch(pattern: RegExp, field: string, text: string | undefined): void {
  if (text !== undefined && !pattern.test(text)) refuse(field);
}

function requireFacts(field: string, value: Json): void {
  if (typeof value === "string") requireMatch(FACT, field, value);
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value as { readonly [key: string]: Json })) {
    requireMatch(NAME, `${field}: name of a fact`, key);
    requireFacts(`${field}.${key}`, inner);
  }
}

function requireEvidence(evidence: JobRecord["evidence"] | undefined): void {
  if (evidence === undefined) return;
  if (JSON.stringify(evidence).length > EVIDENCE_BYTES) refuse("evidence, too long");
  requireFacts("evidence", evidence);
}

/** Message and hint are kept where they are the code's own words, and are otherwise said in the kind's general ones. */
function admitReason(reason: ErrorObject): ErrorObject {
  requireMatch(TOKEN, "reason.device", reason.device);
  return {
    kind: reason.kind,
    retryable: reason.retryable,
    message: PHRASE.test(reason.message) ? reason.message : reason.kind.replaceAll("_", " "),
    hint: PHRASE.test(reason.hint) ? reason.hint : ERROR_KINDS[reason.kind].hint,
    ...(reason.device === undefined ? {} : { device: reason.device }),
  };
}

function admitOutcome(outcome: JobOutcome): JobOutcome {
  requireMatch(WORD, "outcome.state", outcome.state);
  requireMatch(WORD, "outcome.confirmation", outcome.confirmation);
  return {
    state: outcome.state,
    final: outcome.final,
    ...(outcome.confirmation === undefined ? {} : { confirmation: outcome.confirmation }),
    ...(outcome.reason === undefined ? {} : { reason: admitReason(outcome.reason) }),
  };
}

/**
 * The record as it may be written; a reason's `details` are left out.
 * @throws DeviceError `internal` where a field could hold a person's words
 */
export function admitRecord(record: JobRecord): JobRecord {
  for (const field of ["id", "device", "idempotencyKey", "requestHmac"] as const) requireMatch(TOKEN, field, record[field]);
  requireMatch(WORD, "step", record.step);
  requireEvidence(record.evidence);
  return { ...record, outcome: record.outcome && admitOutcome(record.outcome) };
}

/** @throws DeviceError `internal` where a field could hold a person's words */
export function admitPatch(patch: JobPatch): JobPatch {
  requireMatch(WORD, "step", patch.step);
  requireEvidence(patch.evidence);
  return { ...patch, ...(patch.outcome === undefined ? {} : { outcome: admitOutcome(patch.outcome) }) };
}
