import { z } from "../../../kernel/schema.js";

export const FfmpegConfig = z.strictObject({
  lingerMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(2_000)
    .describe("how long the camera runs on after the last viewer has left, in milliseconds"),
  startWithinMs: z.int().min(500).max(30_000).default(3_000).describe("how long a camera may take to its first picture, in milliseconds"),
  frameWithinMs: z.int().min(200).max(30_000).default(2_000).describe("no good picture for so long: the camera is started anew"),
  boundary: z
    .string()
    .regex(/^[\w'()+,./:=?-]{1,70}$/)
    .default("stationd")
    .describe("what separates pictures, where the stream comes over TCP from another program (RFC 2046 §5.1.1)"),
  probe: z.boolean().default(false).describe("take a picture when the device is opened, instead of only looking whether it is there"),
});
