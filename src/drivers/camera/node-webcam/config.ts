import { z } from "../../../kernel/schema.js";

export const NodeWebcamConfig = z.strictObject({
  delaySeconds: z.int().min(0).max(30).default(0).describe("before each picture, for cameras that need light and time to adjust"),
  withinMs: z.int().min(1_000).max(60_000).default(10_000).describe("how long one picture may take, the delay left out, in milliseconds"),
});
