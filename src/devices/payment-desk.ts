import type { PaymentFacts } from "../contracts/payment-terminal.js";
import type { JobRecord } from "../journal/types.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { Call } from "../protocol/call.js";
import type { PaymentJob, PaymentParams, PaymentResult } from "../protocol/payment-terminal.js";
import type { PaymentBook, PaymentBookContext } from "./payment-book.js";
import { evidenceOf, lifeOf } from "./payment-job.js";
import { ledgerOf } from "./payment-ledger.js";
import { nextLife } from "./payment-machine.js";
import { MANY, paymentOf } from "./payment-recovery.js";
import { sideBySide, type TerminalBay, unresolved } from "./payment-run.js";

const OPEN_SHOWN = 200;
/** Far enough back to find a payment that was approved. */
const LOOK_BACK = 50;

/** What a technician does with payments that have ended: says how they really did, and compares them with the terminal. */
export class PaymentDesk {
  readonly #context: PaymentBookContext;
  readonly #book: PaymentBook;
  /** Of each terminal, once it was read: a month of payments is not read again for each new one. */
  readonly #days = new Map<string, number>();

  constructor(context: PaymentBookContext, book: PaymentBook) {
    this.#context = context;
    this.#book = book;
  }

  /** The business day that a payment armed now belongs to. Asked in the terminal's turn, so that no end of day comes between. */
  async today(device: string): Promise<number> {
    const day = this.#days.get(device) ?? (await this.#context.journal.closedDay(device)) + 1;
    this.#days.set(device, day);
    return day;
  }

  /** What the terminal said of the newest payment that it is known to have taken. */
  async lastFacts(device: string): Promise<PaymentFacts | undefined> {
    const records = await this.#context.journal.list({ kind: "payment", device, limit: LOOK_BACK });
    const last = records.find((record) => record.outcome?.state === "approved" && evidenceOf(record).reverses === undefined);
    return last && evidenceOf(last).facts;
  }

  resolveByHand(bay: TerminalBay, request: PaymentParams<"resolve">, { caller, signal }: Call): Promise<PaymentJob> {
    return this.#book.pen(bay.spec.id).run("resolve", signal, async () => {
      const { journal } = this.#context;
      const asked = await paymentOf(journal, request.job, bay.spec.id);
      // Who names the reversal means the payment.
      const record = await paymentOf(journal, asked && (evidenceOf(asked).reverses ?? asked.id), bay.spec.id);
      if (!record) throw new DeviceError("job_not_found", { device: bay.spec.id, message: "no payment of this terminal has this name" });
      const { outcome, evidence } = request;
      const { ruled } = evidenceOf(record);
      const shown = this.#book.shown(record, bay.spec.simulated);
      if (shown.state === outcome && ruled?.outcome === outcome && ruled.evidence === evidence) return shown;
      const state = this.#book.get(record.id) ? undefined : nextLife(lifeOf(record), `rule_${outcome}`);
      if (!state) {
        const message = `job: the payment is ${shown.state}, and not under manual review`;
        throw new DeviceError("invalid_params", { device: bay.spec.id, message });
      }
      const by = caller.principal.replace(/[^\w.:+/-]/g, "_").slice(0, 64);
      // The reversal first: after a crash between the two the payment is still under review, and this is done again.
      const reversal = await paymentOf(journal, evidenceOf(record).reversal, bay.spec.id);
      if (reversal && lifeOf(reversal) === "manual_review") {
        const ended = { state: outcome === "reversed" ? "reversed" : "not_charged", final: true };
        await this.#book.write(reversal, { step: "ended", outcome: ended, evidence: { ruled: { outcome, evidence, by } } });
      }
      const written = await this.#book.write(record, {
        step: "ended",
        outcome: { state, final: true },
        evidence: { ruled: { outcome, evidence, by } },
      });
      const { id: job, device } = record;
      this.#context.log.info("audit: payment settled by hand", { device, job, state, role: caller.role, origin: caller.principal });
      const settled = this.#book.shown(written, bay.spec.simulated);
      this.#context.publish(settled, record.principal);
      return settled;
    });
  }

  reconcile(
    bay: TerminalBay,
    { close }: PaymentParams<"reconcile">,
    { caller, signal }: Call,
    ending: AbortSignal,
  ): Promise<PaymentResult<"reconcile">> {
    const device = bay.spec.id;
    return bay.fifo.run("paymentTerminal.reconcile", signal, () =>
      this.#book.pen(device).run("reconcile", signal, async () => {
        const blocking = this.#book.unresolved(ending);
        if (blocking && !sideBySide(bay)) throw unresolved(blocking);
        const open = await bay.opened(signal);
        const day = await this.today(device);
        const records = await this.#context.journal.list({ kind: "payment", device, day, limit: MANY });
        const left = await this.#left(device);
        const terminal = await raceSignal(open.totals(close, signal), ending).catch((thrown) => {
          throw bay.named(thrown);
        });
        const { totals: journal, anchor } = ledgerOf(records);
        const agree = journal.count === terminal.count && journal.sumVnd === terminal.sumVnd;
        if (close) {
          this.#context.log.info("audit: end of day", {
            device,
            role: caller.role,
            origin: caller.principal,
            state: agree ? "agrees" : "differs",
          });
          // The terminal has begun its new day: whoever asked does not wait for the disk, but the next payment does.
          if (anchor) await this.#book.persist(() => this.#book.write(anchor, { evidence: { dayClosed: true } }), ending);
          this.#days.delete(device);
        }
        return {
          device,
          journal,
          terminal,
          agree,
          open: left
            .map((record) => this.#book.shown(record, bay.spec.simulated))
            .filter(({ state, final }) => !final || state === "manual_review")
            .slice(0, OPEN_SHOWN),
          ...(bay.spec.simulated ? { simulated: true as const } : {}),
        };
      }),
    );
  }

  /** What a person should look at, newest first: what is open, and what is under review. */
  async #left(device: string): Promise<readonly JobRecord[]> {
    const of = { kind: "payment", device, limit: MANY } as const;
    const [open, inReview] = await Promise.all([
      this.#context.journal.list({ ...of, open: true }),
      this.#context.journal.list({ ...of, inReview: true }),
    ]);
    return [...open, ...inReview].sort((a, b) => b.createdAt - a.createdAt);
  }
}
