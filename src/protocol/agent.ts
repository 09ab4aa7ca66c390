import { z } from "../kernel/schema.js";
import { DEVICE_CLASSES } from "./devices.js";
import { defineMethod, device, FRONT, TECHNICIAN, timeoutMs } from "./method.js";
import { MODES } from "./session.js";

export const agentMethods = {
  "agent.describe": defineMethod({
    summary: "The agent, its version, how long it runs, its drivers.",
    roles: FRONT,
    params: z.strictObject({}),
    result: z.object({
      name: z.string(),
      version: z.string(),
      node: z.string(),
      mode: z.enum(MODES),
      maintenance: z.boolean(),
      uptimeMs: z.number(),
      drivers: z.array(z.object({ class: z.enum(DEVICE_CLASSES), id: z.string(), summary: z.string() })),
    }),
    errors: [],
  }),
  "agent.maintenance": defineMethod({
    summary: "Takes the station out of service, or back. Refused while a citizen's session is open.",
    roles: TECHNICIAN,
    params: z.strictObject({ on: z.boolean() }),
    result: z.object({ maintenance: z.boolean() }),
    errors: ["busy"],
  }),
  "diagnostics.run": defineMethod({
    summary: "Each device's own self-test, without paper or money.",
    roles: TECHNICIAN,
    params: z.strictObject({ device, timeoutMs: timeoutMs.default(20_000) }),
    result: z.object({
      checks: z.array(
        z.object({ device: z.string(), check: z.string(), ok: z.boolean(), note: z.string().optional(), hint: z.string().optional() }),
      ),
    }),
    errors: ["unknown_device", "timeout"],
  }),
};
