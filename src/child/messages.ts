import type { ErrorObject } from "../kernel/errors.js";

/** What crosses between a supervised child and its parent, structured-cloned. */
export type ToChild =
  | { readonly type: "ping" }
  | { readonly type: "call"; readonly id: number; readonly method: string; readonly args: unknown }
  | { readonly type: "cancel"; readonly id: number };

export type FromChild =
  /** The methods are registered: from here on the heartbeat counts. */
  | { readonly type: "ready" }
  | { readonly type: "pong" }
  | { readonly type: "result"; readonly id: number; readonly value: unknown }
  | { readonly type: "failure"; readonly id: number; readonly error: ErrorObject }
  | { readonly type: "event"; readonly name: string; readonly value: unknown }
  /** A fault of our own, just before the child ends because of it. */
  | { readonly type: "fault"; readonly stack: string };
