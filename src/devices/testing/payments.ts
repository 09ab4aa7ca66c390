import { defineDriver } from "../../contracts/driver.js";
import type {
  InterruptedPayment,
  PaymentFacts,
  PaymentOutcome,
  PaymentRequest,
  PaymentSteps,
  PaymentTerminal,
  TerminalTotals,
  Transfers,
} from "../../contracts/payment-terminal.js";
import { admitPatch, admitRecord } from "../../journal/admissible.js";
import type { JobRecord } from "../../journal/types.js";
import { type ManualClock, manualClock } from "../../kernel/clock.js";
import { DeviceError } from "../../kernel/errors.js";
import type { LogFields, Logger } from "../../kernel/log.js";
import { noMeter } from "../../kernel/meter.js";
import { seededRandom } from "../../kernel/random.js";
import { z } from "../../kernel/schema.js";
import { Secret } from "../../kernel/secret.js";
import type { PaymentJob, PaymentParams } from "../../protocol/payment-terminal.js";
import { Bay } from "../bay.js";
import type { DeviceSpec } from "../device-spec.js";
import { PaymentService } from "../payment-service.js";
import { bayContext, settle } from "./devices.js";
import { type MemoryJournal, memoryJournal } from "./fakes.js";

export const FACTS: PaymentFacts = { receiptNumber: "0008", traceNumber: "000123", cardLastFour: "4242" };
export const APPROVED: PaymentOutcome = { state: "approved", facts: FACTS };
export const ended = (state: Exclude<PaymentOutcome["state"], "approved">): PaymentOutcome => ({
  state,
  reason: new DeviceError("device_fault"),
});

/** A terminal whose every step the test decides. By default it takes a payment as the book says. */
export interface ScriptedTerminal {
  /** How often a sale, a reversal was asked for. */
  sales: number;
  reversals: number;
  readonly resolved: InterruptedPayment[];
  readonly closes: boolean[];
  open: () => Promise<void>;
  pay: (steps: PaymentSteps, signal: AbortSignal, request: PaymentRequest) => Promise<PaymentOutcome>;
  reverse: (steps: PaymentSteps, signal: AbortSignal, payment: PaymentFacts) => Promise<PaymentOutcome>;
  resolve: (payment: InterruptedPayment) => Promise<PaymentOutcome>;
  totals: () => Promise<TerminalTotals>;
  /** Of a terminal that is paid by transfer: its payments run side by side. */
  transfers?: Transfers;
  /** Ends the newest opening as a pulled cable would. */
  lose(): void;
}

/** Services, terminal and journal of one test; `restart` is a crash: a new process over the same records. */
export interface PaymentRig {
  readonly clock: ManualClock;
  readonly journal: MemoryJournal;
  readonly script: ScriptedTerminal;
  bay: Bay<"paymentTerminal">;
  service: PaymentService;
  /** Durable marks (`disk …`) and bytes (`wire …`) in the order in which they happened. */
  readonly timeline: string[];
  readonly published: { readonly job: PaymentJob; readonly principal: string }[];
  readonly audit: { readonly event: string; readonly fields: LogFields | undefined }[];
  wire(bytes: string): void;
  restart(): Promise<void>;
}

export async function paymentRig(records = new Map<string, JobRecord>(), script = scriptedTerminal()): Promise<PaymentRig> {
  const journal = memoryJournal(records);
  const severed: { now?: () => void } = {};
  const rig = {
    clock: manualClock(),
    journal,
    script,
    timeline: [],
    published: [],
    audit: [],
    wire: (bytes) => void rig.timeline.push(`wire ${bytes}`),
    restart: async () => {
      // The old process is gone in mid-sentence: nothing of it reaches the disk any more.
      severed.now?.();
      start();
      await settle();
    },
  } satisfies Omit<PaymentRig, "bay" | "service"> as unknown as PaymentRig;
  const log: Logger = {
    debug() {},
    info: (event, fields) => void rig.audit.push({ event, fields }),
    warn() {},
    error() {},
    with: () => log,
  };
  let starts = 0;
  const start = (): void => {
    let alive = true;
    severed.now = () => {
      alive = false;
    };
    const never = new Promise<never>(() => {});
    rig.bay = new Bay(specOf(rig), bayContext(rig.clock), () => {});
    rig.service = new PaymentService({
      clock: rig.clock,
      random: seededRandom(++starts),
      log,
      meter: noMeter,
      journal: {
        ...journal,
        begin: async (record) => (alive ? await journal.begin(admitRecord(record)) : await never),
        advance: async (id, patch) => {
          if (!alive) return await never;
          await journal.advance(id, admitPatch(patch));
          rig.timeline.push(`disk ${journal.log.at(-1)}`);
        },
      },
      stationKey: async () => new Secret(new Uint8Array(32)),
      publish: (job, principal) => void (alive && rig.published.push({ job, principal })),
    });
    void rig.service.adopt(rig.bay);
    rig.bay.start();
  };
  script.pay = async (steps) => {
    await steps.armed({ receiptNumber: "0007" });
    rig.wire("sale");
    void steps.sent();
    steps.progress("present_card");
    await steps.held(FACTS);
    await steps.answering();
    rig.wire("ok");
    return APPROVED;
  };
  script.reverse = async (steps) => {
    await steps.armed({ receiptNumber: "0008" });
    rig.wire("reversal");
    void steps.sent();
    await steps.held({ receiptNumber: "0009" });
    await steps.answering();
    return { state: "approved", facts: { receiptNumber: "0009" } };
  };
  start();
  await settle();
  return rig;
}

export function scriptedTerminal(): ScriptedTerminal {
  return {
    sales: 0,
    reversals: 0,
    resolved: [],
    closes: [],
    open: async () => {},
    pay: async () => APPROVED,
    reverse: async () => APPROVED,
    resolve: async () => APPROVED,
    totals: async () => ({ count: 0, sumVnd: 0 }),
    lose: () => {},
  };
}

function specOf({ script }: PaymentRig): DeviceSpec<"paymentTerminal"> {
  const driver = defineDriver({
    class: "paymentTerminal",
    id: "scripted",
    summary: "",
    config: z.strictObject({}),
    links: ["tcp"],
    ...(script.transfers ? { payment: { method: "vietqr", sideBySide: true } } : {}),
    open: async () => {
      await script.open();
      const terminal: PaymentTerminal = {
        identity: { model: "Scripted" },
        capabilities: {},
        lost: new Promise((resolve) => {
          script.lose = () => resolve(new DeviceError("device_absent"));
        }),
        selfTest: async () => [],
        close: async () => {},
        ...(script.transfers ? { transfers: script.transfers } : {}),
        pay: async (request, steps, signal) => {
          script.sales++;
          return await script.pay(steps, signal, request);
        },
        reverse: async (payment, _amountVnd, steps, signal) => {
          script.reversals++;
          return await script.reverse(steps, signal, payment);
        },
        resolve: async (payment) => {
          script.resolved.push(payment);
          return await script.resolve(payment);
        },
        totals: async (close) => {
          script.closes.push(close);
          return await script.totals();
        },
      };
      return terminal;
    },
  });
  const connect = (): Promise<never> => Promise.reject(new DeviceError("device_absent"));
  return { id: "terminal", driver, settings: {}, connect, simulated: false, enabled: true };
}

export const bill = (idempotencyKey = "bill-0000001", amountVnd = 50_000): PaymentParams<"pay"> => ({
  device: undefined,
  amountVnd,
  currency: "VND",
  reference: "HS-2024/17",
  description: "Lệ phí của Nguyễn Thị Thử",
  idempotencyKey,
  timeoutMs: 180_000,
});

export const takeBack = (job: string, idempotencyKey = "back-0000001"): PaymentParams<"reverse"> => ({
  job,
  idempotencyKey,
  timeoutMs: 180_000,
});

/** A door that the test opens. */
export function gate<T = void>(): { readonly opened: Promise<T>; open(value: T): void } {
  let open = (_value: T): void => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open: (value) => open(value) };
}
