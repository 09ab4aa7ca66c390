import type { JobOutcome, JobRecord } from "./types.js";

/** A row of the table `job`. */
export interface JobRow {
  readonly id: string;
  readonly kind: JobRecord["kind"];
  readonly device: string;
  readonly principal: string;
  readonly idempotency_key: string;
  readonly request_hmac: string;
  readonly step: string;
  readonly outcome: string | null;
  readonly ended: number;
  readonly evidence: string;
  readonly created_at: number;
  readonly updated_at: number;
}

export function recordOf(row: JobRow): JobRecord {
  return {
    id: row.id,
    kind: row.kind,
    device: row.device,
    principal: row.principal,
    idempotencyKey: row.idempotency_key,
    requestHmac: row.request_hmac,
    step: row.step,
    outcome: row.outcome === null ? undefined : (JSON.parse(row.outcome) as JobOutcome),
    evidence: JSON.parse(row.evidence) as JobRecord["evidence"],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** In the order of the table's columns. */
export function rowOf(record: JobRecord): (string | number | null)[] {
  return [
    record.id,
    record.kind,
    record.device,
    record.principal,
    record.idempotencyKey,
    record.requestHmac,
    record.step,
    outcomeText(record.outcome),
    endedFlag(record.outcome),
    JSON.stringify(record.evidence),
    record.createdAt,
    record.updatedAt,
  ];
}

export function outcomeText(outcome: JobOutcome | undefined): string | null {
  return outcome === undefined ? null : JSON.stringify(outcome);
}

/** A job whose outcome may still change is open. */
export function endedFlag(outcome: JobOutcome | undefined): number {
  return outcome?.final === true ? 1 : 0;
}
