import { setMaxListeners } from "node:events";
import type { PaymentOutcome, PaymentSteps, PaymentTerminal } from "../contracts/payment-terminal.js";
import { requestHmac } from "../journal/request-hmac.js";
import type { JobRecord } from "../journal/types.js";
import { deadline, raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import { type Random, randomId } from "../kernel/random.js";
import type { Secret } from "../kernel/secret.js";
import type { Call } from "../protocol/call.js";
import type { PaymentJob, PaymentParams, PaymentResult } from "../protocol/payment-terminal.js";
import { type LivePayment, PaymentBook, type PaymentBookContext, shownLive } from "./payment-book.js";
import { PaymentDesk } from "./payment-desk.js";
import { evidenceOf, lifeOf, type PaymentEvidence } from "./payment-job.js";
import { nextLife } from "./payment-machine.js";
import { paymentOf, recoverPayments } from "./payment-recovery.js";
import { type PaymentOrder, PaymentRun, sideBySide, type TerminalBay, unresolved } from "./payment-run.js";
import { PaymentTransfers } from "./payment-transfers.js";
import { pruneBefore } from "./retention.js";

export interface PaymentServiceContext extends PaymentBookContext {
  readonly random: Random;
  readonly stationKey: () => Promise<Secret<Uint8Array>>;
}

export type PayRequest = PaymentParams<"pay">;
export type ReverseRequest = PaymentParams<"reverse">;

/** One terminal, for as long as its bay lives. */
interface Counter {
  readonly ending: AbortController;
  /** What an earlier run left open is known, and blocks the terminal until it is settled. */
  readonly listed: Promise<unknown>;
  recovered: boolean;
}

/** A page that asks for codes without end fills neither memory nor journal. */
const MOST_SIDE_BY_SIDE = 64;
/** How long a caller who asked to stop waits for the terminal to say whether it did. */
const STOP_ANSWER_MS = 1_500;

/** Charges each bill once, whatever is pulled, killed or asked twice. Outlives the client that asked. */
export class PaymentService {
  readonly #context: PaymentServiceContext;
  readonly #book: PaymentBook;
  readonly #run: PaymentRun;
  readonly #desk: PaymentDesk;
  readonly #transfers: PaymentTransfers;
  readonly #counters = new Map<TerminalBay, Counter>();

  constructor(context: PaymentServiceContext) {
    this.#context = context;
    this.#book = new PaymentBook(context);
    this.#run = new PaymentRun(this.#book, context);
    this.#desk = new PaymentDesk(context, this.#book);
    this.#transfers = new PaymentTransfers(context, this.#book);
  }

  /** Before a terminal serves anyone, what an earlier run left open on it is found out. */
  adopt(bay: TerminalBay): Promise<void> {
    const ending = new AbortController();
    // One listener for each payment that is open, and they may be many.
    setMaxListeners(0, ending.signal);
    const recovery = recoverPayments({ ...this.#context, book: this.#book, run: this.#run }, bay, ending.signal);
    for (const end of [recovery.listed, recovery.settled]) end.catch(() => {});
    const counter: Counter = { ending, listed: recovery.listed, recovered: false };
    this.#counters.set(bay, counter);
    // A code that somebody may still pay is no reason to call the station unready.
    const recovered = (sideBySide(bay) ? recovery.listed : recovery.settled).then(async () => {
      counter.recovered = true;
      // Here and not only daily: a station that is switched off every night never runs for a day.
      await this.#context.journal.prune(pruneBefore(this.#context.clock.now()));
    });
    return recovered.catch(() => {}); // only the end of the agent ends it early
  }

  /** Asks what is under way to stop and lets it say how it ended, for `graceMs` at most; the rest stays open in the journal. */
  async release(bay: TerminalBay, graceMs: number): Promise<void> {
    const counter = this.#counters.get(bay);
    if (!counter) return;
    this.#counters.delete(bay);
    const { ending } = counter;
    const reason = new DeviceError("shutting_down", { device: bay.spec.id });
    const jobs = this.#book.of(ending.signal);
    for (const live of jobs) this.#book.stop(live, reason);
    using grace = deadline(this.#context.clock, graceMs);
    // A terminal that is gone will not answer within the grace, and neither will a payer who has the code on their telephone.
    const answering = bay.device && !sideBySide(bay) ? jobs : jobs.filter((live) => live.life === "created");
    await raceSignal(Promise.all(answering.map((live) => live.done)), grace.signal).catch(() => {});
    ending.abort(reason);
    await Promise.all(jobs.map((live) => live.done));
  }

  async pay(bay: TerminalBay, request: PayRequest, call: Call): Promise<PaymentResult<"pay">> {
    // The device says the method already, and a page may name either.
    const { timeoutMs: _, method: __, ...identity } = request;
    const hmac = await this.#hmac("paymentTerminal.pay", { ...identity, device: bay.spec.id });
    const known = await this.#known(request.idempotencyKey, call);
    if (known) return await this.#again(bay, known, hmac, call);
    const counter = await this.#mayBegin(bay, call);
    const joined = this.#book.find(call.caller.principal, request.idempotencyKey);
    if (joined) return await this.#again(bay, joined.record, hmac, call);
    call.check(); // a page that came back has been told that there is no payment: none may begin after that
    const { amountVnd, reference, description } = request;
    const live = this.#admit(bay, counter, request.idempotencyKey, hmac, call, { amountVnd, reference });
    return await this.#begin(bay, live, call, {
      method: "paymentTerminal.pay",
      ready: () => this.#ready(bay, live, call),
      begin: async (terminal, steps, signal) => {
        const previous = await this.#desk.lastFacts(bay.spec.id);
        return await terminal.pay({ amountVnd, reference, description, ...(previous ? { previous } : {}) }, steps, signal);
      },
    });
  }

  /** Takes an approved payment of this terminal back. @throws DeviceError `payment_unresolved` where nobody knows what there is to take back */
  async reverse(bay: TerminalBay, request: ReverseRequest, call: Call): Promise<PaymentJob> {
    const { timeoutMs: _, ...identity } = request;
    const hmac = await this.#hmac("paymentTerminal.reverse", { ...identity, device: bay.spec.id });
    const known = await this.#known(request.idempotencyKey, call);
    if (known) return await this.#again(bay, known, hmac, call);
    const counter = await this.#mayBegin(bay, call);
    const original = await this.#approved(bay, request.job);
    const joined = this.#book.find(call.caller.principal, request.idempotencyKey);
    if (joined) return await this.#again(bay, joined.record, hmac, call);
    call.check(); // a page that came back has been told that there is no payment: none may begin after that
    const { amountVnd, reference } = evidenceOf(original);
    this.#context.log.info("audit: reversal asked for", audited(original, call));
    const facts = { amountVnd, reference, reverses: original.id };
    const live = this.#admit(bay, counter, request.idempotencyKey, hmac, call, facts);
    return await this.#begin(bay, live, call, {
      method: "paymentTerminal.reverse",
      ready: async () => {
        // Another reversal may have had the turn before this one.
        live.original = await this.#approved(bay, request.job);
        return await this.#ready(bay, live, call);
      },
      begin: (terminal: PaymentTerminal, steps: PaymentSteps, signal: AbortSignal): Promise<PaymentOutcome> =>
        terminal.reverse(evidenceOf(live.original ?? original).facts ?? {}, amountVnd, steps, signal),
    });
  }

  /** A technician's finding, read from the terminal's own journal. Of a payment under manual review, and no other. */
  resolveByHand(bay: TerminalBay, request: PaymentParams<"resolve">, call: Call): Promise<PaymentJob> {
    return this.#desk.resolveByHand(bay, request, call);
  }

  /** @throws DeviceError `job_not_found` where no payment of this device waits or waited for the transfer, `unsupported` */
  async confirm(bay: TerminalBay, request: PaymentParams<"confirm">, call: Call): Promise<PaymentJob> {
    const counter = this.#counters.get(bay);
    if (!counter) throw new DeviceError("shutting_down", { device: bay.spec.id });
    await raceSignal(counter.listed, call.signal);
    return await this.#transfers.confirm(bay, request.confirmation, call.signal, counter.ending.signal);
  }

  /** The journal against the terminal's totals. @throws DeviceError `payment_unresolved`: an end of day would lose the evidence */
  async reconcile(bay: TerminalBay, request: PaymentParams<"reconcile">, call: Call): Promise<PaymentResult<"reconcile">> {
    const { ending } = await this.#mayBegin(bay, call);
    return await this.#desk.reconcile(bay, request, call, ending.signal);
  }

  /** The device that a job belongs to. @throws DeviceError `job_not_found`, `journal_unavailable` */
  async deviceOf(job: string): Promise<string> {
    const record = this.#book.get(job)?.record ?? (await paymentOf(this.#context.journal, job));
    if (!record) throw new DeviceError("job_not_found", { message: "no payment has this name" });
    return record.device;
  }

  shown(record: JobRecord, simulated: boolean): PaymentJob {
    return this.#book.shown(record, simulated);
  }

  /** Payments that this process works on; of one principal, or all. */
  openJobs(principal: string | undefined): PaymentJob[] {
    return this.#book.open(principal);
  }

  /** What an earlier run left open on this terminal is settled. */
  recovered(bay: TerminalBay): boolean {
    return this.#counters.get(bay)?.recovered === true;
  }

  async #hmac(method: string, identity: unknown): Promise<string> {
    return requestHmac(await this.#context.stationKey(), method, identity);
  }

  async #known(key: string, call: Call): Promise<JobRecord | undefined> {
    const { principal } = call.caller;
    return this.#book.find(principal, key)?.record ?? (await this.#context.journal.byKey(principal, key));
  }

  /** @throws DeviceError where nothing may begin on this terminal now */
  async #mayBegin(bay: TerminalBay, call: Call): Promise<Counter> {
    const counter = this.#counters.get(bay);
    if (!counter) throw new DeviceError("shutting_down", { device: bay.spec.id });
    bay.claims.check(call.caller);
    await raceSignal(counter.listed, call.signal);
    this.#mustBeResolved(bay, counter);
    await raceSignal(bay.opened(call.signal), call.signal);
    this.#mustBeResolved(bay, counter);
    return counter;
  }

  #mustBeResolved(bay: TerminalBay, { ending }: Counter): void {
    if (sideBySide(bay)) {
      if (this.#book.of(ending.signal).length < MOST_SIDE_BY_SIDE) return;
      throw new DeviceError("busy", {
        device: bay.spec.id,
        message: "too many payments are open",
        hint: "Wait until some of them have expired",
      });
    }
    const blocking = this.#book.unresolved(ending.signal);
    if (blocking) throw unresolved(blocking);
  }

  /** Once more when the turn has come. */
  async #ready(bay: TerminalBay, live: LivePayment, call: Call): Promise<{ readonly day: number }> {
    bay.claims.check(call.caller);
    live.ending.throwIfAborted();
    return { day: await this.#desk.today(bay.spec.id) };
  }

  async #approved(bay: TerminalBay, job: string): Promise<JobRecord> {
    const record = await paymentOf(this.#context.journal, job, bay.spec.id);
    if (!record || evidenceOf(record).reverses !== undefined) {
      throw new DeviceError("job_not_found", { device: bay.spec.id, message: "no payment of this terminal has this name" });
    }
    const life = this.#book.get(job)?.life ?? lifeOf(record);
    if (nextLife(life, "reverse")) return record;
    const { state, final } = this.shown(record, bay.spec.simulated);
    if (!final || state === "manual_review") throw unresolved({ record, original: undefined });
    throw new DeviceError("invalid_params", {
      device: bay.spec.id,
      message: `job: the payment is ${state}, and only an approved one is taken back`,
    });
  }

  #admit(bay: TerminalBay, { ending }: Counter, key: string, hmac: string, call: Call, evidence: PaymentEvidence): LivePayment {
    const now = this.#context.clock.now();
    const record: JobRecord = {
      id: randomId(this.#context.random),
      kind: "payment",
      device: bay.spec.id,
      principal: call.caller.principal,
      idempotencyKey: key,
      requestHmac: hmac,
      step: "created",
      outcome: undefined,
      evidence: evidence as JobRecord["evidence"],
      createdAt: now,
      updatedAt: now,
    };
    return this.#book.admit(record, "created", ending.signal, bay.spec.simulated);
  }

  async #begin(bay: TerminalBay, live: LivePayment, call: Call, order: PaymentOrder): Promise<PaymentResult<"pay">> {
    const { requestHmac: hmac } = live.record;
    const begun = this.#context.journal.begin(live.record);
    // Whoever asks with the same key from here on waits for this very beginning.
    live.done = begun
      .then(async ({ existing }) => {
        if (!existing) return await this.#run.run(bay, live, order);
        this.#book.drop(live);
        live.record = existing;
        live.life = lifeOf(existing);
      })
      .catch((thrown) => {
        live.refused ??= bay.named(thrown);
        this.#book.drop(live);
      });
    const { existing } = await begun;
    // A payer who was shown until when a code is good may use it until then, whether or not somebody still waits for the answer.
    return existing ? await this.#again(bay, existing, hmac, call) : await this.#answer(live, call, !sideBySide(bay));
  }

  async #again(bay: TerminalBay, record: JobRecord, hmac: string, call: Call): Promise<PaymentResult<"pay">> {
    if (record.requestHmac !== hmac) throw new DeviceError("idempotency_conflict", { device: record.device });
    const live = this.#book.get(record.id);
    return live ? await this.#answer(live, call, false) : this.shown(record, bay.spec.simulated);
  }

  /** Waits for the end; a caller who stops waiting is told how it stands by then, once the terminal had a moment to obey. */
  async #answer(live: LivePayment, call: Call, asker: boolean): Promise<PaymentResult<"pay">> {
    const answered = raceSignal(live.done, live.refusal.signal).catch(() => {});
    live.watchers.add(call);
    try {
      await raceSignal(answered, call.signal);
    } catch (thrown) {
      if (asker || (thrown instanceof DeviceError && thrown.kind === "canceled")) {
        this.#book.stop(live, thrown);
        using patience = deadline(this.#context.clock, STOP_ANSWER_MS);
        await raceSignal(answered, patience.signal).catch(() => {});
      }
    } finally {
      live.watchers.delete(call);
    }
    if (live.refused) throw live.refused;
    const { receiptLines } = live;
    return {
      ...shownLive(live),
      ...(receiptLines.length > 0 ? { receiptLines: [...receiptLines] } : {}),
    };
  }
}

function audited(record: JobRecord, { caller }: Call): { device: string; job: string; role: string; origin: string } {
  return { device: record.device, job: record.id, role: caller.role, origin: caller.principal };
}
