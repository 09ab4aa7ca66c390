import { z } from "../kernel/schema.js";
import { ErrorObjectSchema } from "./error-object.js";
import { BlobReference, DeviceId, defineMethod, device, FRONT, simulated, timeoutMs } from "./method.js";

export const SCAN_SOURCES = ["flatbed", "feeder", "feeder_duplex"] as const;
export type ScanSource = (typeof SCAN_SOURCES)[number];
export const SCAN_MODES = ["color", "gray", "black_white"] as const;
export type ScanMode = (typeof SCAN_MODES)[number];
/** Width and height in millimetres. */
export const PAGE_SIZES = { A4: [210, 297], A5: [148, 210], A6: [105, 148], letter: [215.9, 279.4], legal: [215.9, 355.6] } as const;
export type PageSize = keyof typeof PAGE_SIZES;
export const SCAN_STAGES = ["scanning", "page", "assembling"] as const;

/** One side of one sheet after it was straightened, cropped and judged. */
export const ScannedPage = z.object({
  page: z.int().min(1).describe("number in the stack, from 1; blank ones count"),
  widthPx: z.int(),
  heightPx: z.int(),
  resolutionDpi: z.int(),
  skewDegrees: z.number().describe("by which it was straightened; 0 where that was not asked for, or not needed"),
  blank: z.boolean().describe("nothing on it that could be read"),
  dropped: z.boolean().describe("blank, and left out as asked"),
  image: BlobReference.optional().describe("the page itself, where `format` is an image and it was not dropped"),
});
export type ScannedPage = z.infer<typeof ScannedPage>;

/** Told with stage `page` as soon as a page is there. */
export const PagePreview = z.object({
  page: z.int().min(1),
  blank: z.boolean(),
  dropped: z.boolean(),
  thumbnail: BlobReference.describe("small JPEG, at most 480 pixels a side"),
});
export type PagePreview = z.infer<typeof PagePreview>;

export const documentScannerMethods = {
  "documentScanner.scan": defineMethod({
    summary:
      "Scans one page from the glass or a stack from the feeder, and answers with a PDF or with images. Pages are shown as they come.",
    roles: FRONT,
    params: z.strictObject({
      device,
      source: z
        .enum([...SCAN_SOURCES, "auto"])
        .default("auto")
        .describe("`auto`: the feeder where it has paper, else the glass"),
      mode: z.enum(SCAN_MODES).default("color"),
      resolutionDpi: z.int().min(75).max(1_200).default(300),
      pageSize: z.enum(Object.keys(PAGE_SIZES) as [PageSize, ...PageSize[]]).default("A4"),
      format: z.enum(["pdf", "jpeg", "png"]).default("pdf"),
      maxPages: z.int().min(1).max(200).default(50),
      deskew: z.boolean().default(true).describe("straighten pages that lie askew, up to 5 degrees"),
      cropToPage: z.boolean().default(false).describe("cut away what is not the sheet"),
      dropBlankPages: z.boolean().default(false),
      maxBytes: z
        .int()
        .min(20_000)
        .max(200_000_000)
        .optional()
        .describe("of the PDF, or of all images together: quality and then resolution are lowered, never below what can be read"),
      timeoutMs: timeoutMs.default(300_000),
    }),
    result: z.object({
      device: DeviceId,
      pages: z.array(ScannedPage),
      document: BlobReference.optional().describe("the PDF, where `format` is `pdf`"),
      jpegQuality: z.int().optional().describe("at which pages are kept; left out for PNG"),
      resolutionDpi: z.int().describe("at which pages are kept: less than asked for only because of `maxBytes`"),
      brokenOff: ErrorObjectSchema.optional().describe("why it ended early; the pages that are here are good"),
      simulated,
    }),
    errors: [
      ...(["unknown_device", "busy", "maintenance", "device_absent", "device_fault", "unsupported", "timeout"] as const),
      ...(["scan_empty", "feeder_empty", "document_jam", "cover_open", "too_large"] as const),
    ],
    stages: [...SCAN_STAGES],
  }),
  "documentScanner.stop": defineMethod({
    summary:
      "Ends the scan of this client early: it is answered with the pages that came, and `brokenOff` says `canceled`. One without a page is answered `canceled`, as is any that is ended with rpc.cancel, which keeps nothing.",
    roles: FRONT,
    params: z.strictObject({ device }),
    result: z.object({ stopped: z.boolean().describe("false: there was none (any more)") }),
    errors: ["unknown_device"],
  }),
};
