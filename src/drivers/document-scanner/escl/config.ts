import { z } from "../../../kernel/schema.js";

const ms = (least: number, most: number, standard: number) => z.int().min(least).max(most).default(standard);

export const EsclConfig = z.strictObject({
  path: z
    .string()
    .regex(/^(\/[\w.-]{1,64}){1,4}$/)
    .default("/eSCL")
    .describe("where the scanner keeps eSCL; scanners announce it as `rs`"),
  answerMs: ms(100, 60_000, 10_000).describe("until a question is answered that moves no paper"),
  startMs: ms(1_000, 300_000, 30_000).describe("until a scan that was asked for is begun, or refused"),
  pageMs: ms(1_000, 900_000, 120_000).describe("until a page that was asked for has come whole"),
  busyMs: ms(0, 300_000, 8_000).describe("how long a scanner that is busy is asked again"),
  pollMs: ms(1_000, 3_600_000, 10_000).describe("how often an idle scanner is asked how it is"),
});
export type EsclConfig = z.output<typeof EsclConfig>;
