import { afterEach, expect, it } from "vitest";
import { faultRow } from "../../../../test/support/fault.js";
import { DeviceError } from "../../../kernel/errors.js";
import { AMOUNT, createRig, never, type Rig } from "./rig.test.support.js";

const rigs: Rig[] = [];
const rigged = async (...given: Parameters<typeof createRig>): Promise<Rig> => {
  const rig = await createRig(...given);
  rigs.push(rig);
  return rig;
};
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});
const before = (events: readonly string[], first: string, second: string): void => {
  expect(events).toContain(first);
  expect(events).toContain(second);
  expect(events.indexOf(first)).toBeLessThan(events.indexOf(second));
};

it.each(["tcp", "serial"])("takes a payment over %s, marks before bytes", async (framing) => {
  const rig = await rigged({ framing });
  expect(rig.terminal.identity).toEqual({ serial: "52500001", firmware: "2.14.15" });
  expect(rig.terminal.capabilities).toMatchObject({ framing });
  expect(rig.conditions).toEqual([{ state: "ready" }]);
  const outcome = await rig.pay();
  expect(outcome).toMatchObject({
    state: "approved",
    facts: {
      receiptNumber: "0001",
      traceNumber: "000001",
      terminalId: "52500001",
      amountVnd: AMOUNT,
      cardName: "NAPAS",
      cardLastFour: "0018",
    },
  });
  expect(rig.record).toMatchObject({ step: "answering", baseline: { kind: "none" } });
  expect(rig.record.stages).toEqual(["checking", "present_card", "authorising", "remove_card"]);
  expect(rig.net()).toBe(AMOUNT);
  before(rig.events, "armed", "> 0601");
  before(rig.events, "held", "answering");
  // Three intermediate statuses are answered before the result is, and that answer comes after its mark.
  const answers = rig.events.slice(rig.events.indexOf("> 0601"), rig.events.indexOf("answering")).filter((event) => event === "> 8000");
  expect(answers).toHaveLength(3);
  // The second one's baseline is the first one; every fact fits into the journal.
  await rig.pay();
  expect(rig.record.baseline).toMatchObject({ kind: "receipt", receiptNumber: "0001" });
  for (const fact of Object.values({ ...rig.record.baseline, ...rig.record.facts })) expect(String(fact)).toMatch(/^[\w.:+/-]{0,64}$/);
});

it("sends no byte of a payment before armed, and no yes to a result before answering", async () => {
  const rig = await rigged();
  let allow = (): void => {};
  const gate = (): Promise<void> =>
    new Promise((resolve) => {
      allow = resolve;
    });
  let waiting = gate();
  const hold = async (): Promise<void> => await waiting;
  const paying = rig.terminal.pay(
    { amountVnd: AMOUNT, reference: "HS-1", description: "" },
    rig.steps({ armed: hold, answering: hold }),
    never,
  );
  await rig.clock.advance(4_000);
  expect(rig.events).not.toContain("> 0601");
  const open = allow;
  waiting = gate();
  open();
  await rig.clock.advance(1_000);
  expect(rig.simulator.state()).toMatchObject({ step: "status-information-sent", netVnd: AMOUNT });
  allow();
  expect(await rig.run(paying)).toMatchObject({ state: "approved" });
});

it.each([
  [0x05, "declined", "card_error"],
  [0x64, "declined", "card_error"],
  [0x78, "declined", "card_error"],
  [0x6c, "cancelled", "canceled"],
  [0x7d, "not_charged", "device_fault"],
  [0xf0, "not_charged", "device_fault"],
  [0xff, "not_charged", "device_fault"],
])("code %i of the host ends %s", async (code, state, kind) => {
  const rig = await rigged();
  await rig.act("decline", { code });
  expect(await rig.pay()).toMatchObject({ state, reason: { kind } });
  expect(rig.net()).toBe(0);
  expect(rig.record.step).toBe("sent");
  // The next one goes.
  expect(await rig.pay()).toMatchObject({ state: "approved" });
});

faultRow({
  device: "zvt",
  fault: "Wrong PIN",
  knobs: ["zvt-terminal.wrongPin"],
  sees: "the stage `wrong_pin`, then the payment goes on: `approved`",
  does: "shows it; after the third time the terminal declines",
  back: "the right PIN",
});
it("tells a wrong PIN, and takes the payment after it", async () => {
  const rig = await rigged();
  await rig.act("wrongPin");
  expect(await rig.pay()).toMatchObject({ state: "approved" });
  expect(rig.record.stages).toContain("wrong_pin");
});

faultRow({
  device: "zvt",
  fault: "The terminal is busy",
  knobs: ["zvt-terminal.refuse"],
  sees: "`not_started` or `not_charged`, `terminal_busy`",
  does: "waits a moment, then refuses: nothing was charged",
  back: "the terminal is free",
  case: ["busy"],
});
faultRow({
  device: "zvt",
  fault: "The terminal wants its end of day first",
  knobs: ["zvt-terminal.refuse"],
  sees: "`not_charged`, `device_fault`",
  does: "refuses, with what to do in the hint",
  back: "an end of day",
  case: ["an end of day is due"],
});
it.each([
  ["not registered any more, whatever it says", { fault: "refuse", apdu: "0601", code: 0x83 }, "not_charged", "unsupported"],
  ["busy", { fault: "refuse", apdu: "0601", code: 0xa0, times: 6 }, "not_charged", "terminal_busy"],
  ["an end of day is due", { fault: "refuse", apdu: "0601", code: 0xf0 }, "not_charged", "device_fault"],
  ["busy before", { fault: "refuse", apdu: "0620", code: 0xa0, times: 6 }, "not_started", "terminal_busy"],
])("refused: %s", async (_, fault, state, kind) => {
  const rig = await rigged();
  await rig.inject(fault);
  expect(await rig.pay()).toMatchObject({ state, reason: { kind } });
  expect(rig.ledger()).toEqual([]);
  expect(await rig.pay()).toMatchObject({ state: "approved" });
});

it("waits a moment for a terminal that has just ended something, and then for it no longer", async () => {
  const rig = await rigged();
  for (const apdu of ["0620", "0601"]) await rig.inject({ fault: "refuse", apdu, code: 0xa0, times: 5 });
  expect(await rig.pay()).toMatchObject({ state: "approved" });
  expect(rig.ledger()).toHaveLength(1);
});

faultRow({
  device: "zvt",
  fault: "The terminal has forgotten its registration",
  knobs: ["zvt-terminal.refuse"],
  sees: "nothing of it: `approved`",
  does: "registers again before the order",
  back: "at once",
});
it("registers again at a terminal that has forgotten us", async () => {
  const rig = await rigged();
  await rig.pay();
  await rig.inject({ fault: "refuse", apdu: "0620", code: 0x83 });
  rig.events.length = 0;
  expect(await rig.pay()).toMatchObject({ state: "approved" });
  before(rig.events, "> 0600", "> 0601");
  expect(rig.record.baseline).toMatchObject({ kind: "receipt", receiptNumber: "0001" });
});

it("does not begin where it may not, or was told to stop", async () => {
  const rig = await rigged({}, { maxAmountVnd: 1_000_000 });
  for (const amountVnd of [0, -1, 1.5, 1_000_001]) expect(await rig.pay(amountVnd)).toMatchObject({ state: "not_started" });
  expect(await rig.pay(AMOUNT, { signal: AbortSignal.abort(new DeviceError("canceled")) })).toMatchObject({
    state: "not_started",
    reason: { kind: "canceled" },
  });
  const full = new DeviceError("journal_unavailable");
  await expect(rig.pay(AMOUNT, { steps: { armed: () => Promise.reject(full) } })).rejects.toBe(full);
  expect(rig.events).not.toContain("> 0601");
});

faultRow({
  device: "zvt",
  fault: "Cancelled at the page or at the terminal, or the terminal does not listen",
  knobs: ["zvt-terminal.abort-ignored", "zvt-terminal.approve-races-abort", "zvt-terminal.cancelByCustomer"],
  sees: "`cancelled`, or `approved` where the card was faster",
  does: "asks the terminal to stop, and goes by its word",
  back: "the terminal has answered",
});
it("asks to stop: before the card the terminal cancels, after it the terminal's word decides", async () => {
  const rig = await rigged({ cardholder: "manual", removeTimeoutMs: 100 });
  const early = new AbortController();
  rig.clock.timer(3_000, () => early.abort(new DeviceError("canceled")));
  expect(await rig.pay(AMOUNT, { signal: early.signal })).toMatchObject({ state: "cancelled" });
  expect(rig.events).toContain("> 06b0");
  const late = new AbortController();
  rig.clock.timer(1_000, () => void rig.act("present"));
  rig.clock.timer(3_000, () => late.abort(new DeviceError("canceled")));
  rig.clock.timer(5_000, () => void rig.act("approve"));
  expect(await rig.pay(AMOUNT, { signal: late.signal })).toMatchObject({ state: "approved" });
  await rig.inject({ fault: "approve-races-abort" });
  await rig.act("removeCard");
  const race = new AbortController();
  rig.clock.timer(2_000, () => race.abort(new DeviceError("canceled")));
  expect(await rig.pay(AMOUNT, { signal: race.signal })).toMatchObject({ state: "approved" });
  await rig.act("removeCard");
  await rig.inject({ fault: "abort-ignored" });
  const ignored = new AbortController();
  rig.clock.timer(2_000, () => ignored.abort(new DeviceError("canceled")));
  rig.clock.timer(60_000, () => void rig.act("cancelByCustomer"));
  expect(await rig.pay(AMOUNT, { signal: ignored.signal })).toMatchObject({ state: "cancelled" });
  expect(rig.net()).toBe(2 * AMOUNT);
});

it.each(["held", "answering"])("where the mark %s is not written the terminal takes the payment back", async (mark) => {
  for (const framing of ["tcp", "serial"]) {
    const rig = await rigged({ framing });
    await rig.pay();
    const full = new DeviceError("journal_unavailable");
    await expect(rig.pay(AMOUNT, { steps: { [mark]: () => Promise.reject(full) } })).rejects.toBe(full);
    expect(rig.net()).toBe(AMOUNT);
    expect(rig.events.filter((event) => event === "> 8483")).toHaveLength(1);
    expect(await rig.resolve()).toMatchObject({ state: "not_charged" });
    expect(await rig.pay()).toMatchObject({ state: "approved" });
  }
});

it("says no yes where the journal took longer than the terminal waits", async () => {
  const rig = await rigged();
  await rig.pay();
  await expect(rig.pay(AMOUNT, { steps: { answering: () => rig.clock.sleep(6_000) } })).rejects.toMatchObject({ kind: "timeout" });
  expect(rig.net()).toBe(AMOUNT);
  rig.record.step = "answering";
  expect(await rig.resolve()).toMatchObject({ state: "not_charged" });
});

it("hands the terminal's receipt over, masked, where it prints through us", async () => {
  for (const printWith of ["lines", "block"]) {
    const rig = await rigged({ printWith }, { printReceipts: true });
    await rig.pay();
    expect(rig.record.lines.length).toBeGreaterThan(5);
    expect(rig.record.lines.join("\n")).toContain("APPROVED");
  }
});

it("takes a payment back once, by its receipt", async () => {
  for (const framing of ["tcp", "serial"]) {
    const rig = await rigged({ framing });
    const paid = await rig.pay();
    if (paid.state !== "approved") throw new RangeError();
    const reverse = (facts = paid.facts, amountVnd = AMOUNT) => rig.run(rig.terminal.reverse(facts, amountVnd, rig.steps(), never));
    rig.events.length = 0;
    expect(await reverse()).toMatchObject({ state: "approved", facts: { originalTrace: "000001", receiptNumber: "0002" } });
    before(rig.events, "armed", "> 0630");
    before(rig.events, "held", "answering");
    expect(rig.net()).toBe(0);
    expect(await reverse()).toMatchObject({ state: "manual_review" });
    // Unknown there: nothing was taken back, and the payment stands.
    expect(await reverse({ ...paid.facts, receiptNumber: "0009" })).toMatchObject({ state: "not_charged" });
    expect(await reverse({})).toMatchObject({ state: "not_started" });
    expect(rig.net()).toBe(0);
  }
});

it("resolves an interrupted reversal from the terminal's last receipt", async () => {
  const rig = await rigged();
  const paid = await rig.pay();
  if (paid.state !== "approved") throw new RangeError();
  rig.record.facts = undefined;
  // The link ends when the terminal has the order, and later before it.
  const breaking = rig.steps({ held: () => Promise.reject(new DeviceError("journal_unavailable")) });
  await expect(rig.run(rig.terminal.reverse(paid.facts, AMOUNT, breaking, never))).rejects.toMatchObject({ kind: "journal_unavailable" });
  const { step, baseline, markedAt } = rig.record;
  const lost = { step: step as "sent", baseline, markedAt, amountVnd: AMOUNT, facts: undefined, reverses: paid.facts };
  expect(await rig.resolve(lost)).toMatchObject({ state: "approved" });
  expect(rig.net()).toBe(0);
  const again = await rig.pay();
  if (again.state !== "approved") throw new RangeError();
  const neverSent = { ...lost, baseline: { kind: "receipt", ...again.facts }, reverses: again.facts };
  expect(await rig.resolve(neverSent)).toMatchObject({ state: "not_charged" });
});

it("counts at the end of the day only, and the next payment stands on that receipt", async () => {
  const rig = await rigged();
  await rig.pay();
  await rig.pay(70_000);
  await expect(rig.terminal.totals(false, never)).rejects.toMatchObject({ kind: "unsupported" });
  expect(await rig.run(rig.terminal.totals(true, never))).toEqual({ count: 2, sumVnd: 120_000 });
  expect(await rig.run(rig.terminal.totals(true, never))).toEqual({ count: 0, sumVnd: 0 });
  await rig.inject({ fault: "refuse", apdu: "0650", code: 0xa0, times: 6 });
  await expect(rig.run(rig.terminal.totals(true, never))).rejects.toMatchObject({ kind: "terminal_busy" });
  await rig.inject({ fault: "disconnect", step: "insert-card-shown" });
  expect(await rig.settle()).toMatchObject({ state: "not_charged" });
});

it("tells how it stands, tests itself without money, and notices that the far end is gone or deaf", async () => {
  const rig = await rigged();
  const checks = await rig.run(rig.terminal.selfTest(never));
  expect(checks).toEqual([
    { check: "registered", ok: true },
    { check: "ready for payments", ok: true },
  ]);
  expect(rig.ledger()).toEqual([]);
  await rig.inject({ fault: "no-answer", apdu: "0501" });
  await rig.clock.advance(61_000);
  expect(await rig.run(rig.terminal.lost)).toMatchObject({ kind: "timeout" });
  await rig.open();
  rig.simulator.detach();
  expect(await rig.run(rig.terminal.lost)).toMatchObject({ kind: "device_absent" });
  await expect(rig.pay()).rejects.toMatchObject({ kind: "device_absent" });
});

it("does not open at a terminal that does not want it", async () => {
  await expect(createRig({}, { password: "999999" })).rejects.toMatchObject({ kind: "device_fault" });
  await expect(createRig({ currency: "0978" })).rejects.toMatchObject({ kind: "device_fault" });
});

it("logs no password, no card and no text", async () => {
  const rig = await rigged({ password: "865309" }, { password: "865309", printReceipts: true });
  await rig.pay();
  await rig.run(rig.terminal.totals(true, never));
  const all = rig.logged.join("\n");
  expect(all).toContain("zvt received");
  expect(all).not.toMatch(/865309|970436|4e41504153|APPROVED|HS-1|le phi/i);
});
