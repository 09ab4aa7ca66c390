import { z } from "../kernel/schema.js";
import { BlobReference, DeviceId, defineMethod, SIMULATOR } from "./method.js";

export const SimulatorSnapshot = z.object({
  simulator: DeviceId,
  kind: z.string().describe("e.g. `receipt-printer`"),
  actions: z.array(z.object({ name: z.string(), summary: z.string(), params: z.json().describe("JSON Schema of `params`") })),
  state: z.record(z.string(), z.json()).describe("facts of the simulated device, by name; never what a citizen gave"),
});
export type SimulatorSnapshot = z.infer<typeof SimulatorSnapshot>;

export const simulatorMethods = {
  "simulators.list": defineMethod({
    summary: "The simulators with what can be done to them. Demo and test mode only.",
    roles: SIMULATOR,
    params: z.strictObject({}),
    result: z.object({ simulators: z.array(SimulatorSnapshot) }),
    errors: [],
  }),
  "simulators.act": defineMethod({
    summary: "Does something to a simulator: take its paper, open its cover, show it a code.",
    roles: SIMULATOR,
    params: z.strictObject({
      simulator: DeviceId,
      action: z.string().max(64).describe("one that simulators.list shows"),
      params: z.record(z.string(), z.json()).optional().describe("by the action's own schema"),
    }),
    result: z.object({
      state: z.record(z.string(), z.json()).describe("after it"),
      image: BlobReference.optional().describe("e.g. of the paper, where the action makes one"),
    }),
    errors: ["unknown_device", "unsupported"],
  }),
};
