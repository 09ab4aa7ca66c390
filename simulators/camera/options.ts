import { z } from "../../src/kernel/schema.js";

export const CameraOptions = z.strictObject({
  widthPx: z.int().min(64).max(1_920).default(1_280),
  heightPx: z.int().min(64).max(1_080).default(720),
  framesPerSecond: z.int().min(1).max(60).default(30),
  boundary: z
    .string()
    .regex(/^[\w-]{1,40}$/)
    .default("stationd")
    .describe("what separates the pictures"),
});
export type CameraOptions = z.output<typeof CameraOptions>;
