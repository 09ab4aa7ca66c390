import { z } from "../kernel/schema.js";
import { ErrorObjectSchema } from "./error-object.js";
import { DeviceId, defineMethod, device, FRONT, IdempotencyKey, Instant, simulated, TECHNICIAN, timeoutMs } from "./method.js";

/** A page shows these as they come. */
export const PAYMENT_STAGES = [
  "checking",
  "present_card",
  "scan_code",
  "enter_pin",
  "wrong_pin",
  "authorising",
  "remove_card",
  "reversing_itself",
  "resolving",
] as const;
export type PaymentStage = (typeof PAYMENT_STAGES)[number];

export const PAYMENT_METHODS = ["card", "vietqr"] as const;
export type PaymentMethod = (typeof PAYMENT_METHODS)[number];

export const PAYMENT_STATES = [
  "queued",
  "in_progress",
  "unknown",
  "resolving",
  "reversing",
  "reversal_unknown",
  "approved",
  "declined",
  "cancelled",
  "not_charged",
  "expired",
  "reversed",
  "manual_review",
  "not_started",
] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

/** How a payment, or the reversal of one, stands. Outcomes are data, not errors. */
export const PaymentJob = z.object({
  kind: z.literal("payment"),
  job: z.string().describe("the agent's own name for it, as in its log"),
  idempotencyKey: z.string().describe("the key it was asked for with"),
  device: DeviceId,
  amountVnd: z.int(),
  reference: z.string(),
  reverses: z.string().optional().describe("this is a reversal, of the payment with this `job`: it charges nothing"),
  state: z
    .enum(PAYMENT_STATES)
    .describe(
      "`approved`: charged · `declined`, `cancelled`, `not_charged`, `expired`: not charged, by the terminal's own word · `reversed`: charged and taken back · `not_started`: nothing left the agent · `manual_review`: a person must look · `unknown`, `resolving`, `reversal_unknown`: not known yet. Of a reversal, `reversed`: the payment was taken back · `declined`, `cancelled`, `not_charged`, `not_started`: it was not, and stands",
    ),
  final: z.boolean().describe("false: may still change; ask jobs.get"),
  receipt: z
    .object({
      receiptNumber: z.string().optional(),
      traceNumber: z.string().optional(),
      terminalId: z.string().optional(),
      cardName: z.string().optional(),
      cardLastFour: z.string().optional(),
      approvedAt: z.string().optional().describe("the terminal's own time"),
    })
    .optional()
    .describe("what the terminal says of an approved payment, for the slip"),
  code: z
    .object({
      payload: z.string().describe("text of the QR code, to print it"),
      svg: z.string().describe("the QR code as an SVG document, to show it"),
      expiresAt: Instant.describe("a transfer after this is too late"),
    })
    .optional()
    .describe("what the payer scans, while the payment is open (VietQR)"),
  transfers: z
    .array(z.object({ transactionId: z.string(), amountVnd: z.int() }))
    .optional()
    .describe("money that came for it, as the bank names it (VietQR): more than one, or of another amount, is for a person to look at"),
  reason: ErrorObjectSchema.optional().describe("why it did not end `approved`"),
  createdAt: Instant,
  updatedAt: Instant,
  simulated,
});
export type PaymentJob = z.infer<typeof PaymentJob>;

const PaymentAnswer = PaymentJob.extend({
  receiptLines: z
    .array(z.string())
    .optional()
    .describe("the terminal's own receipt, masked. To who asked while it was printed, and nowhere else"),
});

const errors = ["unknown_device", "busy", "maintenance", "device_absent", "device_fault", "journal_unavailable"] as const;

export const paymentTerminalMethods = {
  "paymentTerminal.pay": defineMethod({
    summary: "Takes one payment, at most once per key, whatever is lost meanwhile. Answers with the payment, however it ended.",
    roles: FRONT,
    params: z.strictObject({
      device,
      method: z.enum(PAYMENT_METHODS).optional().describe("picks the device where there are several: the one that is paid in this way"),
      amountVnd: z.int().min(1).max(100_000_000_000).describe("whole đồng; the device's own limit may be lower"),
      currency: z.literal("VND").default("VND"),
      reference: z
        .string()
        .regex(/^[A-Za-z0-9._/-]{1,40}$/)
        .describe("opaque code of the bill; stored"),
      description: z.string().max(120).default("").describe("shown and printed, never stored"),
      idempotencyKey: IdempotencyKey,
      timeoutMs: timeoutMs.default(180_000),
    }),
    result: PaymentAnswer,
    errors: [...errors, "idempotency_conflict", "payment_unresolved"],
    stages: [...PAYMENT_STAGES],
    job: true,
  }),
  "paymentTerminal.confirm": defineMethod({
    summary:
      "Relays what a back-end says and has signed of a transfer that came in. The payment that the transfer's purpose names is then approved; a transfer that is late, of another amount or one too many puts it under manual review. Telling the same twice changes nothing.",
    roles: FRONT,
    params: z.strictObject({
      device,
      confirmation: z
        .string()
        .max(4_096)
        .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/)
        .describe("JWS in compact form (RFC 7515), signed with Ed25519 (RFC 8037): see docs/payments.md"),
      timeoutMs: timeoutMs.default(10_000),
    }),
    result: PaymentJob,
    errors: ["unknown_device", "device_absent", "job_not_found", "journal_unavailable", "timeout", "too_large", "unsupported"],
  }),
  "paymentTerminal.reverse": defineMethod({
    summary: "Takes an approved payment back, once per key. For technicians with a token of their own; goes to the audit log.",
    roles: TECHNICIAN,
    params: z.strictObject({
      job: z.string().describe("the payment's `job`"),
      idempotencyKey: IdempotencyKey,
      timeoutMs: timeoutMs.default(180_000),
    }),
    result: PaymentAnswer,
    errors: [...errors, "idempotency_conflict", "job_not_found", "payment_unresolved", "unsupported"],
    stages: [...PAYMENT_STAGES],
    job: true,
  }),
  "paymentTerminal.resolve": defineMethod({
    summary:
      "Says how a payment under manual review really ended, by the terminal's own journal. For technicians with a token of their own.",
    roles: TECHNICIAN,
    params: z.strictObject({
      job: z.string(),
      outcome: z.enum(["approved", "not_charged", "reversed"]),
      evidence: z
        .string()
        .regex(/^[\w./:-]{1,64}$/)
        .describe("receipt or journal number it was read from"),
    }),
    result: PaymentJob,
    errors: ["job_not_found", "journal_unavailable"],
  }),
  "paymentTerminal.reconcile": defineMethod({
    summary: "The journal against the terminal's totals since the last end of day; `close` begins a new day.",
    roles: TECHNICIAN,
    params: z.strictObject({ device, close: z.boolean().default(false), timeoutMs: timeoutMs.default(180_000) }),
    result: z.object({
      device: DeviceId,
      journal: z.object({ count: z.int(), sumVnd: z.int() }).describe("approved less reversed"),
      terminal: z.object({ count: z.int(), sumVnd: z.int() }),
      agree: z.boolean(),
      open: z.array(PaymentJob).describe("payments that are not final, or under manual review: look at these first"),
      simulated,
    }),
    errors: [...errors, "payment_unresolved", "terminal_busy", "timeout", "unsupported"],
  }),
};

type PaymentMethods = typeof paymentTerminalMethods;
type Verb<M extends keyof PaymentMethods> = M extends `paymentTerminal.${infer V}` ? V : never;
/** As the handler of `paymentTerminal.VERB` sees it. */
export type PaymentParams<V extends Verb<keyof PaymentMethods>> = z.output<PaymentMethods[`paymentTerminal.${V}`]["params"]>;
export type PaymentResult<V extends Verb<keyof PaymentMethods>> = z.output<PaymentMethods[`paymentTerminal.${V}`]["result"]>;
