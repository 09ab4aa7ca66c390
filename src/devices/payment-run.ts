import type { PaymentCode, PaymentOutcome, PaymentSteps, PaymentTerminal } from "../contracts/payment-terminal.js";
import type { Clock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import type { Bay } from "./bay.js";
import type { LivePayment, PaymentBook } from "./payment-book.js";
import { interrupted } from "./payment-job.js";
import { nextLife, TERMINAL_WORDS, type TerminalWord } from "./payment-machine.js";

export type TerminalBay = Bay<"paymentTerminal">;

/** What to do when the job's turn has come. */
export interface PaymentOrder {
  readonly method: string;
  /** Looks once more whether it may begin, and tells the terminal's business day. Whatever it throws ends the job `not_started`. */
  ready(): Promise<{ readonly day: number }>;
  begin(terminal: PaymentTerminal, steps: PaymentSteps, signal: AbortSignal): Promise<PaymentOutcome>;
}

export function sideBySide({ spec }: TerminalBay): boolean {
  return spec.driver.payment?.sideBySide === true;
}

/** How long a driver whose link is gone may take to say what it knows, before it is let go. */
const LAST_WORD_MS = 2_000;
/** Words that only follow a charge: a driver that says one without a mark has charged without one. */
const CHARGED: ReadonlySet<string> = new Set(["approved", "reversed", "manual_review"]);
const FIRST_RETRY_MS = 1_000;
export const LONGEST_RETRY_MS = 30_000;

/** Takes one payment from its turn to its end. Past `armed` it only finds out: nothing is ever sent again. */
export class PaymentRun {
  readonly #book: PaymentBook;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lost = new WeakMap<PaymentTerminal, AbortSignal>();

  constructor(book: PaymentBook, { clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#book = book;
    this.#clock = clock;
    this.#log = log;
  }

  async run(bay: TerminalBay, live: LivePayment, order: PaymentOrder): Promise<void> {
    // The turn is not handed on before the end is on disk.
    const work = async (): Promise<void> => await this.#book.end(live, await this.#attempt(bay, live, order));
    const turn = sideBySide(bay) ? work() : bay.fifo.run(order.method, live.stop.signal, work);
    await raceSignal(turn, live.ending).catch(async (thrown) => {
      await live.marks;
      if (live.life === "created") return await this.#book.end(live, { state: "not_started", reason: bay.named(thrown) });
      // Past `armed` the agent's end leaves it open in the journal for the next run. A fault of ours blocks the terminal until then.
      if (live.ending.aborted) return;
      this.#log.error("payment given up", { device: bay.spec.id, job: live.record.id }, thrown);
      this.#book.move(live, "lose");
      await raceSignal(new Promise<never>(() => {}), live.ending).catch(() => {});
    });
    this.#book.drop(live);
  }

  /** What the terminal itself says became of it, asked as often as it takes. */
  async resolve(bay: TerminalBay, live: LivePayment): Promise<PaymentOutcome> {
    this.#unknown(bay, live);
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)) {
      const terminal = await bay.whenOpen(live.ending);
      this.#book.move(live, "ask");
      this.#book.progress(live, "resolving");
      try {
        const showCode = (code: PaymentCode): void => this.#book.showCode(live, code);
        const answer = terminal.resolve(interrupted(live.record, live.original), live.ending, { showCode });
        return this.#heard(live, await this.#whileThere(terminal, answer));
      } catch (thrown) {
        live.ending.throwIfAborted();
        const { kind } = bay.named(thrown);
        this.#log.warn("payment not resolved yet", { device: bay.spec.id, job: live.record.id, kind });
      }
      this.#unknown(bay, live);
      await this.#clock.sleep(retryMs, live.ending);
    }
  }

  /** The work's outcome, or the reason why the terminal is gone. */
  async #whileThere<T>(terminal: PaymentTerminal, work: Promise<T>): Promise<T> {
    return await raceSignal(work, this.#lostSignal(terminal));
  }

  async #attempt(bay: TerminalBay, live: LivePayment, order: PaymentOrder): Promise<PaymentOutcome> {
    const attempt = Symbol("attempt");
    let reason: DeviceError;
    try {
      live.stop.signal.throwIfAborted();
      const { day } = await order.ready();
      const terminal = await bay.opened(live.stop.signal);
      live.attempt = attempt;
      const working = order.begin(terminal, this.#steps(live, attempt, day), live.stop.signal);
      const outcome = await this.#whileThere(terminal, working);
      await this.#letGo(live);
      if (live.life === "created" && CHARGED.has(outcome.state)) await this.#book.armLate(live, day);
      if (live.life !== "created") return this.#heard(live, outcome);
      reason = bay.named("reason" in outcome ? outcome.reason : undefined);
    } catch (thrown) {
      await this.#letGo(live);
      reason = bay.named(thrown);
    }
    if (live.life === "created") return { state: "not_started", reason };
    this.#log.warn("payment unknown", { device: bay.spec.id, job: live.record.id, kind: reason.kind, step: live.record.step });
    return await this.resolve(bay, live);
  }

  /** No mark of the driver's counts from here on; the one that is being written is waited for, because it may be `armed`. */
  async #letGo(live: LivePayment): Promise<void> {
    live.attempt = undefined;
    await live.marks;
  }

  /** An outcome that may follow. @throws DeviceError where the driver says what it cannot know */
  #heard(live: LivePayment, outcome: PaymentOutcome): PaymentOutcome {
    const word = TERMINAL_WORDS.find((one) => one === outcome.state);
    if (!word || !nextLife(live.life, `say_${word satisfies TerminalWord}`)) {
      this.#log.error("driver broke its contract", { device: live.record.device, job: live.record.id, state: outcome.state });
      throw new DeviceError("device_fault", { message: `${outcome.state} cannot follow ${live.life}` });
    }
    // A reversal that was itself undone: a word that no driver should say, and nobody should guess at.
    return live.original && outcome.state === "reversed" ? { state: "manual_review", reason: outcome.reason } : outcome;
  }

  /** What waits in the queue was asked for by someone who may be gone when this one is known: it ends here. */
  #unknown(bay: TerminalBay, live: LivePayment): void {
    this.#book.move(live, "lose");
    if (sideBySide(bay)) return;
    for (const other of this.#book.of(live.ending)) if (other.life === "created") this.#book.stop(other, unresolved(live));
  }

  /** Aborts with the reason when the terminal is gone, a moment late: what it said last counts more. */
  #lostSignal(terminal: PaymentTerminal): AbortSignal {
    const known = this.#lost.get(terminal);
    if (known) return known;
    const lost = new AbortController();
    this.#lost.set(terminal, lost.signal);
    void terminal.lost.then((reason) => this.#clock.timer(LAST_WORD_MS, () => lost.abort(reason)));
    return lost.signal;
  }

  #steps(live: LivePayment, attempt: symbol, day: number): PaymentSteps {
    const book = this.#book;
    return {
      armed: (baseline) => book.mark(live, attempt, "arm", { step: "armed", evidence: { baseline, day } }),
      sent: () => book.mark(live, attempt, "send", { step: "sent" }),
      held: (facts) => book.mark(live, attempt, "hold", { step: "held", evidence: { facts } }),
      answering: () => book.mark(live, attempt, "answer", { step: "answering" }),
      progress: (stage, fraction) => {
        if (live.attempt !== attempt) return;
        if (live.life !== "created") book.move(live, "progress");
        book.progress(live, stage, fraction);
      },
      showCode: (code) => {
        if (live.attempt === attempt) book.showCode(live, code);
      },
      receiptLine: (line) => book.receiptLine(live, line),
    };
  }
}

/** Names the payment: where its reversal is what nobody knows, the payment that it takes back. */
export function unresolved({ record, original }: Pick<LivePayment, "record" | "original">): DeviceError {
  return new DeviceError("payment_unresolved", { device: record.device, details: { job: original?.id ?? record.id } });
}
