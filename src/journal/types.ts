import type { ErrorObject, Json } from "../kernel/errors.js";

/** One thing that must not happen twice. Holds no document, no text, no citizen's data. */
export interface JobRecord {
  /** Random, 128 bits, hexadecimal. */
  readonly id: string;
  readonly kind: "print" | "payment";
  readonly device: string;
  readonly principal: string;
  readonly idempotencyKey: string;
  /** HMAC-SHA-256 of the canonical request under the station's key, hexadecimal. */
  readonly requestHmac: string;
  /** The kind's own step, e.g. print: queued → sending → finishing → sent → ended. */
  readonly step: string;
  /** How it ended, or undefined while open. */
  readonly outcome: JobOutcome | undefined;
  /** Facts noted before the first byte, to compare with afterwards, and marks such as `reprint`: numbers, booleans and short tokens without blanks. */
  readonly evidence: { readonly [key: string]: Json };
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface JobOutcome {
  readonly state: string;
  readonly final: boolean;
  readonly confirmation?: string;
  readonly reason?: ErrorObject;
}

export interface JobPatch {
  readonly step?: string;
  readonly outcome?: JobOutcome;
  readonly evidence?: JobRecord["evidence"];
  readonly updatedAt: number;
}

export interface ListFilter {
  readonly kind?: JobRecord["kind"];
  readonly principal?: string;
  readonly device?: string;
  /** Without an outcome, or with one that is not final. */
  readonly open?: boolean;
  /** Payments of the business day of this number. Looks at each. */
  readonly day?: number;
  /** Ended under manual review. */
  readonly inReview?: true;
  /** Payments whose purpose (`baseline.purpose`) is somewhere in this text of capitals and digits. Looks at each. */
  readonly purposeIn?: string;
  readonly limit: number;
}

/** Milliseconds since the epoch. */
export type PruneBefore = { readonly [K in JobRecord["kind"]]: number };

/**
 * Durable records. Every method rejects with DeviceError `journal_unavailable` where the store cannot be read or written;
 * a write that resolved has been fsynced.
 */
export interface Journal {
  /** Inserts, or hands back the record that has this principal and key already. */
  begin(record: JobRecord): Promise<{ readonly existing: JobRecord | undefined }>;
  /** Updates and appends to the job's history of steps. */
  advance(id: string, patch: JobPatch): Promise<void>;
  byKey(principal: string, idempotencyKey: string): Promise<JobRecord | undefined>;
  byId(id: string): Promise<JobRecord | undefined>;
  /** Newest first. */
  list(filter: ListFilter): Promise<readonly JobRecord[]>;
  /** Number of the newest business day of this device that has ended (`day` of the payment with `dayClosed`); 0: none has. */
  closedDay(device: string): Promise<number>;
  /**
   * Forgets ended jobs last changed before the instant of their kind. Open ones stay, and so do payments under review, a payment and its
   * reversals as long as one of them does, and of each device the payment that tells its newest ended business day.
   */
  prune(before: PruneBefore): Promise<number>;
  close(): Promise<void>;
}

/** Opens lazily on first use, in a worker thread. `folder` holds `journal.sqlite`. */
export type OpenJournal = (folder: string) => Journal;
