import type { JobRecord } from "./types.js";

export function aJob(id: string): JobRecord {
  return {
    id,
    kind: "print",
    device: "receipt",
    principal: "origin:https://kiosk.example",
    idempotencyKey: `key-of-job-${id}`,
    requestHmac: "5e".repeat(32),
    step: "queued",
    outcome: undefined,
    evidence: {},
    createdAt: 1,
    updatedAt: 1,
  };
}
