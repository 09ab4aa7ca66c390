import { expect, it } from "vitest";
import type { Receipt } from "../../simulators/receipt-printer/index.js";
import type { Job } from "../../src/protocol/jobs.js";
import { trayOf } from "./paper.js";
import { type Begun, createSettler } from "./settle.js";

const WIDTH_DOTS = 576;
const ROWS = 40;
const STRIDE = WIDTH_DOTS / 8;

/** As a printer has it: a mark above and below, some text between them. */
function receipt(above: number, below = above, text = 0xa5, rows = ROWS): Receipt {
  const bits = new Uint8Array(STRIDE * rows);
  for (const [row, number] of [
    [2, above],
    [ROWS - 3, below],
  ] as const) {
    for (let cell = 0; cell < 32; cell++) if ((number >>> cell) & 1) bits.fill(0xff, row * STRIDE + cell * 2, row * STRIDE + cell * 2 + 2);
  }
  bits.fill(text, 20 * STRIDE, 20 * STRIDE + 9);
  return { rows: { widthDots: WIDTH_DOTS, heightDots: rows, bits }, texts: "" };
}

it("a receipt is whole with both its marks and everything between them, and each copy counts", () => {
  const receipts = [receipt(0), receipt(0xffffffff)];
  const tray = trayOf({ receipts } as never);
  tray.learn();
  receipts.push(receipt(77), receipt(0x80000001), receipt(77));
  expect([tray.copies(77), tray.copies(0x80000001), tray.copies(1), tray.scraps]).toEqual([2, 1, 0, 0]);
  receipts.push(receipt(5, 6), receipt(5, 5, 0xa4), receipt(5, 5, 0xa5, ROWS - 1));
  expect([tray.copies(5), tray.copies(77), tray.scraps]).toEqual([0, 2, 3]);
});

/** What is told of a job that ended so, where paper, ledger and bank have this. */
async function told(
  job: Pick<Begun, "kind">,
  end: Partial<Job> | undefined,
  truth: { copies?: number; net?: readonly number[]; transfers?: number },
  excuses: readonly string[] = [],
): Promise<readonly string[]> {
  const ledger = (truth.net ?? []).map((net) => ({ amountVnd: 5, kind: net > 0 ? "sale" : "reversal", hostApproved: true, net }));
  const terminal = { ledger: () => ledger };
  const scene = { tray: { copies: () => truth.copies }, bank: { transfers: () => truth.transfers }, terminals: { terminal } };
  const desk = { call: () => (end ? Promise.resolve({ final: true, ...end }) : Promise.reject({ kind: "job_not_found" })) };
  const settler = createSettler(scene as never, { desk, technician: { call: () => Promise.resolve() } } as never);
  return await settler.settle({ ...job, key: "k", number: 1, device: "terminal", amountVnd: 5 } as Begun, () => excuses);
}

it("paper, ledger and bank have the last word", async () => {
  const print = { kind: "print" } as const;
  const failed = { state: "failed", reason: { kind: "paper_out", hint: "Load paper", message: "paper out", retryable: true } } as const;
  expect(await told(print, { state: "printed" }, { copies: 1 })).toEqual([]);
  expect(await told(print, { state: "printed" }, { copies: 2 })).toEqual(["the receipt is printed, and 2 are on paper"]);
  expect(await told(print, { state: "printed" }, { copies: 0 }, ["cable"])).toHaveLength(1);
  expect(await told(print, failed, { copies: 0 }, ["paper out"])).toEqual([]);
  expect(await told(print, failed, { copies: 0 })).toEqual(["the receipt ended failed: paper_out (paper out)"]);
  expect(await told(print, failed, { copies: 1 }, ["paper out"])).toHaveLength(1);
  const faulty = { ...failed, reason: { ...failed.reason, kind: "internal" } } as const;
  expect(await told(print, faulty, { copies: 0 }, ["paper out"])).toHaveLength(1);

  const card = { kind: "card" } as const;
  const as = (state: string) => ({ kind: "payment", state }) as Partial<Job>;
  expect(await told(card, as("approved"), { net: [5] })).toEqual([]);
  expect(await told(card, as("approved"), { net: [5, 5] }, ["cable"])).toContain("charged twice");
  expect(await told(card, undefined, { net: [5] }, ["cable"])).toContain("a charge was forgotten");
  expect(await told(card, as("reversed"), { net: [5, -5] }, ["cable"])).toEqual([]);
  expect(await told(card, as("manual_review"), { net: [5] }, ["cable"])).toEqual([]);
  expect(await told(card, as("manual_review"), { net: [5] })).toHaveLength(1);

  const transfer = { kind: "transfer" } as const;
  expect(await told(transfer, as("approved"), { transfers: 1 })).toEqual([]);
  expect(await told(transfer, as("approved"), { transfers: 0 })).toHaveLength(1);
  expect(await told(transfer, as("expired"), { transfers: 1 }, ["killed"])).toHaveLength(1);
});
