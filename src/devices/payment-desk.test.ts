import { beforeEach, expect, test } from "vitest";
import { DeviceError } from "../kernel/errors.js";
import type { PaymentParams } from "../protocol/payment-terminal.js";
import { settle } from "./testing/devices.js";
import { call, caller } from "./testing/fakes.js";
import { APPROVED, bill, ended, gate, type PaymentRig, paymentRig, takeBack } from "./testing/payments.js";

let rig: PaymentRig;
beforeEach(async () => {
  rig = await paymentRig();
});

const technician = () => call(caller("tech", "technician", "token:an"));
const finding = (job: string, outcome: "approved" | "not_charged" | "reversed"): PaymentParams<"resolve"> => ({
  job,
  outcome,
  evidence: "receipt/0008",
});
const pay = async (key: string, amountVnd: number, state: "approved" | "declined" | "manual_review" | "reversed" = "approved") => {
  rig.script.pay = async (steps) => {
    await steps.armed({});
    if (state !== "approved") return ended(state);
    await steps.held({});
    await steps.answering();
    return APPROVED;
  };
  return (await rig.service.pay(rig.bay, bill(key, amountVnd), call())).job;
};
const reconcile = (close: boolean) => rig.service.reconcile(rig.bay, { device: undefined, close, timeoutMs: 1_000 }, technician());

test.each(["approved", "not_charged", "reversed"] as const)("a technician settles a payment under review: %s", async (outcome) => {
  const job = await pay("bill-0000001", 50_000, "manual_review");
  const settled = await rig.service.resolveByHand(rig.bay, finding(job, outcome), technician());
  expect(settled).toMatchObject({ job, state: outcome, final: true });
  expect(rig.journal.records.get(job)?.evidence.ruled).toEqual({ outcome, evidence: "receipt/0008", by: "token:an" });
  expect(rig.published.at(-1)).toMatchObject({ job: { job, state: outcome }, principal: "origin:https://kiosk.test" });
  expect(rig.audit).toContainEqual({
    event: "audit: payment settled by hand",
    fields: { device: "terminal", job, state: outcome, role: "technician", origin: "token:an" },
  });
  // The same finding again is the same answer; another one comes too late.
  expect(await rig.service.resolveByHand(rig.bay, finding(job, outcome), technician())).toEqual(settled);
  const other = outcome === "approved" ? "reversed" : "approved";
  await expect(rig.service.resolveByHand(rig.bay, finding(job, other), technician())).rejects.toMatchObject({ kind: "invalid_params" });
});

test("only what is under review is settled by hand: not what ended, not what is open, not what nobody knows", async () => {
  for (const state of ["approved", "declined"] as const) {
    const job = await pay(`bill-${state}`, 1_000, state);
    await expect(rig.service.resolveByHand(rig.bay, finding(job, "reversed"), technician())).rejects.toMatchObject({
      kind: "invalid_params",
    });
  }
  await expect(rig.service.resolveByHand(rig.bay, finding("nobody", "reversed"), technician())).rejects.toMatchObject({
    kind: "job_not_found",
  });
  const word = gate<never>();
  rig.script.pay = async (steps) => {
    await steps.armed({});
    throw new DeviceError("device_absent");
  };
  rig.script.resolve = () => word.opened;
  void rig.service.pay(rig.bay, bill("bill-open"), call());
  await settle();
  const [open] = rig.service.openJobs(undefined);
  await expect(rig.service.resolveByHand(rig.bay, finding(open?.job ?? "", "not_charged"), technician())).rejects.toMatchObject({
    kind: "invalid_params",
  });
});

test("a finding about a reversal in doubt settles both, whichever was named", async () => {
  const job = await pay("bill-0000001", 50_000);
  rig.script.reverse = async (steps) => {
    await steps.armed({});
    return ended("manual_review");
  };
  const reversal = (await rig.service.reverse(rig.bay, takeBack(job), technician())).job;
  const settled = await rig.service.resolveByHand(rig.bay, finding(reversal, "reversed"), technician());
  expect(settled).toMatchObject({ job, state: "reversed" });
  expect(rig.journal.records.get(reversal)?.outcome).toMatchObject({ state: "reversed", final: true });
  rig.script.totals = async () => ({ count: 0, sumVnd: 0 });
  expect(await reconcile(false)).toMatchObject({ agree: true, open: [] });
});

test("the journal's totals are what is approved less what was taken back, since the last end of day", async () => {
  const first = await pay("bill-0000001", 50_000);
  await pay("bill-0000002", 20_000);
  await pay("bill-0000003", 7_000, "declined");
  await pay("bill-0000004", 8_000, "reversed");
  const doubtful = await pay("bill-0000005", 9_000, "manual_review");
  rig.script.totals = async () => ({ count: 2, sumVnd: 70_000 });
  expect(await reconcile(true)).toMatchObject({
    device: "terminal",
    journal: { count: 2, sumVnd: 70_000 },
    agree: true,
    open: [{ job: doubtful, state: "manual_review" }],
  });
  expect(rig.script.closes).toEqual([true]);
  expect(rig.audit.map(({ event }) => event)).toContain("audit: end of day");

  // A new day, also after a restart: it begins at nothing, and a payment of yesterday taken back today counts against today.
  await rig.restart();
  rig.script.totals = async () => ({ count: 0, sumVnd: 0 });
  expect(await reconcile(true)).toMatchObject({ journal: { count: 0, sumVnd: 0 }, agree: true });
  await rig.service.reverse(rig.bay, takeBack(first), technician());
  await pay("bill-0000006", 30_000);
  expect(await reconcile(false)).toMatchObject({ journal: { count: 0, sumVnd: -20_000 }, agree: false });
  expect(await reconcile(false)).toMatchObject({ journal: { count: 0, sumVnd: -20_000 } });
});

test("a payment that was asked for before an end of day and armed after it belongs to the new day", async () => {
  await pay("bill-0000001", 50_000);
  const counting = gate();
  rig.script.totals = async () => {
    await counting.opened;
    return { count: 1, sumVnd: 50_000 };
  };
  const closing = reconcile(true);
  await settle();
  const waiting = pay("bill-0000002", 20_000);
  await settle();
  counting.open();
  expect(await closing).toMatchObject({ agree: true });
  await waiting;
  rig.script.totals = async () => ({ count: 1, sumVnd: 20_000 });
  expect(await reconcile(false)).toMatchObject({ journal: { count: 1, sumVnd: 20_000 }, agree: true });
});

test("an end of day whose mark cannot be written holds the next payment back until it can", async () => {
  await pay("bill-0000001", 50_000);
  rig.script.totals = async () => {
    rig.journal.broken = true;
    return { count: 1, sumVnd: 50_000 };
  };
  const closing = reconcile(true);
  await rig.clock.advance(3_000);
  rig.journal.broken = false;
  const next = pay("bill-0000002", 20_000);
  await settle();
  expect(rig.bay.fifo.length).toBe(1);
  await rig.clock.advance(1_000);
  await Promise.all([closing, next]);
  rig.script.totals = async () => ({ count: 1, sumVnd: 20_000 });
  expect(await reconcile(false)).toMatchObject({ agree: true });
});

test("a terminal that cannot count is told as what it is", async () => {
  rig.script.totals = () => Promise.reject(new DeviceError("unsupported"));
  await expect(reconcile(false)).rejects.toMatchObject({ kind: "unsupported", device: "terminal" });
  expect(await rig.service.deviceOf(await pay("bill-0000001", 1_000))).toBe("terminal");
  await expect(rig.service.deviceOf("nobody")).rejects.toMatchObject({ kind: "job_not_found" });
});
