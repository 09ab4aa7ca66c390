import { expect, it } from "vitest";
import { toHex } from "../../src/kernel/bytes.js";
import { kindOf, LAST, openBench, REGISTER, REGISTER_PRINTING, SALE } from "./ecr.test.support.js";
import { STEP_NAMES } from "./faults.js";

const counts = (came: readonly string[], kind: string): number => came.filter((apdu) => kindOf(apdu) === kind).length;

/** Which steps lie after the ECR's word: nothing is taken back any more. */
const COMMITTED = new Set(["answer-taken", "print-begun", "remove-card-shown", "completion-begun", "completion-sent"]);

it.each(STEP_NAMES.flatMap((step) => (["approved", "declined"] as const).map((host) => [step, host] as const)))(
  "the wire ends at %s, the host has %s it",
  async (step, host) => {
    for (const autoReversal of ["succeeds", "late", "hidden", "fails", "stuck"] as const) {
      const bench = await openBench();
      await bench.talk(REGISTER_PRINTING);
      await bench.act("disconnectAt", { step, host, autoReversal });
      const came = await bench.talk(SALE);
      if (step === "print-begun" && host === "declined") continue;
      expect(bench.host.ended).toBe(true);
      expect(bench.terminal.state().faultsPending).toBe(0);
      if (step === "status-information-sent" || step === "answer-lost") expect(counts(came, "040f")).toBe(1);
      const standing = COMMITTED.has(step);
      const expected = host === "declined" ? ["sale 0"] : ["sale 50000"];
      const back = [...expected, "auto-reversal -50000"];
      await bench.clock.advance(30_000);
      expect(bench.kinds()).toEqual(host === "approved" && !standing && autoReversal === "succeeds" ? back : expected);
      await bench.connect();
      await bench.talk(REGISTER);
      const last = await bench.talk(LAST);
      const undone = host === "approved" && !standing;
      // Busy for as long as it visibly takes the sale back.
      const pending = undone && (autoReversal === "late" || autoReversal === "stuck");
      const repeated = host === "approved" && (standing || autoReversal === "fails");
      expect(last.map(kindOf), autoReversal).toEqual(pending ? ["84a0"] : repeated ? ["8000", "040f", "060f"] : ["8000", "061e"]);
      await bench.clock.advance(600_000);
      // Nobody's card stayed inside.
      expect(bench.terminal.state().cardInside).toBe(false);
      const stays = standing || autoReversal === "fails" || autoReversal === "stuck";
      expect(bench.kinds()).toEqual(host === "approved" && !stays ? back : expected);
      await bench.terminal.close();
    }
  },
);

it("a wire that ends by itself before the host is asked costs nothing", async () => {
  for (const step of ["command-answered", "insert-card-shown", "card-presented"]) {
    const bench = await openBench();
    await bench.registered();
    await bench.act("inject", { fault: "disconnect", step });
    await bench.talk(SALE);
    await bench.clock.advance(100_000);
    expect(bench.terminal.ledger()).toEqual([]);
    expect(bench.terminal.state().procedure).toBe(null);
  }
});

const REVERSAL = "06 30 06 123456 87 0001";
const REVERSAL_STEPS = STEP_NAMES.filter((step) => !/card|result|answer-lost|print/.test(step));

it.each(REVERSAL_STEPS)("the wire ends at %s of a reversal: the host's word counts, answered or not", async (step) => {
  for (const host of ["approved", "declined"] as const) {
    const bench = await openBench();
    await bench.registered();
    await bench.talk(SALE);
    const late = !["command-received", "command-answered", "host-asked"].includes(step);
    if (host === "declined" && late && !step.startsWith("completion")) continue;
    await bench.act("disconnectAt", { step, host });
    await bench.talk(REVERSAL);
    await bench.clock.advance(600_000);
    expect(bench.host.ended).toBe(true);
    expect(bench.kinds()).toEqual(host === "approved" ? ["sale 50000", "reversal -50000"] : ["sale 50000"]);
    await bench.connect();
    await bench.talk(REGISTER);
    expect((await bench.talk(LAST))[1]).toContain(host === "approved" ? "870002" : "870001");
    expect((await bench.talk(REVERSAL)).at(-1)).toBe(host === "approved" ? "061e01b4" : "060f00");
  }
  const unheard = await openBench();
  await unheard.registered();
  await unheard.talk(SALE);
  await unheard.act("inject", { fault: "disconnect", step: "command-answered" });
  await unheard.talk(REVERSAL);
  await unheard.clock.advance(600_000);
  expect(unheard.kinds()).toEqual(["sale 50000"]);
});

it.each(["tcp", "serial"] as const)("a half-open wire stays, and carries nothing either way (%s)", async (framing) => {
  const bench = await openBench({ framing });
  await bench.registered();
  await bench.act("disconnectAt", { step: "status-information-sent", how: "half-open" });
  const came = await bench.talk(SALE, { budgetMs: 10_000 });
  expect(came.map(kindOf).at(-1)).toBe("040f");
  expect(bench.host.ended).toBe(false);
  await bench.send("05 01 03 123456");
  await bench.send("06 22 00");
  await bench.clock.advance(60_000);
  expect(toHex(bench.host.take())).toBe("");
  expect(bench.terminal.state().unknownCommands).toBe(0);
  expect(bench.kinds()).toEqual(["sale 50000", "auto-reversal -50000"]);
  await bench.connect();
  expect((await bench.talk(REGISTER)).map(kindOf)).toEqual(["8000", "060f"]);
});

it("RST is asked for where the wire knows it", async () => {
  const other = await openBench();
  let resets = 0;
  Object.assign(other.host.farEnd, {
    reset() {
      resets += 1;
    },
  });
  await other.talk(REGISTER);
  await other.act("disconnectAt", { step: "host-asked", how: "rst" });
  await other.talk(SALE);
  expect([resets, other.host.ended]).toEqual([1, true]);
});

it("an ECR that confirms and hangs up at once has confirmed, even before the terminal knows that its 04 0F has left", async () => {
  const bench = await openBench();
  await bench.registered();
  const { farEnd } = bench.host;
  const { write } = farEnd;
  Object.assign(farEnd, {
    async write(bytes: Uint8Array, signal: AbortSignal) {
      await write(bytes, signal);
      if (!toHex(bytes).startsWith("040f")) return;
      bench.host.send(Uint8Array.of(0x80, 0, 0));
      await farEnd.closed;
    },
  });
  await bench.talk(SALE, { answer: (apdu) => (apdu.startsWith("040f") ? undefined : "80 00 00"), budgetMs: 500 });
  await farEnd.close();
  await bench.clock.advance(600_000);
  expect(bench.kinds()).toEqual(["sale 50000"]);
});

it("a restart in mid-sale: with its history the sale is taken back, without it the charge stays and nothing is repeated", async () => {
  // Confirmed before it restarted: the sale stands, and the receipt of it may be gone.
  for (const [history, repeated] of [
    ["kept", "060f"],
    ["lost", "061e"],
  ] as const) {
    const bench = await openBench({ rebootMs: 0 });
    await bench.registered();
    await bench.act("inject", { fault: "reboot", step: "answer-taken", history });
    await bench.talk(SALE);
    await bench.clock.advance(20_000);
    await bench.connect();
    await bench.talk(REGISTER);
    expect((await bench.talk(LAST)).map(kindOf).at(-1)).toBe(repeated);
    expect(bench.kinds()).toEqual(["sale 50000"]);
  }
  for (const history of ["kept", "lost"] as const) {
    const bench = await openBench({ rebootMs: 5000 });
    await bench.registered();
    await bench.talk(SALE);
    await bench.act("inject", { fault: "reboot", step: "status-information-sent", history, host: "approved" });
    await bench.talk(SALE);
    await bench.connect();
    expect(bench.host.ended).toBe(true);
    await bench.clock.advance(20_000);
    await bench.connect();
    expect(await bench.talk(LAST)).toEqual(["848300"]);
    await bench.talk(REGISTER);
    const last = await bench.talk(LAST);
    if (history === "kept") expect(last[1]).toContain("870001");
    else expect(last.at(-1)).toBe("061e0183");
    const sales = ["sale 50000", "sale 50000"];
    expect(bench.kinds()).toEqual(history === "kept" ? [...sales, "auto-reversal -50000"] : sales);
    expect(bench.terminal.state().nextReceipt).toBe(history === "kept" ? 3 : 1);
  }
});

it("what the last receipt is after a sale was taken back, and a terminal that repeats none", async () => {
  const refusing = { answer: (apdu: string) => (apdu.startsWith("040f") ? "84 83 00" : "80 00 00") };
  for (const lastAfterAutoReversal of ["baseline", "reversal"] as const) {
    const bench = await openBench({ lastAfterAutoReversal });
    await bench.registered();
    await bench.talk(SALE);
    await bench.talk(SALE, refusing);
    const [, told = ""] = await bench.talk(LAST);
    expect(told).toContain(lastAfterAutoReversal === "baseline" ? "870001" : "870002");
    expect(told.includes("37000002")).toBe(lastAfterAutoReversal === "reversal");
  }
  const mute = await openBench({ repeatReceipt: "completion-only" });
  await mute.registered();
  await mute.talk(SALE);
  expect(await mute.talk(LAST)).toEqual(["800000", "060f00"]);
});
