import type { ErrorKind } from "../kernel/errors.js";
import { z } from "../kernel/schema.js";

export const ROLES = ["kiosk", "technician", "simulator"] as const;
export type Role = (typeof ROLES)[number];

export interface MethodDefinition<P extends z.ZodType = z.ZodType, R extends z.ZodType = z.ZodType> {
  /** One line for the reference. */
  readonly summary: string;
  /** Who may call it. */
  readonly roles: readonly Role[];
  /** Strict object: an unknown field is an error that names it. Has `timeoutMs` where the request may take long. */
  readonly params: P;
  readonly result: R;
  /** Kinds it answers with beyond those that every method may (see COMMON_ERRORS). */
  readonly errors: readonly ErrorKind[];
  /** The closed list of `rpc.progress` stages. */
  readonly stages?: readonly string[];
  /** Cancel and time-out only ask to stop: the answer is the job's state (print, pay, reverse). */
  readonly job?: true;
  /** Fields of `params` that only some roles may use, e.g. raw printer bytes. Told in the reference; enforced by the service. */
  readonly restricted?: Readonly<Record<string, readonly Role[]>>;
}

export function defineMethod<P extends z.ZodType, R extends z.ZodType>(definition: MethodDefinition<P, R>): MethodDefinition<P, R> {
  return definition;
}

/** What any request may be answered with. */
export const COMMON_ERRORS = [
  "invalid_request",
  "invalid_params",
  "method_not_found",
  "forbidden",
  "rate_limited",
  "canceled",
  "shutting_down",
  "internal",
] as const satisfies readonly ErrorKind[];

export const FRONT = ["kiosk", "technician"] as const satisfies readonly Role[];
export const TECHNICIAN = ["technician"] as const satisfies readonly Role[];
export const SIMULATOR = ["simulator"] as const satisfies readonly Role[];
export const EVERYONE: readonly Role[] = [...ROLES];

/** The id of a device in the config: lower-case words joined by dashes. */
export const DeviceId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/)
  .describe("id of a device in the config, e.g. `receipt`");

/** May be left out where the station has one device of the class. */
export const device = DeviceId.optional().describe("may be left out where there is one device of the class");

/** Milliseconds from receipt by the agent, time in the queue included. */
export const timeoutMs = z.int().min(1).max(600_000).describe("milliseconds from receipt, time in the queue included");

/** 8 to 128 printable characters, chosen by the caller, one per thing that must not happen twice. */
export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{8,128}$/)
  .describe("chosen by the caller, one per thing that must not happen twice; kept at least 30 days");

/** Milliseconds since the epoch. */
export const Instant = z.number().describe("milliseconds since the epoch");

export const simulated = z.literal(true).optional().describe("present when the device is a simulator");

/** A blob whose chunks preceded this result as binary frames on `channel`. */
export const BlobReference = z
  .object({
    channel: z.int().min(1).describe("of its binary frames"),
    mediaType: z.string().describe("e.g. `image/png`"),
    byteLength: z.int().min(0),
    sha256: z.string().describe("lower-case hexadecimal"),
  })
  .describe("bytes that precede this result as binary frames on `channel`");
export type BlobRef = z.infer<typeof BlobReference>;
