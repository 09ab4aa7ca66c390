import { z } from "../kernel/schema.js";
import { Scan } from "./barcode-scanner.js";
import { CardPresence } from "./chip-reader.js";
import { DeviceSnapshot } from "./devices.js";
import { PagePreview } from "./document-scanner.js";
import { Job } from "./jobs.js";
import { Instant } from "./method.js";
import type { Topic } from "./session.js";
import { SimulatorSnapshot } from "./simulators.js";

/** What an event of each topic carries. `to` says who gets it. */
export const eventData = {
  devices: DeviceSnapshot.describe("a device changed; the newest snapshot wins where the client is slow"),
  barcodeScanner: z.object({ scanned: Scan }).describe("to the session that enabled the scanner, and no other"),
  chipReader: CardPresence.describe("a card was laid on a reader or lifted; which card, this does not say"),
  jobs: Job.describe("to the principal that asked, and to technicians"),
  agent: z.object({
    maintenance: z.boolean().describe("out of service"),
    stopping: z.boolean().optional().describe("the agent is about to stop: reconnect in a moment"),
  }),
  simulators: SimulatorSnapshot.omit({ actions: true }),
} satisfies Record<Topic, z.ZodType>;

export const EventNotification = z.object({
  topic: z.enum(Object.keys(eventData) as [Topic, ...Topic[]]),
  seq: z.int().describe("one more than the last, per session, without gaps"),
  time: Instant,
  data: z.json(),
  coalesced: z.int().optional().describe("how many older events of the same thing this one replaces"),
});

export const ProgressNotification = z.object({
  id: z.union([z.string(), z.number()]).describe("of the request"),
  stage: z.string(),
  fraction: z.number().min(0).max(1).optional(),
  message: z.string().optional(),
  page: PagePreview.optional().describe("with stage `page` of documentScanner.scan; its blob precedes this notification"),
});

export type EventData = { [T in Topic]: z.infer<(typeof eventData)[T]> };
