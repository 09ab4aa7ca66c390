import { z } from "../../../kernel/schema.js";

export const SerialScannerConfig = z.strictObject({
  dialect: z
    .enum(["plain", "honeywell", "newland"])
    .default("plain")
    .describe("the scanner's command language, for its trigger; `plain` reads all the time or has a button, and is never written to"),
  terminator: z
    .union([z.enum(["cr", "lf", "crlf", "none"]), z.string().regex(/^hex:([0-9A-Fa-f]{2}){1,8}$/)])
    .default("cr")
    .describe("what ends a code: `cr`, `lf`, `crlf`, bytes such as `hex:0D0A`, or `none`: then silence ends it"),
  silenceMs: z.int().min(10).max(5_000).default(100).describe('with `terminator = "none"`: silence that ends a code, in milliseconds'),
  symbology: z
    .enum(["none", "aim"])
    .default("none")
    .describe("`aim`: the scanner is set to send the AIM identifier (`]Q1`) before each code"),
  maxCodeBytes: z.int().min(1_024).max(65_536).default(8_192).describe("a longer code is dropped; the largest QR code holds 7,089 digits"),
  ignoreRepeatMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(0)
    .describe("the same code counts again only after it was not seen for so long, in milliseconds; 0: every reading counts"),
});
