import assert from "node:assert/strict";
import type { Transfer, Transfers } from "../contracts/payment-terminal.js";
import type { JobRecord } from "../journal/types.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError, errorObject } from "../kernel/errors.js";
import type { PaymentJob } from "../protocol/payment-terminal.js";
import { Fifo } from "./fifo.js";
import type { LivePayment, PaymentBook, PaymentBookContext } from "./payment-book.js";
import { evidenceOf, lifeOf, transfersOf } from "./payment-job.js";
import { nextLife } from "./payment-machine.js";
import { MANY } from "./payment-recovery.js";
import type { TerminalBay } from "./payment-run.js";

/** A payment that is being written down takes the transfer in a moment. */
const DELIVER_AGAIN_MS = 100;
/** The journal's evidence holds so many; more for one payment are no mistake of a payer. */
const MOST_UNEXPECTED = 8;

/** Money that came by transfer, told from outside: brought to the payment that waits for it, or put before a person. Never dropped. */
export class PaymentTransfers {
  readonly #context: PaymentBookContext;
  readonly #book: PaymentBook;
  /** One transfer after the other: the same one told twice at once counts once. */
  readonly #pen = new Fifo(64, () => {});

  constructor(context: PaymentBookContext, book: PaymentBook) {
    this.#context = context;
    this.#book = book;
  }

  async confirm(bay: TerminalBay, confirmation: string, signal: AbortSignal, ending: AbortSignal): Promise<PaymentJob> {
    const { transfers } = await raceSignal(bay.opened(signal), signal);
    if (!transfers) throw new DeviceError("unsupported", { device: bay.spec.id, message: "no payments by transfer on this device" });
    const transfer = transfers.read(confirmation);
    return await this.#pen.run("confirm", signal, async () => {
      const named = (record: JobRecord): boolean =>
        (transfer.job ?? record.id) === record.id && transfers.matches(transfer, { baseline: evidenceOf(record).baseline ?? {} });
      const live = this.#book.of(ending).find(({ record }) => named(record));
      if (live && (await this.#delivered(live, transfers, transfer, signal))) return this.#book.shown(live.record, live.simulated);
      // Open in the journal, and nobody's here any more: the agent is stopping.
      ending.throwIfAborted();
      const record = live?.record ?? (await this.#ended(bay.spec.id)).find(named);
      if (!record) throw new DeviceError("job_not_found", { device: bay.spec.id, message: "the transfer names no payment of this device" });
      return await this.#surprise(record, transfer, bay.spec.simulated);
    });
  }

  async #ended(device: string): Promise<readonly JobRecord[]> {
    return await this.#context.journal.list({ kind: "payment", device, limit: MANY });
  }

  /** True when the payment has ended by this transfer; false when it had ended without it. */
  async #delivered(live: LivePayment, transfers: Transfers, transfer: Transfer, signal: AbortSignal): Promise<boolean> {
    while (this.#book.get(live.record.id) === live) {
      const delivered = transfers.deliver(transfer);
      if (delivered) await raceSignal(live.done, signal);
      else await raceSignal(Promise.race([live.done, this.#context.clock.sleep(DELIVER_AGAIN_MS, signal)]), signal);
      if (delivered) return true;
    }
    return false;
  }

  async #surprise(record: JobRecord, transfer: Transfer, simulated: boolean): Promise<PaymentJob> {
    const evidence = evidenceOf(record);
    if (transfersOf(evidence).some(({ transactionId }) => transactionId === transfer.transactionId)) {
      return this.#book.shown(record, simulated);
    }
    const life = lifeOf(record);
    const state = nextLife(life, "surprise");
    assert(state, "whoever was shown a code has been armed");
    const { unexpected = [] } = evidence;
    if (unexpected.length >= MOST_UNEXPECTED) {
      throw new DeviceError("too_large", { device: record.device, message: "too many transfers for one payment", hint: REVIEW });
    }
    const message =
      life === "approved" ? "a second transfer came for a payment that was paid" : `a transfer came when the payment was ${life}`;
    const reason = new DeviceError("payment_unresolved", { device: record.device, message, hint: REVIEW });
    const { transactionId, amountVnd } = transfer;
    const written = await this.#book.write(record, {
      step: "ended",
      outcome: { state, final: true, reason: errorObject(reason) },
      evidence: { unexpected: [...unexpected, { transactionId, amountVnd }] },
    });
    this.#context.log.warn("transfer for an ended payment", { device: record.device, job: record.id, state: life });
    const shown = this.#book.shown(written, simulated);
    this.#context.publish(shown, record.principal);
    return shown;
  }
}

const REVIEW = "Compare with the bank's statement, give back what was paid too much, then: stationd payments resolve";
