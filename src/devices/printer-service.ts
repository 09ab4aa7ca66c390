import assert from "node:assert/strict";
import type { PreparedPrint, Printer, PrintOutcome, PrintSteps } from "../contracts/printer.js";
import { requestHmac } from "../journal/request-hmac.js";
import type { JobPatch, JobRecord, Journal } from "../journal/types.js";
import type { Clock } from "../kernel/clock.js";
import { deadline, raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import type { Meter } from "../kernel/meter.js";
import { type Random, randomId } from "../kernel/random.js";
import type { Secret } from "../kernel/secret.js";
import type { Call, Caller } from "../protocol/call.js";
import type { PrintJob } from "../protocol/jobs.js";
import type { Params } from "../protocol/methods.js";
import type { PrintDocument } from "../protocol/printer.js";
import type { Bay } from "./bay.js";
import { Fifo } from "./fifo.js";
import { interrupted, jobOutcome, type PrintStep, shownJob, stoppedBefore } from "./print-job.js";
import { pruneBefore } from "./retention.js";

export interface PrinterServiceContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly meter: Meter;
  readonly journal: Journal;
  readonly stationKey: () => Promise<Secret<Uint8Array>>;
  /** Tells the job's principal how it stands now. */
  publish(job: PrintJob, principal: string): void;
}

type PrintRequest = Params<"printer.print">;

/** A job that this process works on. */
interface LiveJob {
  record: JobRecord;
  /** False while the printer is gone and nobody can tell how the job stands. */
  connected: boolean;
  /** Asks to stop; obeyed until the first byte. */
  readonly stop: AbortController;
  readonly watchers: Set<Call>;
  readonly simulated: boolean;
  /** Aborts when this process stops caring: the journal keeps the job open for the next. */
  readonly ending: AbortSignal;
  /** Why there is no such job after all: the journal did not take it. */
  refused: DeviceError | undefined;
  /** Never rejects. */
  done: Promise<void>;
}

/** How long a caller who asked to stop waits for the job to say whether it did. */
const STOP_ANSWER_MS = 1_500;
const RETRY_MS = 1_000;

/** Prints each document once, whatever is pulled, killed or asked twice. Outlives the client that asked. */
export class PrinterService {
  readonly #context: PrinterServiceContext;
  readonly #live = new Map<string, LiveJob>();
  readonly #layouts = new Fifo(64, () => {});
  readonly #recovered = new WeakSet<Bay<"printer">>();
  readonly #endings = new Map<Bay<"printer">, AbortController>();

  constructor(context: PrinterServiceContext) {
    this.#context = context;
  }

  /** Before a printer's queue serves anyone, what an earlier run left open on it is found out. */
  adopt(bay: Bay<"printer">): Promise<void> {
    const ending = new AbortController();
    this.#endings.set(bay, ending);
    const recovered = bay.fifo.run("recovery", ending.signal, async () => {
      await bay.whenOpen(ending.signal);
      const open = (): Promise<readonly JobRecord[]> => this.#context.journal.list({ device: bay.spec.id, open: true, limit: 1_000 });
      for (const record of await this.#persist(open, ending.signal)) {
        if (record.kind === "print") await this.#recover(bay, record);
      }
      this.#recovered.add(bay);
      // Here and not only daily: a station that is switched off every night never runs for a day.
      await this.#context.journal.prune(pruneBefore(this.#context.clock.now()));
    });
    return recovered.catch(() => {}); // only the end of the agent ends it early
  }

  /** Lets what is being printed come out, for `graceMs` at most; what is unresolved then stays open in the journal. */
  async release(bay: Bay<"printer">, graceMs: number): Promise<void> {
    const ending = this.#endings.get(bay);
    if (!ending) return;
    this.#endings.delete(bay);
    const reason = new DeviceError("shutting_down", { device: bay.spec.id });
    const jobs = [...this.#live.values()].filter((live) => live.ending === ending.signal);
    for (const live of jobs) live.stop.abort(reason);
    using grace = deadline(this.#context.clock, graceMs);
    await raceSignal(Promise.all(jobs.filter((live) => live.connected).map((live) => live.done)), grace.signal).catch(() => {});
    ending.abort(reason);
    await Promise.all(jobs.map((live) => live.done));
  }

  async print(bay: Bay<"printer">, request: PrintRequest, call: Call): Promise<PrintJob> {
    const { journal, stationKey } = this.#context;
    const { principal } = call.caller;
    const { timeoutMs: _, ...identity } = request;
    const hmac = requestHmac(await stationKey(), "printer.print", { ...identity, device: bay.spec.id });
    const known = this.#find(principal, request.idempotencyKey)?.record ?? (await journal.byKey(principal, request.idempotencyKey));
    if (known) return await this.#again(bay, known, hmac, call);

    call.progress("preparing");
    bay.claims.check(call.caller);
    const printer = await raceSignal(bay.opened(call.signal), call.signal);
    const prepared = await this.#prepare(bay, printer, request, call.signal);
    const now = this.#context.clock.now();
    const record: JobRecord = {
      id: randomId(this.#context.random),
      kind: "print",
      device: bay.spec.id,
      principal,
      idempotencyKey: request.idempotencyKey,
      requestHmac: hmac,
      step: "queued",
      outcome: undefined,
      evidence: request.reprint ? { reprint: true } : {},
      createdAt: now,
      updatedAt: now,
    };
    const live = this.#admit(record, bay);
    const begun = journal.begin(record);
    // Whoever asks with the same key from here on waits for this very beginning.
    live.done = begun
      .then(async ({ existing }) => {
        if (existing) this.#drop(live);
        else await this.#run(bay, live, request, { printer, prepared }, call.caller);
      })
      .catch((thrown) => {
        live.refused = bay.named(thrown);
        this.#drop(live);
      });
    const { existing } = await begun;
    if (existing) return await this.#again(bay, existing, hmac, call);
    return await this.#answer(live, call, true);
  }

  /** Layouts take memory and one drawing child: one at a time, in the order in which they were asked for. */
  layingOut<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return this.#layouts.run("layout", signal, work);
  }

  /** How the job of this key stands, or undefined where it is not a print of ours. */
  shown(record: JobRecord, simulated: boolean): PrintJob {
    const live = this.#live.get(record.id);
    return shownJob(live?.record ?? record, live, simulated);
  }

  /** Jobs that this process works on; of one principal, or all. */
  openJobs(principal: string | undefined): PrintJob[] {
    return [...this.#live.values()]
      .filter((live) => !live.record.outcome && (principal === undefined || live.record.principal === principal))
      .map((live) => shownJob(live.record, live, live.simulated));
  }

  /** What an earlier run left open on this printer is settled. */
  recovered(bay: Bay<"printer">): boolean {
    return this.#recovered.has(bay);
  }

  async #again(bay: Bay<"printer">, record: JobRecord, hmac: string, call: Call): Promise<PrintJob> {
    if (record.requestHmac !== hmac) {
      throw new DeviceError("idempotency_conflict", { device: record.device });
    }
    const live = this.#live.get(record.id);
    return live ? await this.#answer(live, call, false) : this.shown(record, bay.spec.simulated);
  }

  /** Waits for the job's end; a caller who stops waiting is told how it stands by then. */
  async #answer(live: LiveJob, call: Call, asker: boolean): Promise<PrintJob> {
    live.watchers.add(call);
    try {
      await raceSignal(live.done, call.signal);
    } catch (thrown) {
      const stops = asker || (thrown instanceof DeviceError && thrown.kind === "canceled");
      if (stops && live.record.step === "queued") {
        live.stop.abort(thrown);
        using patience = deadline(this.#context.clock, STOP_ANSWER_MS);
        await raceSignal(live.done, patience.signal).catch(() => {});
      }
    } finally {
      live.watchers.delete(call);
    }
    if (live.refused) throw live.refused;
    return shownJob(live.record, live, live.simulated);
  }

  #admit(record: JobRecord, bay: Bay<"printer">): LiveJob {
    const live: LiveJob = {
      record,
      connected: true,
      stop: new AbortController(),
      watchers: new Set(),
      simulated: bay.spec.simulated,
      ending: this.#endings.get(bay)?.signal ?? AbortSignal.abort(new DeviceError("shutting_down", { device: bay.spec.id })),
      refused: undefined,
      done: Promise.resolve(),
    };
    this.#live.set(record.id, live);
    return live;
  }

  #find(principal: string, key: string): LiveJob | undefined {
    for (const live of this.#live.values()) {
      if (live.record.principal === principal && live.record.idempotencyKey === key) return live;
    }
    return undefined;
  }

  async #run(
    bay: Bay<"printer">,
    live: LiveJob,
    request: PrintRequest,
    ready: { printer: Printer; prepared: PreparedPrint },
    caller: Caller,
  ): Promise<void> {
    this.#progress(live, "queued");
    const turn = bay.fifo.run("printer.print", live.stop.signal, async () => {
      const ended = await this.#attempt(bay, live, request, ready, caller);
      // The turn is not handed on before the end is on disk: the next job moves the printer's counter.
      await this.#end(live, ended);
    });
    await raceSignal(turn, live.ending).catch(async (thrown) => {
      if (live.record.outcome || live.record.step !== "queued") return; // the agent is ending: the journal keeps it open
      await this.#end(live, { state: "not_started", reason: bay.named(thrown) });
    });
    this.#drop(live);
  }

  #drop(live: LiveJob): void {
    this.#live.delete(live.record.id);
  }

  /** Prints on whatever opening of the printer there is; past the first byte it only finds out, never sends again. */
  async #attempt(
    bay: Bay<"printer">,
    live: LiveJob,
    request: PrintRequest,
    ready: { printer: Printer; prepared: PreparedPrint },
    caller: Caller,
  ): Promise<PrintOutcome> {
    let { printer, prepared } = ready;
    for (;;) {
      try {
        if (live.stop.signal.aborted) throw live.stop.signal.reason;
        bay.claims.check(caller);
        const current = await bay.opened(live.stop.signal);
        if (current !== printer) {
          printer = current;
          prepared = await this.#prepare(bay, printer, request, live.stop.signal);
        }
        return await printer.print(prepared, this.#steps(live), live.stop.signal);
      } catch (thrown) {
        const error = bay.named(thrown);
        if (live.record.step !== "queued") return await this.#resolve(bay, live);
        // No byte left: the same job may start over on the next opening, while its caller still waits.
        const again = error.kind === "device_absent" && printer !== bay.device && !live.stop.signal.aborted;
        if (!again) return { state: "not_started", reason: error };
        await bay.whenOpen(live.stop.signal).catch(() => {});
      }
    }
  }

  /** Asks the printer itself, as often as it takes, what became of the job. */
  async #resolve(bay: Bay<"printer">, live: LiveJob): Promise<PrintOutcome> {
    for (;;) {
      const job = interrupted(live.record);
      assert(job, "only a job whose first byte may have left is resolved");
      this.#connection(live, bay.device !== undefined);
      const printer = await bay.whenOpen(live.ending);
      this.#connection(live, true);
      try {
        return await printer.resolve(job, () => this.#mark(live, { step: "voiding" }), live.ending);
      } catch (thrown) {
        this.#context.log.warn("print job not resolved yet", { device: bay.spec.id, job: live.record.id, kind: bay.named(thrown).kind });
        await this.#context.clock.sleep(RETRY_MS, live.ending);
      }
    }
  }

  async #recover(bay: Bay<"printer">, record: JobRecord): Promise<void> {
    if (this.#live.has(record.id)) return;
    const live = this.#admit(record, bay);
    live.connected = false;
    const work = async (): Promise<void> => {
      const outcome: PrintOutcome = interrupted(record)
        ? await this.#resolve(bay, live)
        : { state: "not_started", reason: stoppedBefore(record.device) };
      await this.#end(live, outcome);
    };
    const working = raceSignal(work(), live.ending).finally(() => this.#live.delete(record.id));
    live.done = working.catch(() => {});
    await working;
  }

  #prepare(
    bay: Bay<"printer">,
    printer: Printer,
    request: { document: PrintDocument; reprint?: boolean | undefined },
    signal: AbortSignal,
  ) {
    const marks = { reprint: request.reprint === true, simulated: bay.spec.simulated };
    return this.layingOut(signal, () => raceSignal(printer.prepare(request.document, marks, signal), signal)).catch((thrown) => {
      throw bay.named(thrown);
    });
  }

  #steps(live: LiveJob): PrintSteps {
    return {
      sending: (baseline) => this.#mark(live, { step: "sending", evidence: { ...live.record.evidence, baseline } }),
      finishing: () => this.#mark(live, { step: "finishing" }),
      sent: () => this.#mark(live, { step: "sent" }),
      progress: (stage, fraction) => this.#progress(live, stage, fraction),
    };
  }

  /** A durable mark on the driver's behalf. A driver that goes on after it was let go gets none, so it must not send either. */
  async #mark(live: LiveJob, patch: Omit<JobPatch, "updatedAt"> & { readonly step: PrintStep }): Promise<void> {
    live.ending.throwIfAborted();
    await this.#advance(live, patch);
    live.ending.throwIfAborted(); // it may have been let go while the mark was being written
  }

  /** The record in memory follows the one on disk, never the other way round. */
  async #advance(live: LiveJob, patch: Omit<JobPatch, "updatedAt">): Promise<void> {
    const dated = { ...patch, updatedAt: this.#context.clock.now() };
    await this.#context.journal.advance(live.record.id, dated);
    live.record = { ...live.record, ...dated };
    this.#publish(live);
  }

  async #end(live: LiveJob, outcome: PrintOutcome): Promise<void> {
    await this.#persist(() => this.#advance(live, { step: "ended", outcome: jobOutcome(outcome) }), live.ending);
    this.#context.log.info("print job ended", { device: live.record.device, job: live.record.id, state: outcome.state });
    this.#context.meter.count("stationd_print_jobs_total", { device: live.record.device, state: outcome.state });
  }

  /** Repeats until the journal takes it, or the agent ends. */
  async #persist<T>(write: () => Promise<T>, ending: AbortSignal): Promise<T> {
    for (;;) {
      try {
        return await write();
      } catch (thrown) {
        this.#context.log.error("the journal cannot be written", {}, thrown);
        await this.#context.clock.sleep(RETRY_MS, ending);
      }
    }
  }

  #connection(live: LiveJob, connected: boolean): void {
    if (live.connected === connected) return;
    live.connected = connected;
    if (!connected) this.#progress(live, "reconnecting");
    this.#publish(live);
  }

  #publish(live: LiveJob): void {
    this.#context.publish(shownJob(live.record, live, live.simulated), live.record.principal);
  }

  #progress(live: LiveJob, stage: string, fraction?: number): void {
    for (const call of live.watchers) call.progress(stage, fraction);
  }
}
