import { z } from "../../../kernel/schema.js";

export const SaneConfig = z.strictObject({
  options: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
      z.union([
        z.boolean().transform((on) => (on ? "yes" : "no")),
        z
          .number()
          .refine(Number.isFinite)
          .transform((value) => `${value}`),
        z.string().regex(/^[\w.%+ ()-]{1,64}$/),
      ]),
    )
    .default({})
    .describe("options of the backend as `scanimage -A` lists them, for every scan: `{ brightness = 10, swcrop = true }`"),
  unnamedSource: z
    .enum(["flatbed", "feeder"])
    .default("flatbed")
    .describe("what a scanner has that has only one source, and no name for it"),
  silenceMs: z
    .int()
    .min(1_000)
    .max(3_600_000)
    .default(90_000)
    .describe("a scan that shows no progress for so long is given up: lamps warm up for a minute"),
});
export type SaneConfig = z.output<typeof SaneConfig>;
