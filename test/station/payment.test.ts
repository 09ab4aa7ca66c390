import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import type { PaymentJob } from "../../src/protocol/payment-terminal.js";
import { type Scenario, startStation, type TestStation } from "../../src/testing.js";
import { untilDevice } from "../complaints/station.test.support.js";
import { faultRow } from "../support/fault.js";

/** Station and terminal live so much faster: a terminal's own deadlines are minutes. */
const FACTOR = 20;
const scenario: Scenario = {
  devices: {
    terminal: {
      driver: "zvt",
      password: "123456",
      // What the standard's minutes prove, seconds do; its few seconds are nothing to a busy machine when they pass so fast.
      t2Ms: 60_000,
      t3Ms: 60_000,
      t4Ms: 40_000,
      autoReversalMs: 10_000,
      link: { kind: "simulator", simulator: "zvt-terminal", t2Ms: 60_000, t3Ms: 60_000, autoReversalMs: 2_000 },
    },
  },
};

let station: TestStation;
let page: StationClient;
let keys = 0;
let bill = "";

/** What the bank had booked before the test: journal and terminal go on as they would for years. */
let before = { net: 0, sales: 0 };

beforeAll(async () => {
  station = await startStation({ seed: 6, scenario, clock: systemClock(FACTOR) });
  const first = await station.connect();
  // Every terminal in the field has a last receipt; without one, nobody could prove that nothing was charged.
  await first.call("paymentTerminal.pay", { amountVnd: 1_000, reference: "FIRST", idempotencyKey: "bill-00000000" });
  first.close();
});
beforeEach(async () => {
  page = await station.connect();
  bill = `bill-${String(++keys).padStart(8, "0")}`;
  const { netVnd, sales } = await terminalState();
  before = { net: Number(netVnd), sales: Number(sales) };
});
afterEach(() => page.close());
afterAll(() => station.stop());

const act = (action: string, params: Record<string, string | number> = {}): ReturnType<TestStation["act"]> =>
  station.act("terminal", action, params);
const terminalState = async (): Promise<Readonly<Record<string, unknown>>> => (await act("slow", { ms: 0 })).state;
const booked = async (): Promise<{ net: number; sales: number }> => {
  const { netVnd, sales } = await terminalState();
  return { net: Number(netVnd) - before.net, sales: Number(sales) - before.sales };
};
const pay = (
  more: { amountVnd?: number; idempotencyKey?: string; timeoutMs?: number } = {},
  onStage?: (stage: string) => void,
): Promise<PaymentJob> =>
  page.call(
    "paymentTerminal.pay",
    { amountVnd: 482_000, reference: "PE05-7", description: "Tiền điện tháng 11", idempotencyKey: bill, ...more },
    { onProgress: ({ stage }) => onStage?.(stage) },
  );
const ended = async (idempotencyKey = bill): Promise<PaymentJob> => {
  for (;;) {
    const job = await page.call("jobs.get", { idempotencyKey });
    if (job.kind === "payment" && job.final) return job;
    await systemClock().sleep(10);
  }
};

test("a payment with every stage told; the same key is the same payment, another bill under it a conflict", async () => {
  const stages: string[] = [];
  const job = await pay({}, (stage) => void stages.push(stage));
  expect(job).toMatchObject({ state: "approved", final: true, amountVnd: 482_000, reference: "PE05-7", simulated: true });
  expect(job.receipt).toMatchObject({ cardName: "NAPAS", cardLastFour: "0018" });
  expect(stages).toEqual(["checking", "present_card", "authorising", "remove_card"]);
  expect(await pay()).toMatchObject({ job: job.job, state: "approved" });
  await expect(pay({ amountVnd: 1 })).rejects.toMatchObject({ kind: "idempotency_conflict" });
  expect(await booked()).toEqual({ sales: 1, net: 482_000 });
});

test("zero, less, broken and too much are refused before anything leaves", async () => {
  for (const amountVnd of [0, -1, 1.5, 100_000_000_001]) await expect(pay({ amountVnd })).rejects.toMatchObject({ kind: "invalid_params" });
  const refused = await pay({ amountVnd: 100_000_001 }).then(
    ({ state }) => state,
    ({ kind }: { kind: string }) => kind,
  );
  expect(["not_started", "invalid_params"]).toContain(refused);
  expect(await booked()).toEqual({ sales: 0, net: 0 });
});

faultRow({
  device: "zvt",
  fault: "The bank says no",
  knobs: ["zvt-terminal.decline"],
  sees: "`declined`",
  does: "leaves the terminal free for another card",
  back: "at once",
});
test.each([5, 51, 75])("the bank says no (%i): declined, and nothing is charged", async (code) => {
  await act("decline", { code });
  expect(await pay()).toMatchObject({ state: "declined", final: true });
  expect(await booked()).toMatchObject({ net: 0 });
});

faultRow({
  device: "agent",
  fault: "The browser is reloaded, closed or killed in mid-payment",
  sees: "the same job under its key: `approved`",
  does: "goes on with the payment: a job outlives its page",
  back: "the page is there",
});
test("the page goes away in mid-payment: its key tells how it ended, and only to its own principal", async () => {
  const gone = await station.connect();
  const reload = new Promise<void>((resolve) => {
    gone
      .call(
        "paymentTerminal.pay",
        { amountVnd: 90_000, reference: "W-1", idempotencyKey: bill },
        {
          onProgress: ({ stage }) => {
            if (stage !== "present_card") return;
            gone.close();
            resolve();
          },
        },
      )
      .catch(() => {});
  });
  await reload;
  expect(await ended()).toMatchObject({ state: "approved", amountVnd: 90_000 });
  const technician = await station.connect("technician");
  await expect(technician.call("jobs.get", { idempotencyKey: bill })).rejects.toMatchObject({ kind: "job_not_found" });
  technician.close();
});

faultRow({
  device: "zvt",
  fault: "Cable pulled while nobody pays",
  knobs: ["zvt-terminal.unplug"],
  sees: "`device_absent`; nothing is sold meanwhile",
  does: "looks for the terminal, and registers again when it is back",
  measured: ["lab: terminal-acm, pulled idle", "lab: terminal-ftdi, pulled idle"],
  bounds: ["zvtPoll", "tryAgain"],
});
test("a cable that is pulled while nobody pays: nothing is sold meanwhile, and the next payment goes well", async () => {
  await act("unplug");
  await untilDevice(page, "terminal", "absent");
  expect(await pay().catch((error: { kind: string }) => ({ reason: error }))).toMatchObject({ reason: { kind: "device_absent" } });
  await act("plug");
  await untilDevice(page, "terminal", "ready");
  bill = `${bill}-next`;
  expect(await pay()).toMatchObject({ state: "approved" });
  expect(await booked()).toEqual({ sales: 1, net: 482_000 });
});

faultRow({
  device: "zvt",
  fault: "Cable pulled in mid-payment",
  knobs: ["zvt-terminal.disconnectAt"],
  sees: "`approved`, `not_charged` or `reversed`, as the bank has it; until then a new one is `payment_unresolved`",
  does: "asks the terminal until its end is known; sends no order twice",
  bounds: ["paymentAsked", "zvtTakenBack"],
  measured: ["lab: terminal-acm, pulled in mid-payment", "lab: terminal-ftdi, pulled in mid-payment"],
  also: "npm run torture:pay",
});
test.each(["command-received", "card-presented", "status-information-sent", "answer-lost", "completion-begun"])(
  "the wire ends at %s: the end agrees with the bank's books, and no new sale begins before",
  async (step) => {
    await act("disconnectAt", { step, host: "approved", autoReversal: "succeeds" });
    const first = await pay({ timeoutMs: 100_000 });
    if (!first.final) {
      const blocked = await page.call("paymentTerminal.pay", { amountVnd: 1_000, reference: "NEXT", idempotencyKey: `${bill}-next` }).then(
        (job) => job.reason?.kind,
        (error: { kind: string }) => error.kind,
      );
      expect(["payment_unresolved", undefined]).toContain(blocked);
    }
    const { state } = await ended();
    const next = await page.call("jobs.get", { idempotencyKey: `${bill}-next` }).catch(() => undefined);
    const others = next?.kind === "payment" && next.state === "approved" ? next.amountVnd : 0;
    const net = (await booked()).net - others;
    expect({ state, net }).toEqual(state === "approved" ? { state, net: 482_000 } : { state, net: 0 });
    expect(["approved", "not_charged", "reversed"]).toContain(state);
  },
);

test("an approved payment is taken back once, by a technician with a token of their own", async () => {
  const { job } = await pay();
  const technician = await station.connect("technician");
  await expect(page.call("paymentTerminal.reverse", { job, idempotencyKey: `${bill}-back` })).rejects.toMatchObject({ kind: "forbidden" });
  const back = await technician.call("paymentTerminal.reverse", { job, idempotencyKey: `${bill}-back` });
  expect(back).toMatchObject({ state: "reversed", reverses: job });
  expect(await technician.call("paymentTerminal.reverse", { job, idempotencyKey: `${bill}-back` })).toMatchObject({ job: back.job });
  await expect(technician.call("paymentTerminal.reverse", { job, idempotencyKey: `${bill}-more` })).rejects.toMatchObject({
    kind: "invalid_params",
  });
  expect(await booked()).toMatchObject({ net: 0 });
  expect(await technician.call("paymentTerminal.reconcile", { close: true })).toMatchObject({ agree: true, open: [] });
  technician.close();
});
