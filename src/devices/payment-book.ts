import assert from "node:assert/strict";
import type { PaymentCode, PaymentOutcome } from "../contracts/payment-terminal.js";
import type { JobOutcome, JobRecord, Journal } from "../journal/types.js";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import type { Meter } from "../kernel/meter.js";
import type { Call } from "../protocol/call.js";
import type { PaymentJob } from "../protocol/payment-terminal.js";
import { Fifo } from "./fifo.js";
import { evidenceOf, jobOutcome, lifeOf, type PaymentEvidence, type PaymentStep, shownPayment } from "./payment-job.js";
import { isUnresolved, nextLife, type PaymentEvent, type PaymentLife } from "./payment-machine.js";

export interface PaymentBookContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly meter: Meter;
  readonly journal: Journal;
  /** Tells the job's principal how it stands now. */
  publish(job: PaymentJob, principal: string): void;
}

/** A payment or reversal that this process works on. */
export interface LivePayment {
  record: JobRecord;
  life: PaymentLife;
  /** Of a reversal: the payment that it takes back. */
  original: JobRecord | undefined;
  /** The driver's call whose marks count; those of any other are refused. */
  attempt: symbol | undefined;
  /** Marks are written one after the other. Never rejects. */
  marks: Promise<unknown>;
  /** Asks to stop. Obeyed until `armed`; after it the terminal decides. */
  readonly stop: AbortController;
  readonly watchers: Set<Call>;
  /** The terminal's own receipt: for who asks while this process works on it, and gone afterwards. */
  readonly receiptLines: string[];
  /** What the payer scans, where the driver shows something. */
  code: PaymentCode | undefined;
  readonly simulated: boolean;
  /** Aborts when this process stops caring: the journal keeps the job open for the next. */
  readonly ending: AbortSignal;
  /** Why there is no payment, where no record could say so: the journal cannot be written. */
  refused: DeviceError | undefined;
  /** Wakes those who wait for an answer that `refused` has. */
  readonly refusal: AbortController;
  /** Never rejects. */
  done: Promise<void>;
}

const RETRY_MS = 1_000;
const RECEIPT_LINES = 200;
const RECEIPT_LINE_LENGTH = 120;

export type PaymentPatch = { readonly step?: PaymentStep; readonly outcome?: JobOutcome; readonly evidence?: Partial<PaymentEvidence> };

/** What this process works on, and the only writer of its records. What is in memory follows what is on disk, never the other way round. */
export class PaymentBook {
  readonly #context: PaymentBookContext;
  readonly #live = new Map<string, LivePayment>();
  readonly #pens = new Map<string, Fifo>();

  constructor(context: PaymentBookContext) {
    this.#context = context;
  }

  /** Held by whoever reads an ended record to write it anew: transfers and technicians come at the same time, and each wants what the other wrote. */
  pen(device: string): Fifo {
    const pen = this.#pens.get(device) ?? new Fifo(64, () => {});
    this.#pens.set(device, pen);
    return pen;
  }

  admit(record: JobRecord, life: PaymentLife, ending: AbortSignal, simulated: boolean): LivePayment {
    const live: LivePayment = {
      record,
      life,
      original: undefined,
      attempt: undefined,
      marks: Promise.resolve(),
      stop: new AbortController(),
      watchers: new Set(),
      receiptLines: [],
      code: undefined,
      simulated,
      ending,
      refused: undefined,
      refusal: new AbortController(),
      done: Promise.resolve(),
    };
    this.#live.set(record.id, live);
    return live;
  }

  drop(live: LivePayment): void {
    this.#live.delete(live.record.id);
  }

  get(id: string): LivePayment | undefined {
    return this.#live.get(id);
  }

  find(principal: string, key: string): LivePayment | undefined {
    return [...this.#live.values()].find(({ record }) => record.principal === principal && record.idempotencyKey === key);
  }

  /** Of one opening of a device's bay. */
  of(ending: AbortSignal): LivePayment[] {
    return [...this.#live.values()].filter((live) => live.ending === ending);
  }

  /** The payment that must be known before anything else is charged on this terminal. */
  unresolved(ending: AbortSignal): LivePayment | undefined {
    return this.of(ending).find((live) => isUnresolved(live.life) || live.original?.step === "reversing");
  }

  shown(record: JobRecord, simulated: boolean): PaymentJob {
    const live = this.#live.get(record.id);
    if (live) return shownLive(live);
    const reversal = [...this.#live.values()].find(({ original }) => original?.id === record.id && original.step === "reversing");
    return reversal ? shownOriginal(reversal, reversal.original ?? record) : shownPayment(record, undefined, simulated);
  }

  open(principal: string | undefined): PaymentJob[] {
    return [...this.#live.values()]
      .flatMap((live) => {
        const own = live.record.outcome ? [] : [{ of: live.record, shown: shownLive(live) }];
        const { original } = live;
        return original?.step === "reversing" ? [...own, { of: original, shown: shownOriginal(live, original) }] : own;
      })
      .filter(({ of }) => principal === undefined || of.principal === principal)
      .map(({ shown }) => shown);
  }

  /** Asks to stop, whatever may still be stopped: once armed the terminal decides. */
  stop(live: LivePayment, reason: unknown): void {
    if (nextLife(live.life, "stop")) live.stop.abort(reason);
  }

  /** A step that needs no disk: it says less than the journal does, never more. */
  move(live: LivePayment, event: PaymentEvent): void {
    const next = nextLife(live.life, event);
    assert(next, `${event} cannot happen to a payment that is ${live.life}`);
    if (next === live.life) return;
    live.life = next;
    this.#publish(live);
  }

  progress(live: LivePayment, stage: string, fraction?: number): void {
    for (const call of live.watchers) call.progress(stage, fraction);
  }

  showCode(live: LivePayment, code: PaymentCode): void {
    live.code = code;
    this.#publish(live);
  }

  receiptLine(live: LivePayment, line: string): void {
    if (live.receiptLines.length < RECEIPT_LINES) live.receiptLines.push(line.slice(0, RECEIPT_LINE_LENGTH));
  }

  /**
   * A durable mark on the driver's behalf. Rejects where the driver must not go on: the journal did not take it, the driver was let go
   * or asked to stop before `armed`, or the mark is out of its order.
   */
  mark(live: LivePayment, attempt: symbol, event: PaymentEvent, patch: PaymentPatch): Promise<void> {
    const mustStillCount = (): void => {
      live.ending.throwIfAborted();
      if (live.attempt !== attempt) throw new DeviceError("device_absent", { device: live.record.device, message: "let go meanwhile" });
    };
    const marked = live.marks.then(async () => {
      mustStillCount();
      if (event === "send" && live.record.step !== "armed") return; // told late: the journal knows more
      if (event === "arm") {
        live.stop.signal.throwIfAborted();
        this.#mustBePossible(live, event);
        await this.#beginReversing(live);
        mustStillCount();
      }
      await this.#advance(live, event, patch);
      mustStillCount(); // it may have been let go while the mark was being written
    });
    live.marks = marked.catch(() => {});
    return marked;
  }

  /** For a driver that forgot the mark: better late, so that the terminal is asked. */
  async armLate(live: LivePayment, day: number): Promise<void> {
    await this.persist(async () => {
      if (live.original?.step !== "reversing") await this.#beginReversing(live);
      await this.#advance(live, "arm", { step: "armed", evidence: { baseline: {}, day } });
    }, live.ending);
  }

  /**
   * Writes the end down, as often as it takes. Until the journal has it the payment is not known to have ended. The caller has made sure
   * that the outcome may follow.
   */
  async end(live: LivePayment, outcome: PaymentOutcome): Promise<void> {
    let facts = "facts" in outcome ? outcome.facts : undefined;
    for (;;) {
      if (live.life === "unknown") this.move(live, "ask");
      const event: PaymentEvent = outcome.state === "not_started" ? "refuse" : `say_${outcome.state}`;
      const patch: PaymentPatch = { step: "ended", outcome: jobOutcome(live.record, outcome), ...(facts ? { evidence: { facts } } : {}) };
      try {
        await this.#advance(live, event, patch);
        break;
      } catch (thrown) {
        const error = this.unwritten(thrown);
        // Facts that the journal will never take do not keep a payment open for ever.
        if (error.kind !== "journal_unavailable") facts = undefined;
        if (live.life === "created") {
          live.refused ??= error;
          live.refusal.abort(error);
        } else this.move(live, "lose");
        await this.#context.clock.sleep(RETRY_MS, live.ending);
      }
    }
    const { device, id, outcome: written } = live.record;
    const state = written?.state ?? "";
    const reversal = evidenceOf(live.record).reverses !== undefined;
    this.#context.log.info(reversal ? "audit: reversal ended" : "payment ended", { device, job: id, state });
    this.#context.meter.count(reversal ? "stationd_reversals_total" : "stationd_payments_total", { device, state });
    if (live.original) await this.endReversing(live);
  }

  /** Brings the payment in line with how its reversal ended. Done again after a crash between the two. */
  async endReversing(live: Pick<LivePayment, "record" | "original" | "ending" | "simulated">): Promise<void> {
    const { original, record } = live;
    if (original?.step !== "reversing" || evidenceOf(original).reversal !== record.id) return;
    const event = REVERSAL_EVENTS[record.outcome?.state ?? ""] ?? "reversal_refused";
    const state = nextLife("reversing", event);
    assert(state);
    const reason = state === "manual_review" ? record.outcome?.reason : undefined;
    const outcome: JobOutcome = { state, final: true, ...(reason ? { reason } : {}) };
    live.original = await this.persist(() => this.write(original, { step: "ended", outcome }), live.ending);
    this.#context.publish(shownPayment(live.original, undefined, live.simulated), original.principal);
  }

  /** Repeats until the journal takes it, or the agent ends. */
  async persist<T>(write: () => Promise<T>, ending: AbortSignal): Promise<T> {
    for (;;) {
      try {
        return await write();
      } catch (thrown) {
        this.unwritten(thrown);
        await this.#context.clock.sleep(RETRY_MS, ending);
      }
    }
  }

  /** The record as it is on disk now. Facts are added to those that it has. */
  async write(record: JobRecord, patch: PaymentPatch): Promise<JobRecord> {
    const written = patched(record, patch, this.#context.clock.now());
    const { step, outcome, evidence, updatedAt } = written;
    await this.#context.journal.advance(record.id, { step, evidence, updatedAt, ...(outcome ? { outcome } : {}) });
    return written;
  }

  unwritten(thrown: unknown): DeviceError {
    this.#context.log.error("the journal cannot be written", {}, thrown);
    return thrown instanceof DeviceError ? thrown : new DeviceError("internal", { cause: thrown });
  }

  /** The payment is marked before its reversal can be armed, so that no crash leaves it plainly approved under a running reversal. */
  async #beginReversing(live: LivePayment): Promise<void> {
    if (!live.original) return;
    const state = nextLife(lifeOf(live.original), "reverse");
    assert(state, "only an approved payment is taken back");
    const patch: PaymentPatch = { step: "reversing", outcome: { state, final: false }, evidence: { reversal: live.record.id } };
    const writing = this.write(live.original, patch);
    // Where the write fails nobody knows what is on disk: taken for reversing until `endReversing` has written that it is not.
    live.original = patched(live.original, patch, this.#context.clock.now());
    await writing;
    this.#context.publish(shownOriginal(live, live.original), live.original.principal);
  }

  #mustBePossible(live: LivePayment, event: PaymentEvent): PaymentLife {
    const next = nextLife(live.life, event);
    if (next) return next;
    throw new DeviceError("internal", { device: live.record.device, message: `${event} cannot follow ${live.life}` });
  }

  async #advance(live: LivePayment, event: PaymentEvent, patch: PaymentPatch): Promise<void> {
    const next = this.#mustBePossible(live, event);
    live.record = await this.write(live.record, patch);
    live.life = nextLife(live.life, event) ?? next; // the terminal may have shown progress meanwhile
    this.#publish(live);
  }

  #publish(live: LivePayment): void {
    this.#context.publish(shownLive(live), live.record.principal);
    const { original } = live;
    if (original?.step === "reversing") this.#context.publish(shownOriginal(live, original), original.principal);
  }
}

function patched(record: JobRecord, { evidence, ...patch }: PaymentPatch, updatedAt: number): JobRecord {
  return { ...record, ...patch, evidence: { ...record.evidence, ...evidence } as JobRecord["evidence"], updatedAt };
}

const REVERSAL_EVENTS: Readonly<Record<string, PaymentEvent>> = {
  reversed: "reversal_done",
  manual_review: "reversal_in_doubt",
};

export function shownLive({ record, life, simulated, code }: LivePayment): PaymentJob {
  return shownPayment(record, life, simulated, code);
}

function shownOriginal(live: LivePayment, original: JobRecord): PaymentJob {
  return shownPayment(original, isUnresolved(live.life) ? "reversal_unknown" : "reversing", live.simulated);
}
