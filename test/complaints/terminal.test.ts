import { afterAll, beforeAll, expect, it } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { faultRow } from "../support/fault.js";

/** Minutes of the terminal's own deadlines pass so much faster. */
const FACTOR = 20;
const slower = { t2Ms: 60_000, t3Ms: 60_000 };
const scenario = {
  devices: {
    terminal: {
      driver: "zvt",
      password: "123456",
      ...slower,
      t4Ms: 40_000,
      autoReversalMs: 10_000,
      link: { kind: "simulator", simulator: "zvt-terminal", ...slower, autoReversalMs: 2_000 },
    },
  },
};

let station: TestStation;
let page: StationClient;
let bills = 0;
beforeAll(async () => {
  station = await startStation({ seed: 13, scenario, clock: systemClock(FACTOR) });
  page = await station.connect();
  expect(await pay()).toMatchObject({ state: "approved" });
});
afterAll(() => station.stop());

const pay = (options: { signal?: AbortSignal; onProgress?: (progress: { stage: string }) => void } = {}) =>
  page.call(
    "paymentTerminal.pay",
    { amountVnd: 1_000, reference: "PE05-7", idempotencyKey: `complaint-${String(++bills).padStart(6, "0")}` },
    options,
  );
const net = async (): Promise<number> => Number((await station.act("terminal", "slow", { ms: 0 })).state.netVnd);

it("the terminal stays stuck in an open transaction when its cable was pulled (odoo#249101, OCA/pos#701)", async () => {
  const before = await net();
  await station.act("terminal", "disconnectAt", { step: "card-presented", host: "approved", autoReversal: "succeeds" });
  const job = await pay();
  for (let found = job; !found.final; ) {
    const now = await page.call("jobs.get", { idempotencyKey: job.idempotencyKey });
    if (now.kind === "payment") found = now;
    await systemClock().sleep(10);
  }
  const settled = (await net()) - before;
  expect([0, 1_000]).toContain(settled);
  // Nobody has touched the terminal, the agent or the cable since.
  expect(await pay()).toMatchObject({ state: "approved" });
  expect((await net()) - before).toBe(settled + 1_000);
});

faultRow({
  device: "zvt",
  fault: "Nobody takes a card out, and the page cancels",
  knobs: ["zvt-terminal.slow"],
  sees: "the end that the terminal tells; the next payment is `approved`",
  does: "cancels at the terminal, too: it does not go on asking for a card",
  back: "the terminal has answered",
});
it("the terminal goes on asking for a card after the cashier has cancelled (odoo#249101)", async () => {
  const before = await net();
  await station.act("terminal", "slow", { ms: 600_000 });
  const cashier = new AbortController();
  const job = await pay({ signal: cashier.signal, onProgress: ({ stage }) => stage === "present_card" && cashier.abort() });
  await station.act("terminal", "slow", { ms: 0 });
  for (let found = job; !found.final; ) {
    const now = await page.call("jobs.get", { idempotencyKey: job.idempotencyKey });
    if (now.kind === "payment") found = now;
    await systemClock().sleep(10);
  }
  expect(await pay()).toMatchObject({ state: "approved" });
  expect((await net()) - before).toBe(1_000);
});
