import { z } from "../kernel/schema.js";
import { ErrorObjectSchema } from "./error-object.js";
import { DeviceId, defineMethod, EVERYONE, FRONT, Instant, simulated, TECHNICIAN, timeoutMs } from "./method.js";

export const DEVICE_CLASSES = ["chipReader", "printer", "barcodeScanner", "documentScanner", "paymentTerminal", "camera"] as const;
export type DeviceClass = (typeof DEVICE_CLASSES)[number];

export const DEVICE_STATES = ["absent", "opening", "ready", "busy", "attention", "faulted", "disabled"] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

export const DeviceIdentity = z.object({
  vendor: z.string().optional(),
  model: z.string().optional(),
  serial: z.string().optional(),
  firmware: z.string().optional(),
  hardwarePath: z.string().optional().describe("stable name of the socket it is plugged into"),
});
export type DeviceIdentity = z.infer<typeof DeviceIdentity>;

export const DeviceSnapshot = z.object({
  id: DeviceId,
  class: z.enum(DEVICE_CLASSES),
  driver: z.string().describe("its name in the configuration"),
  state: z.enum(DEVICE_STATES).describe("`attention` works again after a person acts: paper out, cover open"),
  since: Instant.describe("when it came into this state"),
  reason: ErrorObjectSchema.optional().describe("why it is not ready"),
  warnings: z.array(z.string()).optional().describe("works, but a technician should look: `paper_near_end`, `code_too_long`"),
  simulated,
  identity: DeviceIdentity.optional(),
  queue: z.object({
    length: z.int().describe("requests that wait"),
    running: z.string().optional().describe("method that has the device now"),
  }),
  claim: z
    .object({ client: z.string().describe("name and version from its hello"), until: Instant })
    .optional()
    .describe("one session has it for itself"),
  claimEnded: z
    .literal("by_technician")
    .optional()
    .describe("in an event to the session that held the device: a technician ended its claim"),
});
export type DeviceSnapshot = z.infer<typeof DeviceSnapshot>;

const one = z.strictObject({ device: DeviceId });

export const deviceMethods = {
  "devices.list": defineMethod({
    summary: "All devices of the station with their states.",
    roles: EVERYONE,
    params: z.strictObject({ class: z.enum(DEVICE_CLASSES).optional().describe("only this class") }),
    result: z.object({ devices: z.array(DeviceSnapshot) }),
    errors: [],
  }),
  "devices.get": defineMethod({
    summary: "One device with its state. Never waits for the device.",
    roles: EVERYONE,
    params: z.strictObject({ device: DeviceId, timeoutMs: timeoutMs.optional() }),
    result: DeviceSnapshot,
    errors: ["unknown_device"],
  }),
  "devices.capabilities": defineMethod({
    summary: "What the device and its driver can do, with version.",
    roles: FRONT,
    params: one,
    result: z.object({
      device: DeviceId,
      version: z.int().describe("rises when the meaning of a capability changes"),
      capabilities: z.record(z.string(), z.json()).describe("facts of the device, by name; which, the driver's page tells"),
      simulated,
    }),
    errors: ["unknown_device", "device_absent"],
  }),
  "devices.claim": defineMethod({
    summary: "Gives this session the device until released, expired or disconnected; others get `busy`.",
    roles: FRONT,
    params: z.strictObject({ device: DeviceId, ttlMs: z.int().min(1_000).max(600_000).describe("how long; claim again to stay") }),
    result: z.object({ device: DeviceId, until: Instant }),
    errors: ["unknown_device", "busy", "maintenance"],
  }),
  "devices.release": defineMethod({
    summary: "Ends this session's claim; a technician may end another's with `force` (goes to the audit log).",
    roles: FRONT,
    params: z.strictObject({ device: DeviceId, force: z.literal(true).optional().describe("technician only") }),
    result: z.object({ device: DeviceId, released: z.boolean().describe("`false`: there was no claim") }),
    errors: ["unknown_device", "busy"],
    restricted: { force: ["technician"] },
  }),
  "devices.reset": defineMethod({
    summary: "Closes and opens the device again; also leaves `faulted` and `disabled`.",
    roles: TECHNICIAN,
    params: one,
    result: DeviceSnapshot,
    errors: ["unknown_device", "busy"],
  }),
};
