import { z } from "../kernel/schema.js";
import { DeviceSnapshot } from "./devices.js";
import { defineMethod, EVERYONE, FRONT, ROLES } from "./method.js";

export const MODES = ["production", "demo", "test"] as const;
export type Mode = (typeof MODES)[number];

export const TOPICS = ["devices", "barcodeScanner", "chipReader", "jobs", "agent", "simulators"] as const;
export type Topic = (typeof TOPICS)[number];

export const sessionMethods = {
  "session.hello": defineMethod({
    summary: "First message of every connection, within two seconds. Speaks for a version, a client and, where needed, a token.",
    roles: EVERYONE,
    params: z.strictObject({
      protocol: z.strictObject({ major: z.int(), minor: z.int() }).describe("what the client speaks"),
      client: z
        .strictObject({ name: z.string().min(1).max(64), version: z.string().min(1).max(32) })
        .describe("shown to technicians, e.g. as holder of a claim"),
      token: z.string().min(1).max(256).optional().describe("for programs without an origin, and for technicians"),
      resume: z
        .string()
        .max(64)
        .optional()
        .describe("`session` of a connection that was lost: keeps its subscriptions' owner and citizen session"),
    }),
    result: z.object({
      agent: z.object({ name: z.string().describe("of the station"), version: z.string() }),
      mode: z.enum(MODES).describe("anything but `production` is not the real thing"),
      protocol: z.object({ major: z.int(), minor: z.int() }).describe("what the agent speaks"),
      role: z.enum(ROLES).describe("of this connection"),
      session: z.string().describe("secret of this client: lets it resume"),
      resumed: z.boolean().describe("`resume` named a session that was still there"),
      devices: z.array(DeviceSnapshot),
      limits: z.record(z.string(), z.number()).describe("of the wire, by name"),
    }),
    errors: ["protocol_mismatch", "unauthorized"],
  }),
  "session.endCitizen": defineMethod({
    summary: "Between two people: cancels waits, frees blobs, stops previews and scanning. Jobs are not touched.",
    roles: FRONT,
    params: z.strictObject({}),
    result: z.object({
      leftBehind: z.array(z.object({ device: z.string(), what: z.enum(["card", "paper"]) })).describe("what the citizen should take along"),
      openJobs: z.int().describe("jobs of this principal that have not ended"),
    }),
    errors: [],
  }),
  "events.subscribe": defineMethod({
    summary: "Events of these topics from now on; answers with the current state of each.",
    roles: EVERYONE,
    params: z.strictObject({ topics: z.array(z.enum(TOPICS)).min(1).max(TOPICS.length) }),
    result: z.object({
      seq: z.int().describe("the next event has this number plus one"),
      state: z
        .partialRecord(z.enum(TOPICS), z.json())
        .describe(
          "current state of each topic: devices → array of snapshots, agent → {maintenance}, jobs → array, simulators → array, chipReader → array of {device, present}",
        ),
    }),
    errors: ["forbidden"],
    restricted: { "topics: simulators": ["simulator"] },
  }),
  "events.unsubscribe": defineMethod({
    summary: "No more events of these topics.",
    roles: EVERYONE,
    params: z.strictObject({ topics: z.array(z.enum(TOPICS)).min(1).max(TOPICS.length) }),
    result: z.object({ topics: z.array(z.enum(TOPICS)).describe("what is still subscribed") }),
    errors: [],
  }),
};
