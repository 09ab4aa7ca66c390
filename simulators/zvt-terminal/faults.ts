import { z } from "../../src/kernel/schema.js";

/** Where a sale can be broken off, in the order in which it gets there. */
export const STEPS = {
  "command-received": "06 01 has come, nothing has been answered",
  "command-answered": "80 00 00 has been sent",
  "insert-card-shown": "04 FF 0A has been sent",
  "card-presented": "a card is there, the host knows nothing yet",
  "host-asked": "04 FF 04 has been sent, the host decides",
  "host-answered": "the host has decided and booked",
  "result-shown": "04 FF 1C or 1D has been sent",
  "status-information-begun": "half of the 04 0F has been sent",
  "status-information-sent": "04 0F has been sent, no answer has come",
  "answer-lost": "the answer to 04 0F has left the ECR and does not arrive",
  "answer-taken": "the answer to 04 0F has been taken",
  "print-begun": "the first line of the receipt has been sent",
  "remove-card-shown": "04 FF 0B has been sent",
  "completion-begun": "half of the 06 0F or 06 1E has been sent",
  "completion-sent": "06 0F or 06 1E has been sent, no answer has come",
} as const;
export type StepName = keyof typeof STEPS;
export const STEP_NAMES = Object.keys(STEPS) as StepName[];

/** What can go wrong: on the line, in the protocol, in the terminal. `at`: the step where none is told. */
export const FAULTS = {
  // The line.
  nak: { is: "a good block is answered with NAK (serial)" },
  "bad-crc": { is: "a block goes out with a wrong CRC (serial)" },
  "ack-not-seen": { is: "an ACK of the ECR is lost: the block comes again (serial)" },
  "ack-not-sent": { is: "the ACK of a block is lost (serial)" },
  truncated: { is: "only half of a message goes out; over TCP the connection ends there" },
  gap: { is: "a pause of ms (250) in the middle of a message" },
  fragments: { is: "a message goes out byte by byte" },
  coalesced: { is: "80 00 00 travels in one piece with the message after it (tcp)" },
  garbage: { is: "20 random bytes before a message" },
  "dle-storm": { is: "04 0F holds a text of nothing but 0x10" },
  "long-length": { is: "04 0F is longer than 254 bytes: length FF lo hi" },
  disconnect: { is: "the wire ends at step (how: close, rst, half-open)", at: "status-information-sent" },
  // The protocol.
  "no-answer": { is: "a command is obeyed but gets no 80 00 00" },
  refuse: { is: "a command gets 84 code (A0 busy, 9C wait, F0 end of day needed …)" },
  silence: { is: "nothing happens for ms (200000, past T4) at step", at: "command-answered" },
  "endless-status": { is: "04 FF 04 every ms (1000) at step, until the wire ends", at: "host-asked" },
  "late-status-information": { is: "04 0F comes ms (200000) late", at: "result-shown" },
  "duplicate-status-information": { is: "04 0F comes again after it was answered", at: "answer-taken" },
  "stray-status-information": { is: "04 0F comes once more after the completion" },
  "stale-status-information": { is: "04 0F of the previous receipt instead of this sale's" },
  "no-result": { is: "04 0F without BMP 27" },
  "wrong-amount": { is: "04 0F tells one dong more" },
  "wrong-terminal": { is: "04 0F tells another terminal" },
  "abort-instead": { is: "06 1E code (6C) comes instead of the 04 0F of an approved sale, which is then taken back" },
  "abort-after-status": { is: "06 1E code (6C) comes after the answer to 04 0F, instead of 06 0F; the sale stands" },
  "completion-dropped": { is: "06 0F never comes" },
  "print-flood": { is: "so many lines to print (500), asked for or not" },
  "abort-ignored": { is: "06 B0 is answered and does nothing" },
  "approve-races-abort": { is: "06 B0 is answered, while the card is presented and the host approves" },
  indiscreet: {
    is: "04 0F and receipts (each is one of times) tell the whole card number, tracks, expiry, CVV and a PIN; meanwhile 04 FF and the version, too",
  },
  // The terminal.
  reboot: { is: "it restarts at step; history: kept or lost", at: "host-asked" },
} as const satisfies Readonly<Record<string, { readonly is: string; readonly at?: StepName }>>;
export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

const described = (table: Readonly<Record<string, { readonly is: string } | string>>): string =>
  Object.entries(table)
    .map(([name, entry]) => `${name}: ${typeof entry === "string" ? entry : entry.is}`)
    .join("; ");

export const FAULT_TABLE = described(FAULTS);
export const STEP_TABLE = described(STEPS);

export const Step = z.enum(STEP_NAMES).describe(STEP_TABLE);
export const HOW = ["close", "rst", "half-open"] as const;
export type How = (typeof HOW)[number];
export const AutoReversal = z
  .enum(["succeeds", "late", "hidden", "fails", "stuck"])
  .describe(
    "taking back a sale that the ECR did not confirm. late: busy for long; hidden: late, but looks idle; fails: the sale stands, and is the last receipt; stuck: busy for good",
  );
export type AutoReversal = z.output<typeof AutoReversal>;

export const Fault = z.strictObject({
  fault: z.enum(FAULT_NAMES).describe(FAULT_TABLE),
  times: z.int().min(1).max(1_000_000).default(1).describe("so often, then no more"),
  step: Step.optional(),
  apdu: z
    .string()
    .regex(/^[0-9a-f]{4}$/)
    .optional()
    .describe("only messages with this control field, e.g. 040f"),
  ms: z.int().min(0).max(3_600_000).optional(),
  code: z.int().min(0).max(255).optional(),
  lines: z.int().min(1).max(100_000).optional(),
  how: z.enum(HOW).default("close"),
  host: z.enum(["approved", "declined"]).optional().describe("what the host says to the sale that is broken off, asked or not"),
  autoReversal: AutoReversal.optional(),
  history: z.enum(["kept", "lost"]).default("kept"),
});
export type Fault = z.output<typeof Fault>;

export interface Faults {
  readonly pending: number;
  add(fault: Fault): void;
  /** The next one of this name that fits, used up once. */
  take(name: FaultName, where?: { readonly step?: StepName; readonly command?: number }): Fault | undefined;
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
  const find = (name: FaultName, step: StepName | undefined, command: number | undefined) =>
    waiting.find(
      ({ fault }) =>
        fault.fault === name &&
        (step === undefined || stepOf(fault) === step) &&
        (command === undefined || fault.apdu === undefined || Number.parseInt(fault.apdu, 16) === command),
    );
  return {
    get pending() {
      return waiting.length;
    },
    add,
    take(name, { step, command } = {}) {
      const found = find(name, step, command);
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
