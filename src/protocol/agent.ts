import { z } from "../kernel/schema.js";
import { DEVICE_CLASSES } from "./devices.js";
import { DeviceId, defineMethod, FRONT, TECHNICIAN, timeoutMs } from "./method.js";
import { MODES } from "./session.js";

export const agentMethods = {
  "agent.describe": defineMethod({
    summary: "The agent, its version, how long it runs, its drivers.",
    roles: FRONT,
    params: z.strictObject({}),
    result: z.object({
      name: z.string().describe("of the station, from its configuration"),
      version: z.string().describe("of the agent"),
      node: z.string().describe("version of Node.js it runs on"),
      mode: z.enum(MODES),
      maintenance: z.boolean().describe("out of service"),
      uptimeMs: z.number(),
      drivers: z
        .array(z.object({ class: z.enum(DEVICE_CLASSES), id: z.string().describe("its name in the configuration"), summary: z.string() }))
        .describe("all that it has, in use or not"),
    }),
    errors: [],
  }),
  "agent.maintenance": defineMethod({
    summary: "Takes the station out of service, or back. Refused while a citizen's session is open.",
    roles: TECHNICIAN,
    params: z.strictObject({ on: z.boolean().describe("`true`: out of service") }),
    result: z.object({ maintenance: z.boolean() }),
    errors: ["busy"],
  }),
  "diagnostics.run": defineMethod({
    summary: "Each device's own self-test, without paper or money.",
    roles: TECHNICIAN,
    params: z.strictObject({ device: DeviceId.optional().describe("left out: every device"), timeoutMs: timeoutMs.default(20_000) }),
    result: z.object({
      checks: z.array(
        z.object({
          device: z.string(),
          check: z.string().describe("what was looked at"),
          ok: z.boolean(),
          note: z.string().optional().describe("what was found"),
          hint: z.string().optional().describe("what a technician can do about it, in English"),
        }),
      ),
    }),
    errors: ["unknown_device", "timeout"],
  }),
};
