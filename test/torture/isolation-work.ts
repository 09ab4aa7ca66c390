import { randomUUID } from "node:crypto";
import { equalBytes } from "../../src/kernel/bytes.js";
import { systemClock } from "../../src/kernel/clock.js";
import type { Job } from "../../src/protocol/jobs.js";
import type { ChildName, Scene } from "./isolation-scene.js";
import { tortureReceipt } from "./receipt.js";
import { judge } from "./verdict.js";

/** What a citizen is in the middle of. */
export interface Work {
  /** The child whose device does it. */
  readonly own: ChildName;
  /**
   * Does it once, strikes in the middle, and compares what was said with what is true. `hit`: a child that it needs is struck, so that it
   * may end otherwise than well; ledger, paper and codes may not.
   */
  run(scene: Scene, strike: () => void, hit: boolean): Promise<{ readonly outcome: string; readonly wrong: readonly string[] }>;
}

const clock = systemClock();
const PATIENCE_MS = 90_000;
const kindOf = (thrown: unknown): string => (thrown as { kind?: string }).kind ?? String(thrown);
/** Nothing that was started may be lost: what is known of it comes later, by its key. */
const unanswered = (): undefined => undefined;

async function endOf({ station }: Scene, idempotencyKey: string): Promise<Job | undefined> {
  const giveUpAt = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    const job = await station.page.call("jobs.get", { idempotencyKey }).catch((thrown) => {
      if (kindOf(thrown) === "job_not_found") return undefined;
      throw thrown;
    });
    if (!job || job.final || clock.monotonicMs() > giveUpAt) return job;
    await clock.sleep(25);
  }
}

let amounts = 0;

const payment: Work = {
  own: "terminal",
  async run(scene, strike, hit) {
    const { terminal, station } = scene;
    const amountVnd = 50_000 + ++amounts;
    const before = terminal.simulator.ledger().length;
    const idempotencyKey = randomUUID();
    terminal.at("host-asked", strike);
    await station.page
      .call("paymentTerminal.pay", { amountVnd, reference: "ISOLATION", idempotencyKey, timeoutMs: 60_000 })
      .catch(unanswered);
    const job = await endOf(scene, idempotencyKey);
    const { end, wrong } = judge({
      kind: "sale",
      misfortune: { ends: hit ? ["approved", "reversed", "not_charged"] : ["approved"] },
      amountVnd,
      job: job?.kind === "payment" ? job : undefined,
      bookings: terminal.simulator.ledger().slice(before),
    });
    return { outcome: end, wrong };
  },
};

/** Rows of dots of a receipt that came out whole. */
let reference: Uint8Array | undefined;

const print: Work = {
  own: "receipt",
  async run(scene, strike, hit) {
    const { printer, station } = scene;
    const whole = (): number => printer.receipts.filter(({ rows }) => reference && equalBytes(rows.bits, reference)).length;
    const before = whole();
    const idempotencyKey = randomUUID();
    scene.atByte(4_000, strike);
    await station.page.call("printer.print", { document: tortureReceipt, idempotencyKey, timeoutMs: 30_000 }).catch(unanswered);
    const job = await endOf(scene, idempotencyKey);
    const state = job?.state ?? "not_started";
    reference ??= printer.receipts.at(-1)?.rows.bits.slice();
    const papers = whole() - before;
    const wrong: string[] = [];
    if (papers > 1) wrong.push("printed twice");
    if (state === "printed" && papers !== 1) wrong.push(`printed, and ${papers} on paper`);
    if (state !== "printed" && papers > 0) wrong.push(`${state}, and on paper`);
    if (state === "unknown" || !(hit || state === "printed")) wrong.push(`ended ${state}`);
    return { outcome: state, wrong };
  },
};

const cardRead: Work = {
  own: "id-reader",
  async run(scene, strike, hit) {
    const { card, station } = scene;
    const act = async (name: string, params: Record<string, unknown> = {}): Promise<void> => {
      const action = card.actions[name];
      await action?.act(action.params.parse(params));
    };
    // A card that is laid there between two looks of pcscd is the one before to it.
    await station.page.call("chipReader.waitForRemoval", {});
    await act("card", { delayMs: 20 });
    await act("insert", { person: "A" });
    await station.page.call("chipReader.waitForCard", {});
    const { idNumber } = card.holder();
    const read = (onProgress: (stage: string) => void): Promise<{ outcome: string; wrong: string[] }> =>
      station.page
        .call("chipReader.readCard", { access: { idNumber }, timeoutMs: 20_000 }, { onProgress: ({ stage }) => onProgress(stage) })
        .then(
          ({ details, verdicts }) => ({
            outcome: "read",
            wrong: details?.idNumber === idNumber && verdicts.chip === "genuine" ? [] : ["another card than lies there"],
          }),
          (thrown) => ({ outcome: kindOf(thrown), wrong: hit && kindOf(thrown) === "device_absent" ? [] : [`ended ${kindOf(thrown)}`] }),
        );
    try {
      return await read((stage) => stage === "reading" && strike());
    } finally {
      await act("lift");
    }
  },
};

let codes = 0;

const scan: Work = {
  own: "scanner",
  async run({ scanner, station }, strike, hit) {
    const show = async (text: string): Promise<void> => {
      const action = scanner.actions.scan;
      await action?.act(action.params.parse({ text }));
    };
    const text = `HS-${++codes}`;
    const wait = (waiting: () => void): Promise<string> =>
      station.page
        .call("barcodeScanner.scan", { device: "scanner", timeoutMs: 20_000 }, { onProgress: waiting })
        .then(({ text: code }) => (code === text ? "scanned" : "another code"), kindOf);
    // The citizen holds the code up when the page asks; where nothing comes of it the page asks again.
    const first = await wait(() => {
      strike();
      if (!hit) void show(text);
    });
    if (first === "scanned") return { outcome: first, wrong: [] };
    return { outcome: first, wrong: hit && first === "device_absent" ? [] : [`ended ${first}`] };
  },
};

export const WORKS = { payment, print, "card read": cardRead, scan } as const;
export type WorkName = keyof typeof WORKS;
