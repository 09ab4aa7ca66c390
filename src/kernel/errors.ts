/**
 * The closed list of error kinds. `code` is the JSON-RPC code, `retryable` the default answer to
 * "may the caller try the same again by itself", `hint` what a technician can do about it.
 */
interface KindFacts {
  readonly code: number;
  readonly retryable: boolean;
  readonly hint: string;
}

export const ERROR_KINDS = {
  invalid_request: { code: -32600, retryable: false, hint: "Send one JSON-RPC 2.0 request object per text frame" },
  method_not_found: { code: -32601, retryable: false, hint: "See docs/protocol.md for the methods of this version" },
  invalid_params: { code: -32602, retryable: false, hint: "Correct the field that the message names" },
  internal: { code: -32603, retryable: false, hint: "A fault of the agent: send the log of this moment to its developers" },
  unauthorized: { code: -32001, retryable: false, hint: "Send a valid token in session.hello" },
  forbidden: { code: -32002, retryable: false, hint: "This role may not call this method" },
  protocol_mismatch: { code: -32003, retryable: false, hint: "Use a client of the protocol version that the agent lists" },
  unknown_device: { code: -32004, retryable: false, hint: "Name a device that devices.list shows" },
  job_not_found: { code: -32005, retryable: false, hint: "No job has this key: it was never accepted, or is older than the journal keeps" },
  unsupported: { code: -32006, retryable: false, hint: "The device or its driver cannot do this: see devices.capabilities" },
  busy: { code: -32007, retryable: true, hint: "Another session holds the device: wait, or release its claim" },
  maintenance: { code: -32008, retryable: true, hint: "The station is out of service: end maintenance mode first" },
  timeout: { code: -32009, retryable: true, hint: "Nothing happened within timeoutMs: check the device, or allow more time" },
  canceled: { code: -32010, retryable: true, hint: "The caller canceled the request" },
  too_large: { code: -32011, retryable: false, hint: "Send less: the limits are in the answer to session.hello" },
  rate_limited: { code: -32012, retryable: true, hint: "Too many requests at once: wait for answers before sending more" },
  idempotency_conflict: { code: -32013, retryable: false, hint: "This key was used for another request: take a new key" },
  device_absent: { code: -32014, retryable: true, hint: "Check the cable and the power of the device" },
  device_fault: { code: -32015, retryable: true, hint: "Switch the device off and on; if it stays, replace it" },
  paper_out: { code: -32016, retryable: true, hint: "Load paper and close the cover" },
  cover_open: { code: -32017, retryable: true, hint: "Close the cover" },
  paper_jam: { code: -32018, retryable: true, hint: "Open the cover, clear the paper at the cutter and close the cover" },
  card_absent: { code: -32019, retryable: true, hint: "Lay the card on the reader" },
  card_removed: { code: -32020, retryable: true, hint: "Leave the card on the reader until it is read" },
  card_unsupported: { code: -32021, retryable: false, hint: "This is not a chip ID card" },
  mrz_required: { code: -32022, retryable: false, hint: "This card opens only with its document number, birth date and expiry date" },
  access_denied: { code: -32023, retryable: false, hint: "The access key does not fit this card: scan the code of this very card" },
  card_error: { code: -32024, retryable: true, hint: "Clean the card, lay it flat and read again" },
  scan_empty: { code: -32025, retryable: true, hint: "Lay a page on the glass" },
  feeder_empty: { code: -32026, retryable: true, hint: "Put the pages into the feeder" },
  document_jam: { code: -32027, retryable: true, hint: "Open the feeder and remove the jammed page" },
  terminal_busy: { code: -32028, retryable: true, hint: "The payment terminal is doing something else: wait until it is idle" },
  payment_unresolved: { code: -32029, retryable: false, hint: "An earlier payment is unresolved: resolve it before a new sale" },
  camera_lost: { code: -32030, retryable: true, hint: "Check the camera's cable" },
  quality_rejected: { code: -32031, retryable: true, hint: "More light, a steady hand, and look at the camera" },
  journal_unavailable: { code: -32032, retryable: true, hint: "The journal cannot be written: check disk space and the state folder" },
  shutting_down: { code: -32033, retryable: true, hint: "The agent is stopping: reconnect in a moment" },
} as const satisfies Record<string, KindFacts>;

export type ErrorKind = keyof typeof ERROR_KINDS;

/** A value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface DeviceErrorOptions {
  readonly device?: string;
  readonly retryable?: boolean;
  /** What a technician can do about it, where the kind's own hint is not the best one. */
  readonly hint?: string;
  /** Facts for programs. Never a citizen's data. */
  readonly details?: Json;
  readonly message?: string;
  readonly cause?: unknown;
}

const BRAND = Symbol.for("stationd.DeviceError");

/** The only error that leaves a room. An impossible state is an assertion, not a DeviceError. */
export class DeviceError extends Error {
  /** The bundled command and a driver from outside hold two copies of this class: one is the other's error all the same. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== DeviceError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && BRAND in value;
  }

  readonly [BRAND] = true;
  override readonly name = "DeviceError";
  readonly kind: ErrorKind;
  readonly retryable: boolean;
  readonly hint: string;
  readonly device: string | undefined;
  readonly details: Json | undefined;

  constructor(kind: ErrorKind, options: DeviceErrorOptions = {}) {
    super(options.message ?? kind.replaceAll("_", " "), options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.retryable = options.retryable ?? ERROR_KINDS[kind].retryable;
    this.hint = options.hint ?? ERROR_KINDS[kind].hint;
    this.device = options.device;
    this.details = options.details;
  }
}

/** Structured-cloneable and JSON form of a DeviceError: what crosses a process or goes on the wire. */
export interface ErrorObject {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly retryable: boolean;
  readonly hint: string;
  readonly device?: string | undefined;
  readonly details?: Json | undefined;
}

export function errorObject(error: DeviceError): ErrorObject {
  return {
    kind: error.kind,
    message: error.message,
    retryable: error.retryable,
    hint: error.hint,
    ...(error.device === undefined ? {} : { device: error.device }),
    ...(error.details === undefined ? {} : { details: error.details }),
  };
}

export function fromErrorObject(object: ErrorObject): DeviceError {
  const { kind, ...options } = object;
  return new DeviceError(kind, options as DeviceErrorOptions);
}

/** Any thrown thing as a DeviceError; what is not one already becomes `kind` with the original as its cause. */
export function asDeviceError(thrown: unknown, kind: ErrorKind = "internal", options: DeviceErrorOptions = {}): DeviceError {
  if (thrown instanceof DeviceError) return thrown;
  return new DeviceError(kind, { ...options, cause: thrown });
}
