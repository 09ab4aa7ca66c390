import { z } from "../../../kernel/schema.js";

export const EscposConfig = z.strictObject({
  profile: z
    .enum(["generic", "epson-tm", "clone"])
    .default("generic")
    .describe(
      "generic: finds out what the printer can do; epson-tm: also lets it draw QR codes and barcodes; clone: expects only the basics",
    ),
  oneWay: z.boolean().default(false).describe("the wire carries nothing back (a cable without the return line): prints end as `sent`"),
  widthDots: z
    .union([z.literal(576), z.literal(512), z.literal(384)])
    .default(576)
    .describe("printable width: 576 or 512 on 80 mm paper, 384 on 58 mm"),
  fontDots: z.int().min(16).max(40).default(24).describe("height of the normal letter"),
  bandRows: z.int().min(8).max(128).default(24).describe("rows per raster command; two commands should fit into windowBytes"),
  windowBytes: z
    .int()
    .min(512)
    .max(1_000_000)
    .default(3_584)
    .describe(
      "sent ahead of what the printer has processed; less than its receive buffer, so that questions still get through when it stops",
    ),
  cutFeedLines: z.int().min(1).max(12).default(4).describe("lines from the print head to the cutter"),
  nativeCodes: z.boolean().optional().describe("the printer draws QR codes and barcodes itself; otherwise they are sent as dots"),
  codePage: z
    .strictObject({ page: z.int().min(0).max(255), encoding: z.enum(["cp1258", "tcvn3"]) })
    .optional()
    .describe("text by the printer's own letters: only for a page that a test print has proved"),
  replyMs: z.int().min(50).max(10_000).default(1_000).describe("how long a status answer may take"),
  pollMs: z.int().min(100).max(60_000).default(2_000).describe("how often the status is asked"),
  silenceMs: z.int().min(500).max(120_000).default(8_000).describe("how long a printer at work may keep silent before it is asked again"),
  stallMs: z.int().min(1_000).max(3_600_000).default(180_000).describe("how long a printer that cannot tell why may take no data"),
});
export type EscposConfig = z.output<typeof EscposConfig>;
