import { afterAll, describe, expect, it } from "vitest";
import { STEP_NAMES, type StepName } from "../../../../simulators/zvt-terminal/faults.js";
import { faultRow } from "../../../../test/support/fault.js";
import type { PaymentFacts, PaymentOutcome } from "../../../contracts/payment-terminal.js";
import { AMOUNT, createRig, interrupted, type Mark, noCode, type Rig } from "./rig.test.support.js";

/** What is left of a payment's outcome when it is laid beside the bank's ledger. */
const seen = { definite: 0, review: 0, never: 0 };

/** Never approved while nothing was charged, never anything else that is final while something was. */
function expectTrue(outcome: PaymentOutcome | undefined, net: number, what: string): void {
  if (outcome === undefined) seen.never += 1;
  else if (outcome.state === "manual_review") seen.review += 1;
  else {
    seen.definite += 1;
    expect(outcome.state === "approved", `${what}: ${outcome.state} while the ledger says ${net}`).toBe(net > 0);
  }
  expect(net, what).toBeLessThanOrEqual(AMOUNT);
}

async function withRig<T>(given: Parameters<typeof createRig>, work: (rig: Rig) => Promise<T>): Promise<T> {
  const rig = await createRig(...given);
  try {
    return await work(rig);
  } finally {
    await rig.close();
  }
}

const baselineOf = (rig: Rig): number => rig.net();

afterAll(() => {
  const { definite, review, never } = seen;
  console.info(`zvt, interrupted payments: ${definite} definite, ${review} manual review, ${never} without a terminal to ask`);
});

describe.each(["tcp", "serial"])("the link ends over %s", (framing) => {
  faultRow({
    device: "zvt",
    fault: "The line ends at any of the fifteen steps of a payment",
    knobs: ["zvt-terminal.disconnect", "zvt-terminal.disconnectAt"],
    sees: "what the bank has booked; never `manual_review` where the terminal can be asked",
    does: "goes by marks on the disk and by the terminal's last receipt",
    back: "the line is there",
    bounds: ["zvtTakenBack"],
  });
  it.each(STEP_NAMES)("at %s: what becomes of it agrees with the bank", async (step: StepName) => {
    for (const host of ["approved", "declined"] as const) {
      for (const autoReversal of ["succeeds", "late", "hidden", "fails"] as const) {
        for (const lastAfterAutoReversal of ["baseline", "reversal"] as const) {
          // What is not charged is not taken back, and leaves no receipt of that.
          if (lastAfterAutoReversal === "reversal" && (host === "declined" || autoReversal === "fails")) continue;
          await withRig([{ framing, lastAfterAutoReversal }, { printReceipts: true }], async (rig) => {
            const what = `${step} ${host} ${autoReversal} ${lastAfterAutoReversal}`;
            await rig.pay();
            const before = baselineOf(rig);
            await rig.act("disconnectAt", { step, host, autoReversal });
            const outcome = await rig.settle();
            const lost = rig.simulator.state().faultsPending === 0;
            // Link and terminal come back, so the end is definite; and it stays true when all is over.
            expect(outcome, what).toBeDefined();
            expect(outcome?.state, what).not.toBe("manual_review");
            expectTrue(outcome, rig.net() - before, what);
            await rig.clock.advance(600_000);
            expectTrue(outcome, rig.net() - before, `${what}, later`);
            // A declined sale prints nothing here.
            if (!(step === "print-begun" && host === "declined")) expect(lost, what).toBe(true);
          });
        }
      }
    }
  });
});

faultRow({
  device: "zvt",
  fault: "The terminal is busy for good after an interrupted payment",
  knobs: ["zvt-terminal.disconnectAt"],
  sees: "nothing final",
  does: "says nothing that it does not know; a person settles it with `stationd payments`",
  back: "a person",
  bounds: ["paymentAsked"],
});
it("a terminal that never ends taking it back is never answered for", async () => {
  await withRig([], async (rig) => {
    await rig.pay();
    await rig.act("disconnectAt", { step: "answer-lost", autoReversal: "stuck" });
    await expect(rig.pay()).rejects.toBeDefined();
    expect(await rig.resolve(undefined, 40)).toBeUndefined();
  });
});

faultRow({
  device: "zvt",
  fault: "The network drops without a word, or resets the connection",
  knobs: ["zvt-terminal.disconnect"],
  sees: "what the bank has booked: `approved`, or not charged",
  does: "waits the silence out, then asks the terminal",
  back: "the network is there",
  bounds: ["zvtSilence", "zvtTakenBack"],
  case: ["half-open"],
});
it.each(["close", "rst", "half-open"])("a wire that ends by %s", async (how) => {
  for (const step of ["host-asked", "status-information-sent", "answer-taken"]) {
    await withRig([], async (rig) => {
      await rig.pay();
      await rig.act("disconnectAt", { step, how });
      expectTrue(await rig.settle(), rig.net() - AMOUNT, `${how} ${step}`);
    });
  }
});

describe("the terminal restarts", () => {
  faultRow({
    device: "zvt",
    fault: "The terminal restarts in mid-payment",
    knobs: ["zvt-terminal.reboot"],
    sees: "what the bank has booked; `manual_review` only where it has lost its memory",
    does: "opens it anew and asks for its last receipt",
    back: "it is up again",
    bounds: ["tryAgain", "zvtTakenBack"],
  });
  it.each(STEP_NAMES.filter((step) => step !== "print-begun"))("at %s", async (step) => {
    for (const history of ["kept", "lost"] as const) {
      for (const host of ["approved", "declined"] as const) {
        await withRig([], async (rig) => {
          await rig.pay();
          await rig.inject({ fault: "reboot", step, history, host });
          const outcome = await rig.settle();
          const what = `${step} ${history} ${host}`;
          expectTrue(outcome, rig.net() - AMOUNT, what);
          if (history === "kept") expect(outcome?.state, what).not.toBe("manual_review");
        });
      }
    }
  });
});

/** Ends that the test has an opinion on, each after a first payment. */
const CASES: readonly (readonly [
  what: string,
  faults: readonly { readonly fault: string; readonly [key: string]: unknown }[],
  states: readonly string[],
])[] = [
  ["04 0F twice", [{ fault: "duplicate-status-information" }], ["approved"]],
  ["04 0F once more after the end", [{ fault: "stray-status-information" }], ["approved"]],
  ["04 0F of the payment before", [{ fault: "stale-status-information" }], ["not_charged"]],
  ["04 0F without a result", [{ fault: "no-result" }], ["not_charged"]],
  ["04 0F with another amount", [{ fault: "wrong-amount" }], ["not_charged"]],
  ["04 0F of another terminal", [{ fault: "wrong-terminal" }], ["not_charged"]],
  ["04 0F late", [{ fault: "late-status-information" }], ["not_charged"]],
  ["no completion", [{ fault: "completion-dropped" }], ["approved"]],
  ["abort after the result was answered", [{ fault: "abort-after-status" }], ["approved"]],
  ["abort instead of the result", [{ fault: "abort-instead" }], ["not_charged"]],
  ["no answer to the command", [{ fault: "no-answer", apdu: "0601" }], ["not_charged"]],
  ["silence past T4", [{ fault: "silence" }], ["not_charged"]],
  ["silence past T4 once the bank has it", [{ fault: "silence", step: "host-answered" }], ["not_charged"]],
  ["500 lines that nobody asked for", [{ fault: "print-flood" }], ["approved"]],
  ["a result full of DLE", [{ fault: "dle-storm" }], ["approved"]],
  ["a long result", [{ fault: "long-length" }], ["approved"]],
];
const SERIAL: typeof CASES = [
  ["NAK once", [{ fault: "nak" }], ["approved"]],
  ["bad checksums", [{ fault: "bad-crc", times: 2 }], ["approved"]],
  ["a result with a bad checksum", [{ fault: "bad-crc", apdu: "040f" }], ["approved"]],
  ["our ACK to the result lost", [{ fault: "ack-not-seen" }], ["approved"]],
  ["its ACK lost", [{ fault: "ack-not-sent" }], ["approved"]],
  ["a gap in the result", [{ fault: "gap", apdu: "040f" }], ["approved"]],
  ["half a result", [{ fault: "truncated", apdu: "040f" }], ["approved"]],
  ["garbage before the result", [{ fault: "garbage", apdu: "040f" }], ["approved"]],
  ["byte by byte", [{ fault: "fragments", times: 10 }], ["approved"]],
];
const TCP: typeof CASES = [
  ["all in one piece", [{ fault: "coalesced" }], ["approved"]],
  ["byte by byte", [{ fault: "fragments", times: 10 }], ["approved"]],
  ["half a result", [{ fault: "truncated", apdu: "040f" }], ["not_charged"]],
  ["garbage before the result", [{ fault: "garbage", apdu: "040f" }], ["not_charged"]],
];

describe.each([
  ["tcp", [...CASES, ...TCP]],
  ["serial", [...CASES, ...SERIAL]],
] as const)("over %s", (framing, cases) => {
  faultRow({
    device: "zvt",
    fault: "A noisy serial line: damaged, doubled and lost blocks",
    knobs: [
      "zvt-terminal.nak",
      "zvt-terminal.bad-crc",
      "zvt-terminal.ack-not-seen",
      "zvt-terminal.ack-not-sent",
      "zvt-terminal.gap",
      "zvt-terminal.truncated",
      "zvt-terminal.garbage",
      "zvt-terminal.fragments",
    ],
    sees: "nothing of it: `approved`",
    does: "asks for a block again, acknowledges one that comes twice, and hands it on once",
    back: "at once",
  });
  faultRow({
    device: "zvt",
    fault: "Half a message or garbage over TCP",
    knobs: ["zvt-terminal.truncated", "zvt-terminal.garbage"],
    sees: "`not_charged`",
    does: "ends the connection without a yes, lets the terminal take the payment back, and asks",
    bounds: ["zvtTakenBack"],
    case: ["half a result"],
  });
  faultRow({
    device: "zvt",
    fault: "Messages that are long, glued together, repeated, or not asked for",
    knobs: [
      "zvt-terminal.fragments",
      "zvt-terminal.coalesced",
      "zvt-terminal.dle-storm",
      "zvt-terminal.long-length",
      "zvt-terminal.print-flood",
      "zvt-terminal.duplicate-status-information",
      "zvt-terminal.stray-status-information",
    ],
    sees: "nothing of it: `approved`",
    does: "takes each message once",
    back: "at once",
  });
  faultRow({
    device: "zvt",
    fault: "The result is another payment's, of another amount or terminal, or has no code",
    knobs: ["zvt-terminal.stale-status-information", "zvt-terminal.no-result", "zvt-terminal.wrong-amount", "zvt-terminal.wrong-terminal"],
    sees: "`not_charged`",
    does: "does not acknowledge it, so that the terminal takes the payment back, and asks",
    bounds: ["zvtTakenBack"],
    case: ["04 0F with another amount"],
  });
  faultRow({
    device: "zvt",
    fault: "The terminal falls silent in mid-payment, or answers minutes late",
    knobs: ["zvt-terminal.silence", "zvt-terminal.late-status-information", "zvt-terminal.no-answer"],
    sees: "`not_charged`",
    does: "waits, ends the connection, lets the terminal take the payment back, and asks",
    bounds: ["zvtSilence", "zvtTakenBack"],
    case: ["silence past T4"],
  });
  faultRow({
    device: "zvt",
    fault: "The end of a payment never comes, though the result did",
    knobs: ["zvt-terminal.completion-dropped", "zvt-terminal.abort-after-status"],
    sees: "`approved`",
    does: "counts the result that it acknowledged, and asks the terminal for its last receipt",
    bounds: ["zvtSilence"],
    case: ["no completion"],
  });
  faultRow({
    device: "zvt",
    fault: "The terminal breaks off instead of telling the result",
    knobs: ["zvt-terminal.abort-instead"],
    sees: "`not_charged`",
    does: "believes no abort alone: it asks what was booked",
    bounds: ["zvtTakenBack"],
    case: ["abort instead of the result"],
  });
  it.each(cases)("%s", async (what, faults, states) => {
    const injected = async (rig: Rig): Promise<void> => {
      for (const fault of faults) await rig.inject(fault);
    };
    const fitAgain = async (rig: Rig): Promise<void> => {
      await rig.act("clearFaults");
      await rig.clock.advance(30_000);
      if (rig.simulator.state().attached !== true) await rig.open();
      expect(await rig.settle()).toMatchObject({ state: "approved" });
    };
    await withRig([{ framing }], async (rig) => {
      await rig.pay();
      const armed = async (baseline: PaymentFacts): Promise<void> => {
        await rig.steps().armed(baseline);
        await injected(rig);
      };
      const outcome = await rig.settle(AMOUNT, { steps: { armed } });
      expect(states, what).toContain(outcome?.state);
      expectTrue(outcome, rig.net() - AMOUNT, what);
      await fitAgain(rig);
    });
    // The same in the questions before the order: whatever comes of it is true.
    await withRig([{ framing }], async (rig) => {
      await rig.pay();
      await injected(rig);
      expectTrue(await rig.settle(), rig.net() - AMOUNT, `${what}, before`);
      await fitAgain(rig);
    });
  });
});

it("a payment order that comes through and is not acknowledged is not repeated", async () => {
  await withRig([{ framing: "serial" }], async (rig) => {
    await rig.pay();
    // The ACKs of 06 20, of two answers to it, and of 06 01.
    await rig.inject({ fault: "ack-not-sent", times: 4 });
    const outcome = await rig.settle();
    expectTrue(outcome, rig.net() - AMOUNT, "ACK lost");
    expect(rig.ledger().filter(({ kind }) => kind === "sale").length).toBeLessThanOrEqual(2);
  });
});

it("three NAKs to the order: nothing was charged", async () => {
  await withRig([{ framing: "serial" }], async (rig) => {
    await rig.pay();
    const paying = rig.pay(AMOUNT, {
      steps: {
        armed: async (baseline) => {
          await rig.steps().armed(baseline);
          await rig.inject({ fault: "nak", times: 3 });
        },
      },
    });
    await expect(paying).rejects.toMatchObject({ kind: "timeout" });
    expect(rig.events.filter((event) => event === "> 0601")).toHaveLength(1 + 3);
    expect(await rig.resolve()).toMatchObject({ state: "not_charged" });
  });
});

faultRow({
  device: "zvt",
  fault: "The terminal reports progress without end",
  knobs: ["zvt-terminal.endless-status"],
  sees: "`timeout` inside, then `not_charged`",
  does: "leaves it once the page has asked to stop, and asks what was booked",
  bounds: ["zvtSilence", "zvtTakenBack"],
});
it("statuses without end are left T4 after the caller asked to stop", async () => {
  await withRig([], async (rig) => {
    await rig.pay();
    await rig.inject({ fault: "endless-status", step: "host-asked", times: 1 });
    const stop = new AbortController();
    rig.clock.timer(300_000, () => stop.abort());
    await expect(rig.pay(AMOUNT, { signal: stop.signal })).rejects.toMatchObject({ kind: "timeout" });
    const outcome = await rig.resolve();
    expect(outcome?.state).toBe("not_charged");
    expectTrue(outcome, rig.net() - AMOUNT, "endless status");
  });
});

describe("evidence that is gone is for a person", () => {
  faultRow({
    device: "zvt",
    fault: "The terminal's receipt numbers began again, or it repeats no receipt",
    sees: "`manual_review`",
    does: "guesses nothing: a person looks at the terminal's journal",
    back: "a person",
    case: ["the terminal repeats no receipt"],
  });
  it.each([
    ["the receipt number began again", { nextReceipt: 9999 }],
    ["the terminal repeats no receipt", { repeatReceipt: "completion-only" }],
  ])("%s", async (_, options) => {
    await withRig([options], async (rig) => {
      await rig.pay();
      await rig.act("disconnectAt", { step: "completion-begun" });
      const outcome = await rig.settle();
      expect(outcome).toMatchObject({ state: "manual_review" });
      expectTrue(outcome, rig.net() - AMOUNT, "gone");
    });
  });

  it("the first payment of a terminal that has no receipt to compare with", async () => {
    await withRig([], async (rig) => {
      await rig.act("disconnectAt", { step: "status-information-sent" });
      expect(await rig.settle()).toMatchObject({ state: "manual_review" });
    });
    await withRig([], async (rig) => {
      await rig.act("disconnectAt", { step: "answer-taken" });
      expect(await rig.settle()).toMatchObject({ state: "approved" });
    });
  });

  faultRow({
    device: "zvt",
    fault: "An end of day or another till's payment came before the end was known",
    sees: "`manual_review`",
    does: "guesses nothing: a person looks at the terminal's journal",
    back: "a person",
  });
  it("an end of day, or somebody else's payment, came between", async () => {
    for (const amountVnd of [0, AMOUNT + 1]) {
      await withRig([], async (rig) => {
        await rig.pay();
        await rig.act("disconnectAt", { step: "status-information-sent" });
        await expect(rig.pay()).rejects.toBeDefined();
        const lost = interrupted(rig.record);
        await rig.open();
        await rig.clock.advance(20_000);
        if (amountVnd === 0) await rig.run(rig.terminal.totals(true, new AbortController().signal));
        else await rig.pay(amountVnd);
        expect(await rig.resolve(lost)).toMatchObject({ state: "manual_review" });
      });
    }
  });
});

describe("the agent dies", () => {
  it.each(["armed", "sent", "held", "answering"] as const)("after the mark %s, before and after what follows it", async (mark: Mark) => {
    for (const framing of ["tcp", "serial"]) {
      for (const when of ["before", "after"] as const) {
        await withRig([{ framing }], async (rig) => {
          await rig.pay();
          let died = false;
          const die = async (): Promise<never> => {
            died = true;
            rig.simulator.detach();
            return await new Promise(() => {});
          };
          const steps = rig.steps();
          const dying = {
            armed: steps.armed,
            sent: steps.sent,
            held: steps.held,
            answering: steps.answering,
            [mark]: async (facts: never) => {
              await steps[mark](facts);
              if (when === "before") await die();
              else rig.clock.timer(mark === "armed" ? 10 : 1, () => rig.simulator.detach());
            },
          };
          void rig.terminal
            .pay({ amountVnd: AMOUNT, reference: "HS-1", description: "" }, rig.steps(dying), new AbortController().signal)
            .catch(() => {});
          await rig.clock.advance(20_000);
          const lost = interrupted({ ...rig.record });
          expect(died).toBe(when === "before");
          await rig.open();
          const outcome = await rig.resolve(lost);
          expect(outcome, `${mark} ${when}`).toBeDefined();
          expect(outcome?.state).not.toBe("manual_review");
          expectTrue(outcome, rig.net() - AMOUNT, `${mark} ${when}`);
        });
      }
    }
  });
});

faultRow({
  device: "agent",
  fault: "The clock jumps by hours while a payment is open",
  sees: "`terminal_busy` inside; the payment stays open, then its true end",
  does: "counts the time by a clock that does not jump, too, and goes by the longer one",
  bounds: ["zvtTakenBack"],
});
it("nothing is said before the terminal had time to take it back, and clocks that jump do not shorten that", async () => {
  await withRig([], async (rig) => {
    await rig.pay();
    const { baseline } = { baseline: { kind: "receipt", ...rig.record.facts } };
    const lost = { step: "sent" as const, amountVnd: AMOUNT, baseline, facts: undefined };
    const soon = { ...lost, markedAt: rig.clock.now() - 10 * 3_600_000 };
    const future = { ...lost, markedAt: rig.clock.now() + 10 * 3_600_000 };
    const signal = new AbortController().signal;
    for (const payment of [soon, future]) {
      await expect(rig.run(rig.terminal.resolve(payment, signal, noCode))).rejects.toMatchObject({ kind: "terminal_busy" });
    }
    await rig.clock.advance(900_000);
    for (const payment of [soon, future])
      expect(await rig.run(rig.terminal.resolve(payment, signal, noCode))).toMatchObject({ state: "not_charged" });
  });
});

it("the terminal's receipt is believed at once only where our yes may have left", async () => {
  await withRig([], async (rig) => {
    await rig.pay();
    await rig.pay();
    for (const step of ["armed", "sent", "held"] as const) {
      const payment = { ...interrupted(rig.record), step };
      await expect(rig.run(rig.terminal.resolve(payment, new AbortController().signal, noCode))).rejects.toMatchObject({
        kind: "terminal_busy",
      });
    }
    expect(await rig.run(rig.terminal.resolve(interrupted(rig.record), new AbortController().signal, noCode))).toMatchObject({
      state: "approved",
    });
    await rig.clock.advance(900_000);
    expect(await rig.resolve({ ...interrupted(rig.record), step: "sent" })).toMatchObject({ state: "approved" });
  });
});

faultRow({
  device: "zvt",
  fault: "The terminal breaks off, and could not take the charge back",
  knobs: ["zvt-terminal.abort-instead"],
  sees: "`approved`: it is charged, whatever it said",
  does: "asks for the last receipt before it believes a no",
  back: "it has told its last receipt",
});
it.each([0x6c, 0x05])(
  "an abort %i instead of the result, of a payment that cannot be taken back: charged, whatever it said",
  async (code) => {
    await withRig([{ autoReversal: "fails" }], async (rig) => {
      await rig.pay();
      await rig.inject({ fault: "abort-instead", code });
      expect(await rig.settle()).toMatchObject({ state: "approved" });
      expect(rig.net()).toBe(2 * AMOUNT);
    });
  },
);
