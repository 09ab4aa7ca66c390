import { beforeEach, expect, test } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import type { PaymentOutcome, PaymentSteps } from "../contracts/payment-terminal.js";
import { DeviceError } from "../kernel/errors.js";
import { settle } from "./testing/devices.js";
import { call } from "./testing/fakes.js";
import { APPROVED, bill, ended, FACTS, gate, type PaymentRig, paymentRig } from "./testing/payments.js";

let rig: PaymentRig;
beforeEach(async () => {
  rig = await paymentRig();
});

const STEPS = ["created", "armed", "sent", "held", "answering"] as const;
/** Runs a sale up to and including one durable step, and then `otherwise`. */
const upTo =
  (last: (typeof STEPS)[number], otherwise: () => Promise<PaymentOutcome>) =>
  async (steps: PaymentSteps): Promise<PaymentOutcome> => {
    const marks = [() => steps.armed({ receiptNumber: "0007" }), steps.sent, () => steps.held(FACTS), steps.answering];
    for (const mark of marks.slice(0, STEPS.indexOf(last))) await mark();
    return await otherwise();
  };
const lost = () => Promise.reject(new DeviceError("device_absent"));
const hangs = () => new Promise<never>(() => {});

test.each(STEPS)("the driver gives up after %s: never sold again, the terminal is asked", async (step) => {
  rig.script.pay = upTo(step, lost);
  rig.script.resolve = async () => ended("not_charged");
  const job = await rig.service.pay(rig.bay, bill(), call());
  expect(rig.script.sales).toBe(1);
  if (step === "created") {
    expect(job).toMatchObject({ state: "not_started", reason: { kind: "device_absent" } });
    expect(rig.script.resolved).toEqual([]);
    return;
  }
  expect(job).toMatchObject({ state: "not_charged", final: true });
  const facts = STEPS.indexOf(step) >= STEPS.indexOf("held") ? FACTS : undefined;
  expect(rig.script.resolved).toEqual([{ step, amountVnd: 50_000, baseline: { receiptNumber: "0007" }, facts, markedAt: rig.clock.now() }]);
});

faultRow({
  device: "agent",
  fault: "The agent is killed in mid-payment (SIGKILL, crash)",
  sees: "the same job under its key: `resolving`, then its true end",
  does: "finds the open payment in its journal, and asks the terminal before anything else is sold",
  bounds: ["restart", "paymentAsked"],
  also: "npm run torture:pay",
});
test.each(STEPS)("the agent is killed after %s: the next one asks the terminal, and the key tells how it ended", async (step) => {
  rig.script.pay = upTo(step, hangs);
  void rig.service.pay(rig.bay, bill(), call());
  await settle();
  const word = gate<PaymentOutcome>();
  rig.script.resolve = () => word.opened;
  await rig.restart();
  const again = rig.service.pay(rig.bay, bill(), call());
  await settle();
  if (step !== "created") {
    expect(rig.service.recovered(rig.bay)).toBe(false);
    expect(rig.service.openJobs(undefined)).toMatchObject([{ state: "resolving", final: false }]);
    word.open(APPROVED);
  }
  expect(await again).toMatchObject({ state: step === "created" ? "not_started" : "approved", final: true });
  expect(rig.service.recovered(rig.bay)).toBe(true);
  expect(rig.script.sales).toBe(1);
  expect(rig.script.resolved.map((asked) => asked.step)).toEqual(step === "created" ? [] : [step]);
  expect(await rig.service.pay(rig.bay, bill(), call())).toMatchObject({ final: true });
  expect(rig.script.sales).toBe(1);
});

test("before the terminal is back, a payment of an earlier run is shown as unknown, or as never begun", async () => {
  rig.script.pay = upTo("held", hangs);
  void rig.service.pay(rig.bay, bill(), call());
  await settle();
  rig.script.open = lost;
  await rig.restart();
  const record = [...rig.journal.records.values()][0];
  if (!record) throw new Error("no record");
  expect(rig.service.shown(record, false)).toMatchObject({ state: "unknown", final: false });
  const elsewhere = await paymentRig();
  expect(elsewhere.service.shown(record, false)).toMatchObject({ state: "unknown", final: false });
  const never = { ...record, id: "other", step: "created" };
  expect(rig.service.shown(never, false)).toMatchObject({ state: "not_started", final: true, reason: { kind: "shutting_down" } });
  // It blocks the terminal although nobody could ask it yet.
  await expect(rig.service.pay(rig.bay, bill("bill-0000002"), call())).rejects.toMatchObject({
    kind: "payment_unresolved",
    details: { job: record.id },
  });
});

test("several payments of an earlier run are settled oldest first; what an ending agent did not reach stays open", async () => {
  const record = (id: string, createdAt: number) => ({
    id,
    kind: "payment" as const,
    device: "terminal",
    principal: "origin:https://kiosk.test",
    idempotencyKey: `bill-${id}`,
    requestHmac: "",
    step: "armed",
    outcome: undefined,
    evidence: { amountVnd: createdAt, reference: id, baseline: { receiptNumber: id } },
    createdAt,
    updatedAt: createdAt,
  });
  // Newest first, as the journal lists them.
  const records = new Map([record("late", 2), record("early", 1)].map((one) => [one.id, one]));
  await rig.service.release(rig.bay, 1);
  const told = gate();
  rig.script.resolve = async ({ amountVnd }) => {
    if (amountVnd === 2) await told.opened;
    return ended("not_charged");
  };
  rig = await paymentRig(records, rig.script);
  await settle();
  expect(rig.script.resolved.map(({ amountVnd }) => amountVnd)).toEqual([1, 2]);
  expect(rig.service.openJobs(undefined)).toMatchObject([{ job: "late", state: "resolving" }]);
  const released = rig.service.release(rig.bay, 1);
  await rig.clock.advance(2);
  await released;
  expect(rig.service.openJobs(undefined)).toEqual([]);
  expect(rig.journal.records.get("late")?.outcome).toBeUndefined();
});

test("while one payment is unknown no other begins, and what waited in the queue ends there", async () => {
  rig.script.pay = upTo("armed", async () => {
    await settle();
    rig.script.open = lost;
    rig.script.lose();
    return await lost();
  });
  const asking = call();
  const first = rig.service.pay(rig.bay, bill("bill-0000001"), asking);
  await settle();
  const queued = rig.service.pay(rig.bay, bill("bill-0000002"), call());
  const ending = await queued;
  const job = rig.service.openJobs(undefined)[0]?.job;
  expect(ending).toMatchObject({ state: "not_started", reason: { kind: "payment_unresolved", details: { job } } });
  await expect(rig.service.pay(rig.bay, bill("bill-0000003"), call())).rejects.toMatchObject({
    kind: "payment_unresolved",
    details: { job },
  });
  await expect(rig.service.reconcile(rig.bay, { device: undefined, close: true, timeoutMs: 1_000 }, call())).rejects.toMatchObject({
    kind: "payment_unresolved",
  });
  asking.abort("timeout");
  await rig.clock.advance(1_500);
  expect(await first).toMatchObject({ state: "unknown", final: false });
  // The terminal is back: the end is definite, and the next bill is taken.
  rig.script.open = async () => {};
  rig.script.resolve = async () => ended("not_charged");
  await rig.clock.advance(40_000);
  expect(rig.service.openJobs(undefined)).toEqual([]);
  expect(rig.published.at(-1)?.job).toMatchObject({ job, state: "not_charged" });
  rig.script.pay = async () => ended("not_started");
  expect(await rig.service.pay(rig.bay, bill("bill-0000003"), call())).toMatchObject({ final: true });
  expect(rig.script.closes).toEqual([]);
});

test("a terminal that cannot tell yet is asked again and again, ever more patiently, and never sold to", async () => {
  rig.script.pay = upTo("sent", lost);
  const asked: number[] = [];
  rig.script.resolve = async () => {
    asked.push(rig.clock.monotonicMs());
    if (asked.length < 9) throw new DeviceError("timeout");
    return APPROVED;
  };
  const job = rig.service.pay(rig.bay, bill(), call());
  await rig.clock.advance(200_000);
  expect(await job).toMatchObject({ state: "approved" });
  expect(asked.slice(1).map((at, index) => (at - (asked[index] ?? 0)) / 1_000)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  expect(rig.script.sales).toBe(1);
  expect(rig.script.reversals).toBe(0);
});

test("an answer that resolving cannot give is no answer", async () => {
  rig.script.pay = upTo("armed", lost);
  rig.script.resolve = async () => (rig.script.resolved.length === 1 ? ended("not_started") : ended("declined"));
  const job = rig.service.pay(rig.bay, bill(), call());
  await rig.clock.advance(1_000);
  expect(await job).toMatchObject({ state: "declined" });
});

test("a driver that hangs after its link is gone is let go: its late marks are refused and its late word does not count", async () => {
  const late = gate();
  const refused: unknown[] = [];
  rig.script.pay = async (steps) => {
    await steps.armed({});
    rig.script.lose();
    await late.opened;
    await steps.held(FACTS).catch((thrown) => refused.push(thrown));
    steps.progress("authorising");
    return APPROVED;
  };
  rig.script.resolve = async () => {
    late.open();
    await settle();
    return ended("not_charged");
  };
  const asking = call();
  const job = rig.service.pay(rig.bay, bill(), asking);
  await rig.clock.advance(5_000);
  expect(await job).toMatchObject({ state: "not_charged" });
  expect(refused).toHaveLength(1);
  expect(asking.stages).toEqual(["resolving"]);
  expect(rig.journal.log).toEqual(["created", "armed", "ended:not_charged"]);
});

test("a driver that was let go before it armed cannot arm afterwards, however long the end takes to be written", async () => {
  const late = gate();
  const refused: unknown[] = [];
  rig.script.pay = async (steps) => {
    rig.script.lose();
    await late.opened;
    await steps.armed({}).catch((thrown) => refused.push(thrown));
    return ended("declined");
  };
  const first = rig.service.pay(rig.bay, bill(), call()).catch((thrown) => thrown);
  await settle();
  rig.journal.broken = true;
  await rig.clock.advance(2_500);
  expect(await first).toMatchObject({ kind: "journal_unavailable" });
  rig.journal.broken = false;
  late.open();
  await settle();
  expect(refused).toHaveLength(1);
  await rig.clock.advance(1_000);
  expect(rig.journal.log).toEqual(["created", "ended:not_started"]);
});

test("a driver that gives up while its mark is still being written: what is on disk counts", async () => {
  const disk = gate();
  const { advance } = rig.journal;
  rig.journal.advance = async (id, patch) => {
    if (patch.step === "armed") await disk.opened;
    await advance(id, patch);
  };
  rig.script.pay = async (steps) => {
    void steps.armed({});
    await settle();
    throw new DeviceError("device_absent");
  };
  rig.script.resolve = async () => ended("not_charged");
  const job = rig.service.pay(rig.bay, bill(), call());
  await settle();
  await settle();
  disk.open();
  expect(await job).toMatchObject({ state: "not_charged" });
});

test("that the order was sent, told late, does not hide that the result is held", async () => {
  rig.script.pay = async (steps) => {
    await steps.armed({});
    await steps.held(FACTS);
    await steps.sent();
    return await lost();
  };
  await rig.service.pay(rig.bay, bill(), call());
  expect(rig.script.resolved).toMatchObject([{ step: "held", facts: FACTS }]);
});

test("the last word of a driver whose link has just gone still counts", async () => {
  rig.script.pay = upTo("answering", async () => {
    rig.script.lose();
    await rig.clock.advance(1_000);
    return APPROVED;
  });
  expect(await rig.service.pay(rig.bay, bill(), call())).toMatchObject({ state: "approved" });
  expect(rig.script.resolved).toEqual([]);
});

test("a journal that cannot be written: before the payment and before it is armed it is refused, and nothing is sent", async () => {
  rig.journal.broken = true;
  await expect(rig.service.pay(rig.bay, bill(), call())).rejects.toMatchObject({ kind: "journal_unavailable" });
  rig.journal.broken = false;
  rig.script.pay = async (steps) => {
    rig.journal.broken = true;
    await steps.armed({});
    rig.wire("sale");
    return APPROVED;
  };
  await expect(rig.service.pay(rig.bay, bill("bill-0000002"), call())).rejects.toMatchObject({ kind: "journal_unavailable" });
  rig.journal.broken = false;
  await rig.clock.advance(1_000);
  expect(rig.timeline).toEqual(["disk ended:not_started"]);
  expect(await rig.service.pay(rig.bay, bill("bill-0000002"), call())).toMatchObject({ state: "not_started" });
});

test.each(["held", "answering"] as const)("a journal that cannot be written at %s: the driver does not acknowledge", async (step) => {
  rig.script.pay = async (steps) => {
    await steps.armed({});
    if (step === "held") rig.journal.broken = true;
    await steps.held(FACTS);
    rig.journal.broken = true;
    await steps.answering();
    rig.wire("ok");
    return APPROVED;
  };
  rig.script.resolve = async () => {
    rig.journal.broken = false;
    return ended("reversed");
  };
  expect(await rig.service.pay(rig.bay, bill(), call())).toMatchObject({ state: "reversed", final: true });
  expect(rig.timeline).not.toContain("wire ok");
  expect(rig.script.resolved.map((asked) => asked.step)).toEqual([step === "held" ? "armed" : "held"]);
});

test("an end that cannot be written leaves the payment unknown, and blocks the terminal until it can", async () => {
  const plain = rig.script.pay;
  rig.script.pay = async (...all) => {
    const outcome = await plain(...all);
    rig.journal.broken = true;
    return outcome;
  };
  const asking = call();
  const first = rig.service.pay(rig.bay, bill(), asking);
  await rig.clock.advance(3_000);
  asking.abort("timeout");
  await rig.clock.advance(1_500);
  expect(await first).toMatchObject({ state: "unknown", final: false });
  rig.journal.broken = false;
  await expect(rig.service.pay(rig.bay, bill("bill-0000002"), call())).rejects.toMatchObject({ kind: "payment_unresolved" });
  await rig.clock.advance(1_000);
  expect(await rig.service.pay(rig.bay, bill(), call())).toMatchObject({ state: "approved" });
  expect(rig.script.resolved).toEqual([]);
});

test("facts that the journal never takes do not keep an approved payment open", async () => {
  const advance = rig.journal.advance;
  rig.journal.advance = async (id, patch) => {
    if (JSON.stringify(patch.evidence).includes("VISA CREDIT")) throw new DeviceError("internal");
    await advance(id, patch);
  };
  const plain = rig.script.pay;
  rig.script.pay = async (...all) => {
    await plain(...all);
    return { state: "approved", facts: { ...FACTS, cardName: "VISA CREDIT" } };
  };
  const job = rig.service.pay(rig.bay, bill(), call());
  await rig.clock.advance(1_000);
  expect(await job).toMatchObject({ state: "approved", receipt: { receiptNumber: "0008" } });
});
