import { beforeEach, expect, test } from "vitest";
import type { PaymentOutcome, PaymentSteps } from "../contracts/payment-terminal.js";
import { DeviceError } from "../kernel/errors.js";
import { settle } from "./testing/devices.js";
import { call, caller } from "./testing/fakes.js";
import { APPROVED, bill, ended, FACTS, gate, type PaymentRig, paymentRig } from "./testing/payments.js";

let rig: PaymentRig;
beforeEach(async () => {
  rig = await paymentRig();
});
const only = () => [...rig.journal.records.values()][0];

test("each durable mark comes before the bytes that depend on it", async () => {
  const job = await rig.service.pay(rig.bay, bill(), call());
  expect(job).toMatchObject({
    kind: "payment",
    state: "approved",
    final: true,
    amountVnd: 50_000,
    reference: "HS-2024/17",
    receipt: { receiptNumber: "0008", traceNumber: "000123", cardLastFour: "4242" },
  });
  expect(rig.journal.log[0]).toBe("created");
  expect(rig.timeline).toEqual(["disk armed", "wire sale", "disk sent", "disk held", "disk answering", "wire ok", "disk ended:approved"]);
  expect(rig.published.map(({ job: { state } }) => state).filter((state, index, all) => state !== all[index - 1])).toEqual([
    "in_progress",
    "approved",
  ]);
});

test("the description reaches the terminal and never the journal; the receipt's lines reach who asked and no event", async () => {
  let described = "";
  const plain = rig.script.pay;
  rig.script.pay = async (steps, signal, request) => {
    described = request.description;
    steps.receiptLine("GIAO DICH ************4242");
    return await plain(steps, signal, request);
  };
  const job = await rig.service.pay(rig.bay, bill(), call());
  expect(described).toBe(bill().description);
  expect(job.receiptLines).toEqual(["GIAO DICH ************4242"]);
  const kept = JSON.stringify([[...rig.journal.records.values()], rig.journal.log, rig.published, rig.audit]);
  expect(kept).not.toMatch(/Nguy|GIAO DICH/);
  expect(await rig.service.pay(rig.bay, bill(), call())).not.toHaveProperty("receiptLines");
});

test("the same key pays once: at the same time, later and after a restart; with another bill it is a conflict", async () => {
  const card = gate();
  const plain = rig.script.pay;
  rig.script.pay = async (...all) => {
    await card.opened;
    return await plain(...all);
  };
  const asking = [rig.service.pay(rig.bay, bill(), call()), rig.service.pay(rig.bay, bill(), call(caller("reloaded")))];
  await settle();
  asking.push(rig.service.pay(rig.bay, bill(), call()));
  card.open();
  const jobs = await Promise.all(asking);
  jobs.push(await rig.service.pay(rig.bay, bill(), call()));
  await rig.restart();
  jobs.push(await rig.service.pay(rig.bay, bill(), call()));
  expect(new Set(jobs.map(({ job }) => job)).size).toBe(1);
  expect(jobs.map(({ state }) => state)).toEqual(Array(5).fill("approved"));
  await expect(rig.service.pay(rig.bay, bill("bill-0000001", 60_000), call())).rejects.toMatchObject({ kind: "idempotency_conflict" });
  expect(rig.script.sales).toBe(1);
  await rig.service.pay(rig.bay, bill(), call(caller("two", "kiosk", "origin:https://other.test")));
  expect(rig.script.sales).toBe(2);
});

test("a page that reloads in mid-payment asks for its key and sees the rest", async () => {
  const card = gate();
  rig.script.pay = async (steps) => {
    await steps.armed({});
    await card.opened;
    steps.progress("enter_pin");
    await steps.held(FACTS);
    await steps.answering();
    return APPROVED;
  };
  void rig.service.pay(rig.bay, bill(), call());
  await settle();
  const reloaded = call(caller("reloaded"));
  const again = rig.service.pay(rig.bay, bill(), reloaded);
  await settle();
  card.open();
  expect(await again).toMatchObject({ state: "approved" });
  expect(reloaded.stages).toEqual(["enter_pin"]);
});

test.each(["canceled", "timeout"] as const)("%s before it was armed: it never starts, not even in the queue", async (kind) => {
  const checking = gate();
  rig.script.pay = async (steps) => {
    await checking.opened;
    await steps.armed({});
    rig.wire("sale");
    return APPROVED;
  };
  const [asking, waiting] = [call(), call()];
  const first = rig.service.pay(rig.bay, bill("bill-0000001"), asking);
  const second = rig.service.pay(rig.bay, bill("bill-0000002"), waiting);
  await settle();
  waiting.abort(kind);
  expect(await second).toMatchObject({ state: "not_started", final: true, reason: { kind } });
  asking.abort(kind);
  await settle();
  checking.open();
  expect(await first).toMatchObject({ state: "not_started", final: true });
  expect(rig.timeline).toEqual(["disk ended:not_started", "disk ended:not_started"]);
});

test.each(["canceled", "timeout"] as const)("%s after it was armed only asks: the terminal decides", async (kind) => {
  const word = gate<PaymentOutcome>();
  const signals: AbortSignal[] = [];
  rig.script.pay = async (steps, signal) => {
    signals.push(signal);
    await steps.armed({});
    const outcome = await word.opened;
    if (outcome.state === "approved") {
      await steps.held(FACTS);
      await steps.answering();
    }
    return outcome;
  };
  const asking = call();
  const first = rig.service.pay(rig.bay, bill(), asking);
  await settle();
  asking.abort(kind);
  await rig.clock.advance(1_500);
  expect(await first).toMatchObject({ state: "in_progress", final: false });
  expect(signals[0]?.aborted).toBe(true);
  // The approval raced the abort, and counts.
  word.open(APPROVED);
  await settle();
  expect(await rig.service.pay(rig.bay, bill(), call())).toMatchObject({ state: "approved" });
});

test("a cancel that the terminal obeys at once is told as the terminal's word; one who only joined stops nothing by its own time-out", async () => {
  rig.script.pay = async (steps, signal) => {
    await steps.armed({});
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return ended("cancelled");
  };
  const [asking, joining] = [call(), call(caller("joined"))];
  const first = rig.service.pay(rig.bay, bill(), asking);
  await settle();
  const second = rig.service.pay(rig.bay, bill(), joining);
  await settle();
  joining.abort("timeout");
  expect(await second).toMatchObject({ state: "in_progress" });
  asking.abort();
  expect(await first).toMatchObject({ state: "cancelled", final: true });
});

test.each(["declined", "cancelled", "not_charged", "expired", "reversed", "manual_review"] as const)(
  "the terminal says %s: that is how it ended, with the reason",
  async (state) => {
    rig.script.pay = async (steps) => {
      await steps.armed({});
      return ended(state);
    };
    expect(await rig.service.pay(rig.bay, bill(), call())).toMatchObject({ state, final: true, reason: { kind: "device_fault" } });
    expect(rig.script.resolved).toEqual([]);
  },
);

test("what the terminal refuses before it was armed never started", async () => {
  rig.script.pay = async () => ({ state: "not_started", reason: new DeviceError("terminal_busy") });
  expect(await rig.service.pay(rig.bay, bill(), call())).toMatchObject({ state: "not_started", reason: { kind: "terminal_busy" } });
  rig.script.pay = () => Promise.reject(new DeviceError("device_absent"));
  expect(await rig.service.pay(rig.bay, bill("bill-0000002"), call())).toMatchObject({ state: "not_started" });
  expect(only()).toMatchObject({ step: "ended", outcome: { state: "not_started" } });
});

const OUT_OF_ORDER: [string, (steps: PaymentSteps) => Promise<PaymentOutcome>, string][] = [
  [
    "approved without the mark before the acknowledgement",
    (steps) => steps.armed({}).then(() => steps.held(FACTS).then(() => APPROVED)),
    "held",
  ],
  ["approved without any mark", async () => APPROVED, "armed"],
  ["never started after it was armed", (steps) => steps.armed({}).then(() => ended("not_started")), "armed"],
];
test.each(OUT_OF_ORDER)("%s is not believed: the terminal is asked", async (_what, pay, step) => {
  rig.script.pay = pay;
  rig.script.resolve = async () => ended("manual_review");
  expect(await rig.service.pay(rig.bay, bill(), call())).toMatchObject({ state: "manual_review", final: true });
  expect(rig.script.resolved.map((asked) => asked.step)).toEqual([step]);
});

test("a mark out of its order is refused, so that the driver does not acknowledge", async () => {
  const refused: unknown[] = [];
  rig.script.pay = async (steps) => {
    await steps.held(FACTS).catch((thrown) => refused.push(thrown));
    await steps.armed({});
    await steps.answering().catch((thrown) => refused.push(thrown));
    await steps.armed({}).catch((thrown) => refused.push(thrown));
    return ended("declined");
  };
  expect(await rig.service.pay(rig.bay, bill(), call())).toMatchObject({ state: "declined" });
  expect(refused).toHaveLength(3);
});

test("an agent that stops asks the terminal to stop, and leaves open what it cannot know", async () => {
  rig.script.pay = async (steps) => {
    await steps.armed({});
    return await new Promise<never>(() => {});
  };
  const first = rig.service.pay(rig.bay, bill("bill-0000001"), call());
  await settle();
  const second = rig.service.pay(rig.bay, bill("bill-0000002"), call());
  await settle();
  const released = rig.service.release(rig.bay, 8_000);
  expect(await second).toMatchObject({ state: "not_started", reason: { kind: "shutting_down" } });
  await rig.clock.advance(8_001);
  await released;
  expect(await first).toMatchObject({ final: false });
  expect(only()).toMatchObject({ step: "armed", outcome: undefined });
  await expect(rig.service.pay(rig.bay, bill("bill-0000003"), call())).rejects.toMatchObject({ kind: "shutting_down" });
});

test("a key that another bill took in the meantime is a conflict", async () => {
  const { byKey } = rig.journal;
  const looked = gate();
  let looks = 0;
  // The first one has looked for the key, and is not told before the second one has ended.
  rig.journal.byKey = async (...all) => {
    const found = await byKey(...all);
    if (looks++ === 0) await looked.opened;
    return found;
  };
  await rig.restart();
  const slow = rig.service.pay(rig.bay, bill("bill-0000001", 50_000), call()).catch((error: DeviceError) => error.kind);
  await settle();
  expect(await rig.service.pay(rig.bay, bill("bill-0000001", 10_000), call())).toMatchObject({ state: "approved", amountVnd: 10_000 });
  looked.open();
  expect(await slow).toBe("idempotency_conflict");
  expect(rig.script.sales).toBe(1);
});

test("a page that is gone before its payment was admitted begins none: the one that follows it is told so, and may ask anew", async () => {
  const opening = gate();
  rig.script.open = () => opening.opened;
  await rig.restart();
  const left = call();
  const lost = rig.service.pay(rig.bay, bill(), left).catch((error: DeviceError) => error.kind);
  await settle();
  left.leave();
  opening.open();
  expect(await lost).toBe("canceled");
  await settle();
  expect([rig.script.sales, rig.journal.records.size]).toEqual([0, 0]);
  expect(await rig.service.pay(rig.bay, bill("bill-0000002"), call())).toMatchObject({ state: "approved" });
});
