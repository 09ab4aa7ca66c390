import { z } from "../kernel/schema.js";
import { BlobReference, DeviceId, defineMethod, TECHNICIAN } from "./method.js";

const MIB = 1024 * 1024;

export const traceMethods = {
  "devices.trace": defineMethod({
    summary:
      "What passes on a device's wire, as `rpc.progress` while it does: the stage says from whom, `message` what it is in the driver's own words. Nothing of a person is in it. A slow client misses some.",
    roles: TECHNICIAN,
    params: z.strictObject({
      device: DeviceId,
      forMs: z.int().min(1).max(3_600_000).default(600_000).describe("how long; rpc.cancel ends it before"),
    }),
    result: z.object({
      device: DeviceId,
      exchanges: z.int().describe("that passed"),
      leftOut: z.int().describe("that were not told: too many at once"),
    }),
    errors: ["unknown_device", "unsupported"],
    stages: ["agent", "device"],
  }),
  "devices.startRecording": defineMethod({
    summary:
      "Opens a device anew and keeps all that passes on its wire from then on, unmasked: for test documents, test cards and test codes only. In maintenance mode; with its end, or the session's, the recording is thrown away.",
    roles: TECHNICIAN,
    params: z.strictObject({
      device: DeviceId,
      mostBytes: z
        .int()
        .min(1_024)
        .max(64 * MIB)
        .default(16 * MIB)
        .describe("of the recording; what comes after is not in it"),
    }),
    result: z.object({ device: DeviceId }),
    errors: ["unknown_device", "unsupported", "maintenance", "busy"],
  }),
  "devices.stopRecording": defineMethod({
    summary: "Ends a recording of this session and hands it over. One JSON object per line; the first says what was recorded.",
    roles: TECHNICIAN,
    params: z.strictObject({ device: DeviceId }),
    result: z.object({
      device: DeviceId,
      exchanges: z.int(),
      truncated: z.boolean().describe("more passed than `mostBytes`"),
      recording: BlobReference.describe("application/x-ndjson"),
    }),
    errors: ["unknown_device", "maintenance", "invalid_params"],
  }),
};
