import { z } from "../../src/kernel/schema.js";

export const ReceiptPrinterOptions = z.strictObject({
  model: z
    .enum(["epson", "clone", "one-way"])
    .default("epson")
    .describe("epson: everything; clone: no ASB, GS ( H, GS ( L and GS g, other code pages; one-way: never answers"),
  widthDots: z.int().min(64).max(1024).multipleOf(8).default(576).describe("576 on 80 mm paper, 384 on 58 mm"),
  bufferBytes: z.int().min(64).max(1_048_576).default(4096).describe("receive buffer; when it is full the wire stalls"),
  flowControl: z
    .enum(["none", "xonxoff"])
    .default("none")
    .describe("xonxoff: says XOFF and XON on the wire as the buffer fills and empties"),
  rowsPerSecond: z.int().min(0).max(100_000).default(0).describe("printing speed in rows of dots; 0: at once; a real one does about 1600"),
  paperRows: z.int().min(1).optional().describe("rows left on the roll; absent: it never ends"),
  nearEndRows: z.int().min(0).default(400).describe("the near-end sensor sees the end from here on"),
  cutterOffsetRows: z.int().min(0).max(400).default(0).describe("rows between head and knife: about 96 on a real one"),
  coverNeedsRecover: z.boolean().default(false).describe("opening the cover while printing is an error that needs DLE ENQ 1 after closing"),
  initKeepsAsb: z.boolean().default(false).describe("ESC @ leaves automatic status on; most models switch it off"),
  resetOnConnect: z.boolean().default(false).describe("a new wire clears buffer, parser and settings"),
  keepReceipts: z.int().min(1).max(10_000).default(100).describe("how many cut receipts are kept to look at"),
});
export type ReceiptPrinterOptions = z.output<typeof ReceiptPrinterOptions>;
