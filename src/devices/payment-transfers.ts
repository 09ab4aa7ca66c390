import assert from "node:assert/strict";
import type { Transfer, Transfers } from "../contracts/payment-terminal.js";
import type { JobRecord } from "../journal/types.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError, errorObject } from "../kernel/errors.js";
import type { PaymentJob } from "../protocol/payment-terminal.js";
import type { LivePayment, PaymentBook, PaymentBookContext } from "./payment-book.js";
import { evidenceOf, lifeOf, transfersOf } from "./payment-job.js";
import { nextLife } from "./payment-machine.js";
import type { TerminalBay } from "./payment-run.js";

/** A payment that is being written down takes the transfer in a moment. */
const DELIVER_AGAIN_MS = 100;
/** The journal's evidence holds so many; more for one payment are no mistake of a payer. */
const MOST_UNEXPECTED = 8;
/** More payments than fit into one transfer's text. */
const MOST_NAMED = 100;

/** Money that came by transfer, told from outside: brought to the payment that waits for it, or put before a person. Never dropped. */
export class PaymentTransfers {
  readonly #context: PaymentBookContext;
  readonly #book: PaymentBook;

  constructor(context: PaymentBookContext, book: PaymentBook) {
    this.#context = context;
    this.#book = book;
  }

  async confirm(bay: TerminalBay, confirmation: string, signal: AbortSignal, ending: AbortSignal): Promise<PaymentJob> {
    const { transfers } = await raceSignal(bay.opened(signal), signal);
    if (!transfers) throw new DeviceError("unsupported", { device: bay.spec.id, message: "no payments by transfer on this device" });
    const transfer = transfers.read(confirmation);
    const device = bay.spec.id;
    return await this.#book.pen(device).run("confirm", signal, async () => {
      const named = (record: JobRecord): boolean => transfers.matches(transfer, { baseline: evidenceOf(record).baseline ?? {} });
      const meant = (record: JobRecord): boolean => named(record) && (transfer.job ?? record.id) === record.id;
      const live = this.#book.of(ending).find(({ record }) => meant(record));
      const found = await this.#context.journal.list({ kind: "payment", device, purposeIn: transfer.purpose, limit: MOST_NAMED });
      // A text may name several payments, and its money counts once: told again it is the payment's that it was.
      const told = found.find((record) => named(record) && holds(record, transfer));
      if (told && told.id !== live?.record.id) return this.#book.shown(told, bay.spec.simulated);
      if (live && (await this.#delivered(live, transfers, transfer, signal))) return this.#book.shown(live.record, live.simulated);
      // Open in the journal, and nobody's here any more: the agent is stopping.
      ending.throwIfAborted();
      const record = live?.record ?? found.find(meant);
      if (!record) throw new DeviceError("job_not_found", { device, message: "the transfer names no payment of this device" });
      return await this.#surprise(record, transfer, bay.spec.simulated);
    });
  }

  /**
   * True when the journal holds the transfer as this payment's; false when the payment ended without it, or is let go because the agent
   * stops. Handed over again where its first telling could not be written down.
   */
  async #delivered(live: LivePayment, transfers: Transfers, transfer: Transfer, signal: AbortSignal): Promise<boolean> {
    while (this.#book.get(live.record.id) === live) {
      transfers.deliver(transfer, { baseline: evidenceOf(live.record).baseline ?? {} });
      await raceSignal(Promise.race([live.done, this.#context.clock.sleep(DELIVER_AGAIN_MS, signal)]), signal);
    }
    return holds(live.record, transfer);
  }

  async #surprise(record: JobRecord, transfer: Transfer, simulated: boolean): Promise<PaymentJob> {
    const evidence = evidenceOf(record);
    const life = lifeOf(record);
    const state = nextLife(life, "surprise");
    assert(state, "whoever was shown a code has been armed");
    const { unexpected = [] } = evidence;
    if (unexpected.length >= MOST_UNEXPECTED) {
      this.#context.log.error("transfer not noted: one too many", { device: record.device, job: record.id });
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

function holds(record: JobRecord, { transactionId }: Transfer): boolean {
  return transfersOf(evidenceOf(record)).some((transfer) => transfer.transactionId === transactionId);
}

const REVIEW = "Compare with the bank's statement, give back what was paid too much, then: stationd payments resolve";
