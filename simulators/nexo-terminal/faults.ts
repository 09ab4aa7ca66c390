import { z } from "../../src/kernel/schema.js";

/** Where a payment or reversal can be broken off, in the order in which it gets there. */
export const STEPS = {
  "connection-accepted": "a connection is there, before TLS: the terminal knows of no payment, and books none",
  "request-begun": "half of the request has come: the terminal knows of no payment, and books none",
  "request-received": "the whole request has come, nothing has been done",
  accepted: "the payment has begun, a card is asked for",
  "card-presented": "a card is there, the host knows nothing yet",
  "host-asked": "the host decides",
  "host-answered": "the host has decided and booked",
  "remove-card-shown": "the cardholder is asked to take the card",
  "result-ready": "the terminal remembers the result, nothing of the response has been sent",
  "response-begun": "half of the response has been sent",
  "response-sent": "the whole response has been sent",
} as const;
export type StepName = keyof typeof STEPS;
export const STEP_NAMES = Object.keys(STEPS) as StepName[];

/** Why the terminal says Failure (nexo Sale to POI, ErrorCondition; as far as Adyen's dialect has them). */
export const ERROR_CONDITIONS = [
  "Aborted",
  "Busy",
  "Cancel",
  "DeviceOut",
  "InProgress",
  "InsertedCard",
  "InvalidCard",
  "LoggedOut",
  "MessageFormat",
  "NotAllowed",
  "NotFound",
  "PaymentRestriction",
  "Refusal",
  "UnavailableDevice",
  "UnavailableService",
  "UnreachableHost",
  "WrongPIN",
] as const;
export type ErrorCondition = (typeof ERROR_CONDITIONS)[number];

/** What can go wrong: on the wire, in the envelope, in the protocol, in the terminal. `at`: the step where none is told. */
export const FAULTS = {
  // TLS: of the next connection.
  "foreign-certificate": { is: "the certificate is another authority's" },
  "wrong-name": { is: "the certificate is another terminal's" },
  "expired-certificate": { is: "the certificate has expired" },
  // The wire and HTTP.
  disconnect: { is: "the connections end at step (how: close, rst, half-open)", at: "result-ready" },
  "http-refuse": { is: "HTTP status code (503); the request is not obeyed" },
  "http-error": { is: "HTTP status code (500) instead of the response; the request was obeyed" },
  "truncated-body": { is: "half of the response's body, then the connection ends" },
  "huge-body": { is: "the response is followed by so many bytes (8388608) of blanks" },
  garbage: { is: "20 random bytes instead of HTTP; the request was obeyed" },
  fragments: { is: "the response comes in pieces of 7 bytes" },
  silence: { is: "nothing happens for ms (200000, past 120 s) at step", at: "accepted" },
  // The envelope.
  "bad-hmac": { is: "the response's Hmac is wrong" },
  "wrong-key": { is: "the response is sealed with another passphrase" },
  "wrong-key-version": { is: "the response names another KeyVersion" },
  "bad-base64": { is: "the response's NexoBlob is no base64" },
  "bad-nonce": { is: "the response's Nonce is too short" },
  "no-envelope": { is: "the response comes unencrypted" },
  // The protocol.
  error: { is: "Failure with condition (Busy) at once; nothing is charged" },
  "no-result": { is: "the response has no Response.Result" },
  "wrong-amount": { is: "the response tells one dong more than was charged" },
  partial: { is: "the host approves amountVnd (half) only; Result is result (Partial)" },
  "wrong-sale-id": { is: "the response's SaleID is another one" },
  "wrong-poi-id": { is: "the response's POIID is another one" },
  "wrong-service-id": { is: "the response's ServiceID is another one" },
  "status-not-found": { is: "a status request is told NotFound, although it is there" },
  "status-in-progress": { is: "a status request is told InProgress, although it has ended" },
  "status-other": { is: "a status request is told of the transaction before" },
  "abort-ignored": { is: "an abort request does nothing" },
  "approve-races-abort": { is: "an abort request comes while the card is presented and the host approves" },
  "accept-duplicate": { is: "a request whose ServiceID was used is obeyed again: it charges again" },
  "duplicate-notification": { is: "a display notification comes twice" },
  "notification-lost": { is: "a display notification does not come" },
  "notification-flood": { is: "so many display notifications (200) instead of one" },
  indiscreet: {
    is: "the response (also one that is repeated) tells the whole card number, tracks, expiry, CVV and a PIN; meanwhile notifications and errors, too",
  },
  // The terminal.
  reboot: { is: "it restarts at step; history: kept or lost", at: "host-asked" },
} as const satisfies Readonly<Record<string, { readonly is: string; readonly at?: StepName }>>;
export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

export const FAULT_TABLE = Object.entries(FAULTS)
  .map(([name, { is }]) => `${name}: ${is}`)
  .join("; ");
export const STEP_TABLE = Object.entries(STEPS)
  .map(([name, is]) => `${name}: ${is}`)
  .join("; ");

export const Step = z.enum(STEP_NAMES).describe(STEP_TABLE);
export const HOW = ["close", "rst", "half-open"] as const;
export type How = (typeof HOW)[number];

export const Fault = z.strictObject({
  fault: z.enum(FAULT_NAMES).describe(FAULT_TABLE),
  times: z.int().min(1).max(1_000_000).default(1).describe("so often, then no more"),
  step: Step.optional(),
  category: z
    .enum(["Payment", "Reversal", "TransactionStatus", "Abort", "Diagnosis", "Display"])
    .optional()
    .describe("only requests of this category, and the responses to them; Display: faults of the envelope, of display notifications"),
  ms: z.int().min(0).max(3_600_000).optional(),
  code: z.int().min(400).max(599).optional(),
  bytes: z
    .int()
    .min(1)
    .max(64 * 1024 * 1024)
    .optional(),
  count: z.int().min(1).max(10_000).optional(),
  amountVnd: z.int().min(1).optional(),
  result: z.enum(["Partial", "Success"]).default("Partial"),
  condition: z.enum(ERROR_CONDITIONS).default("Busy"),
  how: z.enum(HOW).default("close"),
  host: z.enum(["approved", "declined"]).optional().describe("what the host says to the payment that is broken off, asked or not"),
  history: z.enum(["kept", "lost"]).default("kept"),
});
export type Fault = z.output<typeof Fault>;

export interface Faults {
  readonly pending: number;
  add(fault: Fault): void;
  /** The next one of this name that fits, used up once. */
  take(name: FaultName, where?: { readonly step?: StepName; readonly category?: string }): Fault | undefined;
  /** Whether one waits, using up nothing. */
  peek(name: FaultName, step?: StepName): Fault | undefined;
  clear(): void;
}

const stepOf = ({ step, fault }: Fault): StepName | undefined => {
  const facts: { readonly is: string; readonly at?: StepName } = FAULTS[fault];
  return step ?? facts.at;
};

export function createFaults(scripted: readonly Fault[]): Faults {
  let waiting: { readonly fault: Fault; left: number }[] = [];
  const add = (fault: Fault): void => void waiting.push({ fault, left: fault.times });
  scripted.forEach(add);
  const find = (name: FaultName, step: StepName | undefined, category: string | undefined) =>
    waiting.find(
      ({ fault }) =>
        fault.fault === name &&
        (step === undefined || stepOf(fault) === step) &&
        // What the terminal sends by itself has only the faults that are meant for it.
        (category === undefined || fault.category === category || (fault.category === undefined && category !== "Display")),
    );
  return {
    get pending() {
      return waiting.length;
    },
    add,
    take(name, { step, category } = {}) {
      const found = find(name, step, category);
      if (!found) return undefined;
      found.left -= 1;
      if (found.left === 0) waiting = waiting.filter((entry) => entry !== found);
      return found.fault;
    },
    peek: (name, step) => find(name, step, undefined)?.fault,
    clear() {
      waiting = [];
    },
  };
}
