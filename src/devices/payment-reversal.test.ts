import { beforeEach, expect, test } from "vitest";
import type { PaymentFacts, PaymentOutcome } from "../contracts/payment-terminal.js";
import { DeviceError } from "../kernel/errors.js";
import { settle } from "./testing/devices.js";
import { call, caller } from "./testing/fakes.js";
import { APPROVED, bill, ended, FACTS, gate, type PaymentRig, paymentRig, takeBack } from "./testing/payments.js";

let rig: PaymentRig;
/** An approved payment. */
let paid: string;
const technician = () => call(caller("tech", "technician", "token:an"));
const payment = () => rig.journal.records.get(paid);
const standing = () => {
  const record = payment();
  return record && rig.service.shown(record, false).state;
};

beforeEach(async () => {
  rig = await paymentRig();
  paid = (await rig.service.pay(rig.bay, bill(), call())).job;
  rig.timeline.length = 0;
});

test("a reversal is a job of its own; the payment is marked before it can be armed, and reversed after it ended", async () => {
  const taken: PaymentFacts[] = [];
  const plain = rig.script.reverse;
  rig.script.reverse = async (steps, signal, facts) => {
    taken.push(facts);
    return await plain(steps, signal, facts);
  };
  const job = await rig.service.reverse(rig.bay, takeBack(paid), technician());
  expect(job).toMatchObject({ state: "reversed", final: true, reverses: paid, amountVnd: 50_000, reference: "HS-2024/17" });
  expect(taken).toEqual([FACTS]);
  expect(rig.timeline).toEqual([
    "disk reversing:reversing",
    "disk armed",
    "wire reversal",
    "disk sent",
    "disk held",
    "disk answering",
    "disk ended:reversed",
    "disk ended:reversed",
  ]);
  expect(standing()).toBe("reversed");
  expect(await rig.service.pay(rig.bay, bill(), call())).toMatchObject({ job: paid, state: "reversed", final: true });
  // Its page hears of it, under the page's own principal; the technician's name goes to the audit log.
  const heard = rig.published.filter(({ job: { job } }) => job === paid).slice(-3);
  expect(heard.every(({ principal }) => principal === "origin:https://kiosk.test")).toBe(true);
  expect(heard.at(-1)?.job.state).toBe("reversed");
  expect(rig.audit.filter(({ event }) => event.startsWith("audit:"))).toEqual([
    {
      event: "audit: reversal asked for",
      fields: { device: "terminal", job: paid, role: "technician", origin: "token:an" },
    },
    { event: "audit: reversal ended", fields: { device: "terminal", job: job.job, state: "reversed" } },
  ]);
});

test("the same key reverses once; another key finds nothing left to take back", async () => {
  const both = await Promise.all([
    rig.service.reverse(rig.bay, takeBack(paid), technician()),
    rig.service.reverse(rig.bay, takeBack(paid), technician()),
  ]);
  await rig.restart();
  both.push(await rig.service.reverse(rig.bay, takeBack(paid), technician()));
  expect(new Set(both.map(({ job }) => job)).size).toBe(1);
  await expect(rig.service.reverse(rig.bay, takeBack(paid, "back-0000002"), technician())).rejects.toMatchObject({
    kind: "invalid_params",
  });
  await expect(rig.service.reverse(rig.bay, takeBack("other"), technician())).rejects.toMatchObject({ kind: "idempotency_conflict" });
  expect(rig.script.reversals).toBe(1);
});

test("two reversals of one payment at the same time: the second finds it taken back when its turn comes", async () => {
  const jobs = await Promise.all([
    rig.service.reverse(rig.bay, takeBack(paid, "back-0000001"), technician()),
    rig.service.reverse(rig.bay, takeBack(paid, "back-0000002"), technician()),
  ]);
  expect(jobs.map(({ state }) => state)).toEqual(["reversed", "not_started"]);
  expect(rig.script.reversals).toBe(1);
  expect(standing()).toBe("reversed");
});

test.each(["declined", "cancelled", "not_charged"] as const)("a reversal that is %s leaves the payment approved", async (state) => {
  rig.script.reverse = async (steps) => {
    await steps.armed({});
    return ended(state);
  };
  expect(await rig.service.reverse(rig.bay, takeBack(paid), technician())).toMatchObject({ state, final: true });
  expect(standing()).toBe("approved");
  rig.script.reverse = async () => ended("not_started");
  expect(await rig.service.reverse(rig.bay, takeBack(paid, "back-0000002"), technician())).toMatchObject({ state: "not_started" });
  expect(standing()).toBe("approved");
});

test("a reversal that its driver calls reversed says nothing certain: a person must look", async () => {
  rig.script.reverse = async (steps) => {
    await steps.armed({});
    return ended("reversed");
  };
  expect(await rig.service.reverse(rig.bay, takeBack(paid), technician())).toMatchObject({ state: "manual_review" });
  expect(standing()).toBe("manual_review");
});

test("what is not an approved payment of this terminal is not taken back", async () => {
  const refused = async (job: string) =>
    await rig.service.reverse(rig.bay, takeBack(job, `back-${job}`), technician()).catch((error: DeviceError) => error.kind);
  expect(await refused("nobody-knows")).toBe("job_not_found");
  const back = await rig.service.reverse(rig.bay, takeBack(paid), technician());
  expect(await refused(back.job)).toBe("job_not_found");
  rig.script.pay = async (steps) => {
    await steps.armed({});
    return ended("declined");
  };
  expect(await refused((await rig.service.pay(rig.bay, bill("bill-0000002"), call())).job)).toBe("invalid_params");
  rig.script.pay = async (steps) => {
    await steps.armed({});
    return ended("manual_review");
  };
  expect(await refused((await rig.service.pay(rig.bay, bill("bill-0000003"), call())).job)).toBe("payment_unresolved");
  expect(rig.script.reversals).toBe(1);
});

test.each([
  ["it was taken back", APPROVED, "reversed"],
  ["it was not", ended("not_charged"), "approved"],
  ["the evidence is gone", ended("manual_review"), "manual_review"],
] as const)("a lost reversal blocks the terminal until it has told: %s", async (_what, word, state) => {
  rig.script.reverse = async (steps) => {
    await steps.armed({ receiptNumber: "0008" });
    throw new DeviceError("device_absent");
  };
  const told = gate<PaymentOutcome>();
  rig.script.resolve = () => told.opened;
  const reversing = rig.service.reverse(rig.bay, takeBack(paid), technician());
  await settle();
  expect(standing()).toBe("reversal_unknown");
  expect(rig.service.openJobs("origin:https://kiosk.test")).toMatchObject([{ job: paid, state: "reversal_unknown", final: false }]);
  await expect(rig.service.pay(rig.bay, bill("bill-0000002"), call())).rejects.toMatchObject({
    kind: "payment_unresolved",
    details: { job: paid },
  });
  told.open(word);
  await reversing;
  expect(standing()).toBe(state);
  expect(rig.script.resolved).toMatchObject([{ step: "armed", baseline: { receiptNumber: "0008" }, reverses: FACTS }]);
  expect(rig.script.reversals).toBe(1);
});

test("while a reversal is under way no sale begins", async () => {
  const card = gate();
  const plain = rig.script.reverse;
  rig.script.reverse = async (steps, signal, facts) => {
    await steps.armed({});
    await card.opened;
    return await plain({ ...steps, armed: async () => {} }, signal, facts);
  };
  const reversing = rig.service.reverse(rig.bay, takeBack(paid), technician());
  await settle();
  expect(standing()).toBe("reversing");
  await expect(rig.service.pay(rig.bay, bill("bill-0000002"), call())).rejects.toMatchObject({ kind: "payment_unresolved" });
  card.open();
  expect(await reversing).toMatchObject({ state: "reversed" });
  expect(await rig.service.pay(rig.bay, bill("bill-0000002"), call())).toMatchObject({ state: "approved" });
});

/** Every durable write of a reversal in turn is the last one before the crash. */
test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])("killed after write %i of a reversal: payment and reversal agree in the end", async (writes) => {
  const advance = rig.journal.advance;
  const begin = rig.journal.begin;
  let left = writes;
  const counted =
    <A extends unknown[], T>(write: (...all: A) => Promise<T>) =>
    (...all: A): Promise<T> =>
      left-- > 0 ? write(...all) : new Promise<never>(() => {});
  rig.journal.advance = counted(advance);
  rig.journal.begin = counted(begin);
  void rig.service.reverse(rig.bay, takeBack(paid), technician());
  await settle();
  Object.assign(rig.journal, { advance, begin });
  rig.script.resolve = async () => APPROVED;
  await rig.restart();
  await rig.clock.advance(5_000);
  expect(rig.service.recovered(rig.bay)).toBe(true);
  expect(rig.service.openJobs(undefined)).toEqual([]);
  const armed = writes >= 3;
  expect(standing()).toBe(armed ? "reversed" : "approved");
  const again = await rig.service.reverse(rig.bay, takeBack(paid), technician());
  // What was never written down at all is a new request; what was, is answered and never sent again.
  expect(again.state).toBe(writes === 0 ? "reversed" : armed ? "reversed" : "not_started");
  expect(rig.script.reversals).toBe(1);
});

test("a reversal whose mark the journal does not take is not sent, and the payment stands", async () => {
  const plain = rig.script.reverse;
  rig.script.reverse = async (...all) => {
    rig.journal.broken = true;
    return await plain(...all);
  };
  await expect(rig.service.reverse(rig.bay, takeBack(paid), technician())).rejects.toMatchObject({ kind: "journal_unavailable" });
  rig.journal.broken = false;
  await rig.clock.advance(3_000);
  expect(rig.timeline).not.toContain("wire reversal");
  expect(standing()).toBe("approved");
  expect(rig.service.openJobs(undefined)).toEqual([]);
});
