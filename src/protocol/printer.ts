import { z } from "../kernel/schema.js";
import { PrintJob } from "./jobs.js";
import { BlobReference, DeviceId, defineMethod, device, FRONT, IdempotencyKey, simulated, TECHNICIAN, timeoutMs } from "./method.js";

const align = z.enum(["left", "center", "right"]);
const text = z.string().max(4_000);
const cell = z.string().max(500);
const scale = z.int().min(1).max(4).describe("multiple of the normal letter; 1 unless told");

const style = {
  bold: z.boolean().optional(),
  underline: z.boolean().optional(),
  invert: z.boolean().optional().describe("white on black"),
};

export const PrintBlock = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text, align: align.optional(), size: scale.optional(), ...style }),
  z.strictObject({
    type: z.literal("columns"),
    columns: z
      .array(
        z.strictObject({
          text: cell,
          weight: z.number().min(0.05).max(20).optional().describe("share of the width; 1 unless told"),
          align: align.optional(),
          ...style,
        }),
      )
      .min(1)
      .max(8),
  }),
  z.strictObject({
    type: z.literal("table"),
    columns: z
      .array(z.strictObject({ header: cell.optional(), weight: z.number().min(0.05).max(20).optional(), align: align.optional() }))
      .min(1)
      .max(8),
    rows: z.array(z.array(cell).max(8)).max(200).describe("cells from left to right"),
  }),
  z.strictObject({ type: z.literal("rule"), line: z.enum(["solid", "dashed", "double"]).optional() }),
  z.strictObject({
    type: z.literal("qr"),
    data: z.string().min(1).max(1_000),
    moduleDots: z.int().min(2).max(12).optional().describe("dots per module; 6 unless told"),
    correction: z.enum(["L", "M", "Q", "H"]).optional().describe("share that may be damaged: 7, 15, 25, 30 %; M unless told"),
    align: align.optional(),
  }),
  z.strictObject({
    type: z.literal("barcode"),
    symbology: z.enum(["code128", "code39", "ean13", "ean8", "itf"]),
    data: z.string().regex(/^[\x20-\x7e]{1,48}$/),
    heightDots: z.int().min(20).max(255).optional().describe("of the bars"),
    moduleDots: z.int().min(2).max(6).optional().describe("width of the thinnest bar"),
    label: z.boolean().optional().describe("the text below the bars"),
    align: align.optional(),
  }),
  z.strictObject({
    type: z.literal("image"),
    mediaType: z.enum(["image/png", "image/jpeg"]),
    base64: z.base64().max(900_000),
    widthDots: z.int().min(8).max(1_024).optional().describe("on paper; its own width unless told, never wider than the paper"),
    dither: z.boolean().optional().describe("for photographs; line art is cut at a threshold"),
    align: align.optional(),
  }),
  z.strictObject({ type: z.literal("feed"), lines: z.int().min(1).max(40) }),
  z.strictObject({ type: z.literal("cut"), mode: z.enum(["partial", "full"]).optional() }),
  z.strictObject({
    type: z.literal("drawer"),
    pin: z
      .union([z.literal(2), z.literal(5)])
      .optional()
      .describe("of the drawer's plug; 2 unless told"),
  }),
  z
    .strictObject({ type: z.literal("raw"), base64: z.base64().max(100_000) })
    .describe("bytes for the printer as they are: technician in maintenance mode only"),
]);
export type PrintBlock = z.infer<typeof PrintBlock>;

export const PrintDocument = z
  .strictObject({
    title: z.string().max(200).optional().describe("for people; not printed"),
    blocks: z.array(PrintBlock).min(1).max(500),
  })
  .describe("blocks from top to bottom; a final cut is added where there is none");
export type PrintDocument = z.infer<typeof PrintDocument>;

export const PrinterStatus = z.object({
  device: DeviceId,
  online: z.boolean().describe("takes and prints what is sent"),
  cover: z.enum(["closed", "open", "unknown"]),
  paper: z.enum(["ok", "near_end", "out", "unknown"]),
  cutter: z.enum(["ok", "error", "unknown"]),
  drawer: z.enum(["low", "high", "unknown"]).describe("level of the drawer's pin 3; its meaning depends on the drawer"),
  error: z
    .enum(["none", "recoverable", "unrecoverable", "auto_recoverable", "unknown"])
    .describe("`recoverable`: a person clears it · `auto_recoverable`: it passes, e.g. a hot head · `unrecoverable`: repair"),
  simulated,
});
export type PrinterStatus = z.infer<typeof PrinterStatus>;

const printerErrors = ["unknown_device", "unsupported", "busy", "maintenance", "device_absent", "device_fault"] as const;

export const PRINT_STAGES = ["queued", "preparing", "checking", "sending", "waiting_for_person", "confirming", "reconnecting"] as const;

export const printerMethods = {
  "printer.print": defineMethod({
    summary: "Prints a document once. The same key with the same document returns the first result, also after a crash.",
    roles: FRONT,
    params: z.strictObject({
      device,
      document: PrintDocument,
      idempotencyKey: IdempotencyKey,
      reprint: z.boolean().optional().describe("marks the paper BẢN IN LẠI"),
      timeoutMs: timeoutMs.default(60_000),
    }),
    result: PrintJob,
    errors: [...printerErrors, "invalid_params", "too_large", "idempotency_conflict", "journal_unavailable"],
    stages: PRINT_STAGES,
    job: true,
    restricted: { "document.blocks[].raw": ["technician"] },
  }),
  "printer.preview": defineMethod({
    summary: "A PNG of what will come out, dot for dot.",
    roles: FRONT,
    params: z.strictObject({ device, document: PrintDocument, timeoutMs: timeoutMs.default(20_000) }),
    result: z.object({ device: DeviceId, image: BlobReference, widthDots: z.int(), heightDots: z.int(), simulated }),
    errors: ["unknown_device", "unsupported", "timeout", "too_large"],
  }),
  "printer.status": defineMethod({
    summary: "What the printer says of itself, asked now.",
    roles: FRONT,
    params: z.strictObject({ device, timeoutMs: timeoutMs.default(5_000) }),
    result: PrinterStatus,
    errors: ["unknown_device", "device_absent", "device_fault", "timeout"],
  }),
  "printer.cut": defineMethod({
    summary: "Feeds and cuts the paper.",
    roles: TECHNICIAN,
    params: z.strictObject({ device, timeoutMs: timeoutMs.default(5_000) }),
    result: z.object({ device: DeviceId, simulated }),
    errors: [...printerErrors, "timeout", "paper_out", "cover_open", "paper_jam"],
  }),
};
