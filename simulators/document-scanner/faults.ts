import { z } from "../../src/kernel/schema.js";

export const FAULTS = {
  busy: "a new job is refused with 503",
  jam: "the sheet of page `page` jams",
  cut: "half of a page's body, then the connection ends",
  hang: "no answer, ever",
  slow: "a page's body comes in 16 pieces, ms (1000) apart",
  "short-length": "Content-Length of a page is half of what follows",
  "huge-body": "a page is followed by so many bytes (67108864)",
  "garbage-xml": "an answer of XML is broken off and followed by nonsense",
  "garbage-page": "a page is a web page, and says it is a JPEG",
  "damaged-jpeg": "a page's picture is damaged in its middle",
  gone: "410 instead of a page",
  unavailable: "503 instead of a page",
  error: "HTTP status code (500)",
  "foreign-location": "a job's Location is on another host",
  "no-location": "a job has no Location",
  endless: "the last sheet of the feeder comes again and again",
} as const satisfies Readonly<Record<string, string>>;
export type FaultName = keyof typeof FAULTS;

export const FAULT_TABLE = Object.entries(FAULTS)
  .map(([name, is]) => `${name}: ${is}`)
  .join("; ");

/** What is asked of a scanner. */
export const ASKED = ["capabilities", "status", "job", "page", "cancel"] as const;
export type Asked = (typeof ASKED)[number];

export const Fault = z.strictObject({
  fault: z.enum(Object.keys(FAULTS) as [FaultName, ...FaultName[]]).describe(FAULT_TABLE),
  on: z.enum(ASKED).optional().describe("only there; left out: hang, error: at a page; garbage-xml: anywhere"),
  page: z.int().min(1).max(1_000).optional().describe("of a job, from 1; left out: the next one"),
  times: z.int().min(1).max(1_000_000).default(1).describe("so often, then no more"),
  code: z.int().min(400).max(599).optional(),
  ms: z.int().min(0).max(3_600_000).optional(),
  bytes: z
    .int()
    .min(1)
    .max(1024 * 1024 * 1024)
    .optional(),
});
export type Fault = z.output<typeof Fault>;

export interface Faults {
  readonly pending: number;
  add(fault: Fault): void;
  /** The next one of this name that fits, used up once. */
  take(name: FaultName, on: Asked, page?: number): Fault | undefined;
  clear(): void;
}

export function createFaults(scripted: readonly Fault[]): Faults {
  let waiting: { readonly fault: Fault; left: number }[] = [];
  const add = (fault: Fault): void => void waiting.push({ fault, left: fault.times });
  scripted.forEach(add);
  const fits = (fault: Fault, name: FaultName, on: Asked, page: number | undefined): boolean =>
    fault.fault === name &&
    (fault.on ?? (name === "hang" || name === "error" ? "page" : on)) === on &&
    (fault.page === undefined || fault.page === page);
  return {
    get pending() {
      return waiting.length;
    },
    add,
    take(name, on, page) {
      const found = waiting.find(({ fault }) => fits(fault, name, on, page));
      if (!found) return undefined;
      found.left -= 1;
      if (found.left === 0) waiting = waiting.filter((entry) => entry !== found);
      return found.fault;
    },
    clear() {
      waiting = [];
    },
  };
}
