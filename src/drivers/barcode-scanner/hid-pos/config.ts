import { z } from "../../../kernel/schema.js";

export const HidPosConfig = z.strictObject({
  acceptKeyboard: z
    .boolean()
    .default(false)
    .describe("take a scanner that types as a keyboard: Vietnamese letters are lost, and every code is marked `lossy`"),
  honeywellMode: z
    .boolean()
    .default(false)
    .describe("Honeywell scanners that type besides: tell the scanner at each opening to send codes here and not to the keyboard"),
  fullReportMayEnd: z
    .boolean()
    .default(false)
    .describe("scanners that mark each full report as continued: one that nothing follows for 100 ms ends the code"),
  maxCodeBytes: z.int().min(1_024).max(65_536).default(8_192).describe("a longer code is dropped; the largest QR code holds 7,089 digits"),
  ignoreRepeatMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(0)
    .describe("the same code counts again only after it was not seen for so long, in milliseconds; 0: every reading counts"),
});
