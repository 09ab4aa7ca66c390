import { z } from "../../src/kernel/schema.js";
import { FAULT_TABLE, Fault } from "./faults.js";

const page = {
  number: z.int().min(1).max(255).optional().describe("printed large, and as a row of squares; left out: its place in the stack"),
  skewDegrees: z.number().min(-20).max(20).default(0).describe("how askew it lies, clockwise"),
  blank: z.enum(["no", "clean", "dirty"]).default("no").describe("dirty: nothing on it but dust and the shadow of an edge"),
  color: z.boolean().default(true).describe("stamp and signature in colour"),
  widthMm: z.number().min(50).max(215.9).default(210),
  heightMm: z.number().min(50).max(355.6).default(297),
};
export const Page = z.strictObject(page);
export type Page = z.output<typeof Page>;
export const Sheet = z.strictObject({ ...page, back: Page.optional().describe("left out: clean") });
export type Sheet = z.output<typeof Sheet>;

const ms = (standard: number) => z.int().min(0).max(3_600_000).default(standard);

export const DocumentScannerOptions = z.strictObject({
  platen: z.boolean().default(true).describe("has a glass"),
  feeder: z.boolean().default(true).describe("has a document feeder"),
  duplex: z.boolean().default(true).describe("the feeder scans both sides"),
  resolutions: z.array(z.int().min(75).max(600)).min(1).max(16).default([75, 100, 150, 200, 300, 600]).describe("in dpi"),
  pageMs: ms(1_000).describe("until a page is scanned"),
  jobIdleMs: ms(30_000).describe("a job that nobody fetches pages of ends after this"),
  lid: z.enum(["white", "gray", "black"]).default("white").describe("what is seen beside the sheet"),
  hatchWord: z
    .enum(["ScannerAdfHatchOpen", "ScannerAdfDoorOpen"])
    .default("ScannerAdfHatchOpen")
    .describe("how an open cover is told: as the specification has it, or as sane-airscan expects it"),
  glass: z
    .union([Page, z.literal(false)])
    .default(Page.parse({}))
    .describe("what lies on the glass at the start; false: nothing"),
  sheets: z.array(Sheet).max(200).default([]).describe("what lies in the feeder at the start"),
  faults: z.array(Fault).max(100).default([]).describe(`from the beginning: ${FAULT_TABLE}`),
});
export type DocumentScannerOptions = z.output<typeof DocumentScannerOptions>;
