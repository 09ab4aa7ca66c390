import { ERROR_KINDS, type ErrorKind } from "../kernel/errors.js";
import { z } from "../kernel/schema.js";

const kinds = Object.keys(ERROR_KINDS) as [ErrorKind, ...ErrorKind[]];

/** Why a device is not ready, or how a job failed: the `data` of an error plus its message. */
export const ErrorObjectSchema = z.object({
  kind: z.enum(kinds).describe("decide by this: one of the closed list"),
  message: z.string().describe("for logs, in English"),
  retryable: z.boolean().describe("may the caller try the same again by itself"),
  hint: z.string().describe("what a technician can do about it, in English"),
  device: z.string().optional(),
  details: z.json().optional().describe("facts for programs, by kind"),
});
