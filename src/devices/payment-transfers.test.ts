import { beforeEach, expect, test } from "vitest";
import type { PaymentOutcome, Transfer } from "../contracts/payment-terminal.js";
import { DeviceError } from "../kernel/errors.js";
import type { PaymentJob, PaymentParams } from "../protocol/payment-terminal.js";
import { settle } from "./testing/devices.js";
import { call, caller } from "./testing/fakes.js";
import { bill, ended, gate, type PaymentRig, paymentRig, scriptedTerminal } from "./testing/payments.js";

/** Payments whose code is out, by purpose: hands over the transfer, or ends the wait in another way. */
const waits = new Map<string, { take(transfer: Transfer): void; end(outcome: PaymentOutcome): void }>();
let rig: PaymentRig;
beforeEach(async () => {
  waits.clear();
  const script = scriptedTerminal();
  script.transfers = {
    read: (confirmation) => JSON.parse(confirmation) as Transfer,
    matches: ({ purpose }, { baseline }) => typeof baseline.purpose === "string" && purpose.includes(baseline.purpose),
    deliver(transfer, { baseline }) {
      const wait = waits.get(String(baseline.purpose));
      waits.delete(String(baseline.purpose));
      wait?.take(transfer);
      return wait !== undefined;
    },
  };
  rig = await paymentRig(new Map(), script);
  const wait = (purpose: string) =>
    new Promise<Transfer | PaymentOutcome>((resolve) => waits.set(purpose, { take: resolve, end: resolve }));
  const paid = ({ transactionId, amountVnd }: Transfer) => ({ bankTransactionId: transactionId, paidVnd: amountVnd });
  let codes = 0;
  script.pay = async (steps) => {
    const purpose = `CODE${++codes}`;
    await steps.armed({ purpose });
    const came = await wait(purpose);
    if ("state" in came) return came;
    await steps.held(paid(came));
    await steps.answering();
    return { state: "approved", facts: paid(came) };
  };
  script.resolve = async ({ baseline, facts }) => {
    if (facts) return { state: "approved", facts };
    const came = await wait(String(baseline.purpose));
    return "state" in came ? came : { state: "approved", facts: paid(came) };
  };
});

const AMOUNT = bill().amountVnd;
const technician = () => call(caller("tech", "technician", "token:an"));
const show = async (key: string): Promise<Promise<PaymentJob>> => {
  const paying = rig.service.pay(rig.bay, bill(key), call());
  await settle();
  return paying;
};
const confirm = (transactionId: string, purpose: string, more: Partial<Transfer> = {}): Promise<PaymentJob> => {
  const confirmation = JSON.stringify({ transactionId, purpose, amountVnd: AMOUNT, ...more });
  return rig.service.confirm(rig.bay, { device: undefined, confirmation, timeoutMs: 10_000 }, call());
};
const finding = (job: string, outcome: "approved" | "not_charged"): PaymentParams<"resolve"> => ({ job, outcome, evidence: "statement/7" });
const ofKey = (key: string) => [...rig.journal.records.values()].find(({ idempotencyKey }) => idempotencyKey === key);
const states = () => [...rig.journal.records.values()].map(({ outcome }) => outcome?.state);

test("one transfer whose text names two payments pays one of them, however often it is told", async () => {
  const first = show("bill-0000001");
  const second = show("bill-0000002");
  await Promise.all([first, second].map(() => settle()));
  const told = await confirm("FT1", "CODE1CODE2");
  expect(told).toMatchObject({ state: "approved", idempotencyKey: "bill-0000001" });
  expect(await confirm("FT1", "CODE1CODE2")).toEqual(told);
  expect(states()).toEqual(["approved", undefined]);
  // A transfer of its own still pays the other one.
  expect(await confirm("FT2", "CODE1CODE2", { job: ofKey("bill-0000002")?.id ?? "" })).toMatchObject({ state: "approved" });
  expect(states()).toEqual(["approved", "approved"]);
});

test("a transfer whose text names two payments goes to the one that the back-end names", async () => {
  void show("bill-0000001");
  await settle();
  void show("bill-0000002");
  await settle();
  expect(await confirm("FT1", "CODE1CODE2", { job: ofKey("bill-0000002")?.id ?? "" })).toMatchObject({ idempotencyKey: "bill-0000002" });
  expect(states()).toEqual([undefined, "approved"]);
});

test("an agent that stops before the transfer is on disk does not say that it has it", async () => {
  void show("bill-0000001");
  await settle();
  const { advance } = rig.journal;
  const disk = gate();
  rig.journal.advance = async (...all) => {
    await disk.opened;
    throw new DeviceError("journal_unavailable", { message: String(all.length) });
  };
  const confirming = confirm("FT1", "CODE1").catch((error: DeviceError) => error.kind);
  await settle();
  const releasing = rig.service.release(rig.bay, 0);
  await settle();
  disk.open();
  await rig.clock.advance(5_000);
  await releasing;
  expect(await confirming).toBe("shutting_down");
  rig.journal.advance = advance;
  await rig.restart();
  expect(await confirm("FT1", "CODE1")).toMatchObject({ state: "approved", transfers: [{ transactionId: "FT1" }] });
});

test("a transfer that could not be written down is handed over again, and never answered with a payment that lacks it", async () => {
  const paying = show("bill-0000001");
  await settle();
  const { advance } = rig.journal;
  let refusals = 1;
  rig.journal.advance = async (...all) => {
    if (refusals-- > 0) throw new DeviceError("journal_unavailable");
    await advance(...all);
  };
  const confirming = confirm("FT1", "CODE1");
  await settle();
  await rig.clock.advance(1_000);
  expect(await confirming).toMatchObject({ state: "approved", transfers: [{ transactionId: "FT1" }] });
  expect(await paying).toMatchObject({ state: "approved" });
});

test("a transfer that meets the end of its code is put before a person", async () => {
  const paying = show("bill-0000001");
  await settle();
  waits.get("CODE1")?.end(ended("expired"));
  waits.delete("CODE1");
  const confirming = confirm("FT1", "CODE1");
  expect(await paying).toMatchObject({ state: "expired" });
  await rig.clock.advance(200);
  expect(await confirming).toMatchObject({ state: "manual_review", transfers: [{ transactionId: "FT1" }] });
});

test("a code can be paid for as long as it says, although who asked waits no longer; a cancel still withdraws it", async () => {
  const { pay } = rig.script;
  rig.script.pay = async (steps, signal, request) => {
    const end = (): void => waits.get(`CODE${rig.script.sales}`)?.end(ended("cancelled"));
    signal.addEventListener("abort", end, { once: true });
    return await pay(steps, signal, request);
  };
  const asking = call();
  const paying = rig.service.pay(rig.bay, bill("bill-0000001"), asking);
  await settle();
  asking.abort("timeout");
  expect(await paying).toMatchObject({ state: "in_progress", final: false });
  expect(await confirm("FT1", "CODE1")).toMatchObject({ state: "approved" });
  const other = call();
  const withdrawn = rig.service.pay(rig.bay, bill("bill-0000002"), other);
  await settle();
  other.abort("canceled");
  expect(await withdrawn).toMatchObject({ state: "cancelled" });
});

test("a finding and a transfer that come at the same moment both stay", async () => {
  const paying = show("bill-0000001");
  await settle();
  await confirm("FT1", "CODE1");
  const { job } = await paying;
  expect(await confirm("FT2", "CODE1")).toMatchObject({ state: "manual_review" });
  const settling = rig.service.resolveByHand(rig.bay, finding(job, "approved"), technician()).catch(() => {});
  const confirming = confirm("FT3", "CODE1");
  await Promise.all([settling, confirming]);
  const { outcome, evidence } = rig.journal.records.get(job) ?? {};
  expect(outcome?.state).toBe("manual_review");
  expect(evidence).toMatchObject({ ruled: { outcome: "approved" }, unexpected: [{ transactionId: "FT2" }, { transactionId: "FT3" }] });
});

test("of one payment eight unexpected transfers are noted, and the next is refused by name", async () => {
  const paying = show("bill-0000001");
  await settle();
  for (let count = 1; count <= 9; count++) await confirm(`FT${count}`, "CODE1");
  expect((await confirm("FT9", "CODE1")).transfers).toHaveLength(9);
  await expect(confirm("FT10", "CODE1")).rejects.toMatchObject({ kind: "too_large" });
  expect(await paying).toMatchObject({ state: "approved" });
});
