import { z } from "../kernel/schema.js";
import { BlobReference, DeviceId, defineMethod, device, FRONT, Instant, simulated, TECHNICIAN, timeoutMs } from "./method.js";

const sidePx = z.int().min(64).max(7_680);

/** Measured on the picture at a width of 320 pixels. */
export const PictureQuality = z.object({
  sharpness: z.number().describe("variance of the Laplacian: some 1,000 where sharp, below 100 where blurred"),
  brightness: z.number().describe("mean, 0 to 255"),
  darkShare: z.number().describe("share of pixels that are as good as black, 0 to 1"),
  brightShare: z.number().describe("share of pixels that are as good as white, 0 to 1"),
});
export type PictureQuality = z.infer<typeof PictureQuality>;

const errors = ["unknown_device", "busy", "maintenance", "device_absent", "device_fault", "camera_lost", "timeout", "unsupported"] as const;

export const cameraMethods = {
  "camera.snapshot": defineMethod({
    summary: "One picture. With `quality`, pictures are taken until one is good enough, or the time is over.",
    roles: FRONT,
    params: z.strictObject({
      device,
      maxWidthPx: sidePx.optional().describe("made smaller to fit, never larger"),
      maxHeightPx: sidePx.optional(),
      quality: z
        .strictObject({
          minSharpness: z.number().min(0).max(100_000).optional(),
          minBrightness: z.number().min(0).max(255).optional(),
          maxBrightness: z.number().min(0).max(255).optional(),
          maxDarkShare: z.number().min(0).max(1).optional(),
          maxBrightShare: z.number().min(0).max(1).optional(),
        })
        .optional()
        .describe("what the picture must be like"),
      timeoutMs: timeoutMs.default(10_000),
    }),
    result: z.object({
      device: DeviceId,
      image: BlobReference.describe("JPEG"),
      widthPx: z.int(),
      heightPx: z.int(),
      capturedAt: Instant,
      quality: PictureQuality,
      simulated,
    }),
    errors: [...errors, "quality_rejected"],
    stages: ["waiting", "judging"],
  }),
  "camera.startPreview": defineMethod({
    summary:
      "Live pictures to this client: binary frames of kind `preview` on `channel`, each a JPEG. A slow client misses pictures, never gets old ones. Ends with stopPreview, the connection or the citizen's session.",
    roles: FRONT,
    params: z.strictObject({
      device,
      maxFps: z.int().min(1).max(60).default(30),
      maxWidthPx: sidePx.optional().describe("made smaller to fit, never larger"),
    }),
    result: z.object({ device: DeviceId, channel: z.int().min(1), mediaType: z.literal("image/jpeg"), simulated }),
    errors: [...errors, "rate_limited"],
  }),
  "camera.stopPreview": defineMethod({
    summary: "Ends one preview of this client.",
    roles: FRONT,
    params: z.strictObject({ channel: z.int().min(1) }),
    result: z.object({ stopped: z.boolean().describe("false: there was none (any more)") }),
    errors: [],
  }),
  "camera.stats": defineMethod({
    summary: "What a camera has done since it was opened.",
    roles: TECHNICIAN,
    params: z.strictObject({ device }),
    result: z.object({
      device: DeviceId,
      frames: z.int(),
      broken: z.int().describe("pictures that were cut or damaged, and shown to nobody"),
      restarts: z.int(),
      viewers: z.int(),
      framesPerSecond: z.number(),
      previews: z
        .array(z.object({ client: z.string().describe("name and version from its hello"), sent: z.int(), dropped: z.int() }))
        .describe("dropped: the client was slow, or wanted fewer"),
      simulated,
    }),
    errors,
  }),
};
