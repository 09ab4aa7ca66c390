import type { ErrorObject } from "../kernel/errors.js";
import type { JobPatch, JobRecord, ListFilter, PruneBefore } from "./types.js";

/** What crosses to the worker; one batch becomes one transaction. */
export type Request =
  | { readonly op: "begin"; readonly record: JobRecord }
  | { readonly op: "advance"; readonly id: string; readonly patch: JobPatch }
  | { readonly op: "byKey"; readonly principal: string; readonly idempotencyKey: string }
  | { readonly op: "byId"; readonly id: string }
  | { readonly op: "list"; readonly filter: ListFilter }
  | { readonly op: "closedDay"; readonly device: string }
  | { readonly op: "prune"; readonly before: PruneBefore };

/** Answers in the order of the batch. `value` is what the method of Journal resolves with. */
export type Reply = { readonly value: unknown } | { readonly error: ErrorObject };

export type ToWorker = { readonly batch: readonly Request[] } | "close";
/** After a failure the thread ends by itself. */
export type FromWorker = { readonly replies: readonly Reply[] } | { readonly failure: ErrorObject };
