import { z } from "../kernel/schema.js";
import { ErrorObjectSchema } from "./error-object.js";
import { DeviceId, defineMethod, FRONT, IdempotencyKey, Instant, simulated } from "./method.js";
import { PaymentJob } from "./payment-terminal.js";

export const PRINT_STATES = ["queued", "in_progress", "printed", "sent", "failed", "unknown", "not_started"] as const;
export type PrintState = (typeof PRINT_STATES)[number];

/** How a print job stands. Outcomes are data, not errors. */
export const PrintJob = z.object({
  kind: z.literal("print"),
  job: z.string().describe("the agent's own name for it, as in its log"),
  idempotencyKey: z.string().describe("the key it was asked for with"),
  device: DeviceId,
  state: z
    .enum(PRINT_STATES)
    .describe(
      "`printed`: on paper and cut · `sent`: a one-way link took all bytes · `failed`: not whole on paper, never will be · `unknown`: nobody can tell (yet, while `final` is false) · `not_started`: no byte left the agent",
    ),
  final: z.boolean().describe("false: may still change; ask jobs.get"),
  confirmation: z
    .enum(["confirmed", "inferred"])
    .optional()
    .describe(
      "`confirmed`: the printer said this very job came out (GS ( H or its cutter counter) · `inferred`: clean status after the job",
    ),
  reprint: z.boolean().optional().describe("the paper is marked BẢN IN LẠI"),
  reason: ErrorObjectSchema.optional().describe("why it did not end `printed`, or what it waits for"),
  createdAt: Instant,
  updatedAt: Instant,
  simulated,
});
export type PrintJob = z.infer<typeof PrintJob>;

export const Job = z.discriminatedUnion("kind", [PrintJob, PaymentJob]);
export type Job = z.infer<typeof Job>;

export const jobMethods = {
  "jobs.get": defineMethod({
    summary: "How a job stands, by the key it was asked for with. Keys belong to their principal (origin or token).",
    roles: FRONT,
    params: z.strictObject({ idempotencyKey: IdempotencyKey }),
    result: Job,
    errors: ["job_not_found", "journal_unavailable"],
  }),
  "jobs.list": defineMethod({
    summary: "The caller's jobs, newest first; a technician sees all.",
    roles: FRONT,
    params: z.strictObject({
      open: z.boolean().optional().describe("only those that have not ended"),
      limit: z.int().min(1).max(200).default(50),
    }),
    result: z.object({ jobs: z.array(Job) }),
    errors: ["journal_unavailable"],
  }),
};
