import type { JobRecord, Journal } from "../journal/types.js";
import { raceSignal } from "../kernel/deadline.js";
import type { LivePayment, PaymentBook } from "./payment-book.js";
import { evidenceOf } from "./payment-job.js";
import type { PaymentRun, TerminalBay } from "./payment-run.js";
import { stoppedBefore } from "./print-job.js";

/** More than a station takes in the time that the journal keeps. */
const ALL = 1_000_000;

export async function allOf(journal: Journal, device?: string, only: { readonly open?: true } = {}): Promise<readonly JobRecord[]> {
  const records = await journal.list({ limit: ALL, ...only, ...(device === undefined ? {} : { device }) });
  return records.filter(({ kind }) => kind === "payment");
}

export interface Recovery {
  /** Rejects only with the agent's end. From here on what is unresolved blocks the terminal. */
  readonly listed: Promise<unknown>;
  /** Every payment of an earlier run has ended. */
  readonly settled: Promise<void>;
}

interface Parts {
  readonly journal: Journal;
  readonly book: PaymentBook;
  readonly run: PaymentRun;
}

/**
 * What an earlier run left open on a terminal. What had not been armed never began; everything else is unknown until the terminal has
 * told, and holds the terminal's queue meanwhile.
 */
export function recoverPayments({ journal, book, run }: Parts, bay: TerminalBay, ending: AbortSignal): Recovery {
  /** What is not settled yet; each is called when this process is done with it. */
  const finish = new Map<LivePayment, () => void>();
  const listed = list();
  const recovering = bay.fifo.run("recovery", ending, async () => {
    await listed;
    const never = [...finish.keys()].filter(({ life }) => life === "created");
    for (const live of never) await settle(live, book.end(live, { state: "not_started", reason: stoppedBefore(bay.spec.id) }));
    for (const live of finish.keys()) await settle(live, ask(live));
  });
  return { listed, settled: recovering.finally(() => [...finish.keys()].forEach(leave)) };

  async function ask(live: LivePayment): Promise<void> {
    await book.end(live, await run.resolve(bay, live));
  }

  async function settle(live: LivePayment, work: Promise<void>): Promise<void> {
    await raceSignal(work, ending);
    leave(live);
  }

  function leave(live: LivePayment): void {
    book.drop(live);
    finish.get(live)?.();
    finish.delete(live);
  }

  async function list(): Promise<void> {
    const open = await book.persist(() => allOf(journal, bay.spec.id, { open: true }), ending);
    // A reversal and its payment belong together, and one of them may have ended.
    const paired = open.some((record) => record.step === "reversing" || evidenceOf(record).reverses !== undefined);
    const records = paired ? await book.persist(() => allOf(journal, bay.spec.id), ending) : open;
    const reversing = new Map(records.filter(({ step }) => step === "reversing").map((record) => [evidenceOf(record).reversal, record]));
    const left = records.filter(({ outcome, step }) => !outcome?.final && step !== "reversing");
    for (const record of left.sort((a, b) => a.createdAt - b.createdAt)) {
      const live = book.admit(record, record.step === "created" ? "created" : "unknown", ending, bay.spec.simulated);
      live.original = records.find(({ id }) => id === evidenceOf(record).reverses);
      live.done = new Promise((resolve) => finish.set(live, resolve));
    }
    // The reversal's end was written, and the crash came before the payment's.
    for (const [reversal, original] of reversing) {
      const record = records.find(({ id }) => id === reversal);
      if (record?.outcome) await book.endReversing({ record, original, ending, simulated: bay.spec.simulated });
    }
  }
}
