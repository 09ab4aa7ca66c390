import type { JobRecord, Journal } from "../journal/types.js";
import { raceSignal } from "../kernel/deadline.js";
import type { LivePayment, PaymentBook } from "./payment-book.js";
import { evidenceOf } from "./payment-job.js";
import { type PaymentRun, sideBySide, type TerminalBay } from "./payment-run.js";
import { stoppedBefore } from "./print-job.js";

/** More than a station has on one day, or leaves open. */
export const MANY = 1_000_000;

/** The payment or reversal of this name; of this terminal, where one is told. */
export async function paymentOf(journal: Journal, id: string | undefined, device?: string): Promise<JobRecord | undefined> {
  const record = id === undefined ? undefined : await journal.byId(id);
  return record?.kind === "payment" && (device === undefined || record.device === device) ? record : undefined;
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
  const turn = (work: () => Promise<void>): Promise<void> => (sideBySide(bay) ? work() : bay.fifo.run("recovery", ending, work));
  const recovering = turn(async () => {
    await listed;
    const never = [...finish.keys()].filter(({ life }) => life === "created");
    for (const live of never) await settle(live, book.end(live, { state: "not_started", reason: stoppedBefore(bay.spec.id) }));
    if (sideBySide(bay)) await Promise.all([...finish.keys()].map((live) => settle(live, ask(live))));
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
    const { id: device, simulated } = bay.spec;
    const kept = (id: string | undefined) => book.persist(() => paymentOf(journal, id, device), ending);
    const open = await book.persist(() => journal.list({ kind: "payment", device, open: true, limit: MANY }), ending);
    const left = open.filter(({ step }) => step !== "reversing").sort((a, b) => a.createdAt - b.createdAt);
    // A reversal and its payment belong together, and one of them may have ended.
    const originals = new Map(await Promise.all(left.map(async (record) => [record, await kept(evidenceOf(record).reverses)] as const)));
    for (const record of left) {
      const live = book.admit(record, record.step === "created" ? "created" : "unknown", ending, simulated);
      live.original = originals.get(record);
      live.done = new Promise((resolve) => finish.set(live, resolve));
    }
    // The reversal's end was written, and the crash came before the payment's.
    for (const original of open.filter(({ step }) => step === "reversing")) {
      const record = await kept(evidenceOf(original).reversal);
      if (record?.outcome) await book.endReversing({ record, original, ending, simulated });
    }
  }
}
