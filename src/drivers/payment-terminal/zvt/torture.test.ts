import fc from "fast-check";
import { expect, it } from "vitest";
import { FAULT_NAMES, STEP_NAMES } from "../../../../simulators/zvt-terminal/faults.js";
import { createRig } from "./rig.test.support.js";

const fault = fc.record(
  {
    fault: fc.constantFrom(...FAULT_NAMES),
    step: fc.constantFrom(...STEP_NAMES),
    times: fc.integer({ min: 1, max: 4 }),
    apdu: fc.constantFrom("040f", "8000", "04ff", "060f", "061e", "0601", "0620", "0600", "0501"),
    how: fc.constantFrom("close", "rst", "half-open"),
    host: fc.constantFrom("approved", "declined"),
    autoReversal: fc.constantFrom("succeeds", "late", "hidden", "fails", "stuck"),
    history: fc.constantFrom("kept", "lost"),
    code: fc.constantFrom(0x6c, 0x83, 0x9c, 0xa0, 0xf0),
  },
  { requiredKeys: ["fault", "autoReversal"] },
);
const payment = fc.record({
  faults: fc.array(fault, { maxLength: 3 }),
  /** The faults wait until the order goes out, or spoil the questions before it as well. */
  whenArmed: fc.boolean(),
  refusedMark: fc.option(fc.constantFrom("held", "answering")),
  stopAfterMs: fc.option(fc.integer({ min: 1, max: 400_000 })),
});
const options = fc.record({
  framing: fc.constantFrom("tcp", "serial"),
  lastAfterAutoReversal: fc.constantFrom("baseline", "reversal"),
  keepDeclined: fc.boolean(),
  autoReversal: fc.constantFrom("succeeds", "late", "hidden", "fails"),
});

it("whatever goes wrong, each end agrees with the bank's ledger, and nothing is charged twice", async () => {
  const rates: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(options, fc.array(payment, { minLength: 1, maxLength: 3 }), fc.boolean(), async (given, payments, printReceipts) => {
      const rig = await createRig({ ...given, nextReceipt: 7 }, { printReceipts });
      try {
        await rig.pay();
        for (const [index, { faults, whenArmed, refusedMark, stopAfterMs }] of payments.entries()) {
          const amountVnd = 1_000 * (index + 1);
          const before = rig.net();
          const bookings = rig.ledger().length;
          const inject = async (): Promise<void> => {
            for (const each of faults) await rig.inject(each);
          };
          if (!whenArmed) await inject();
          const stop = new AbortController();
          using _timer = rig.clock.timer(stopAfterMs ?? 600_000, () => stop.abort());
          const steps = rig.steps();
          const refused = refusedMark ? { [refusedMark]: () => Promise.reject(new RangeError("disk full")) } : {};
          const armed: typeof steps.armed = async (baseline) => {
            await steps.armed(baseline);
            if (whenArmed) await inject();
          };
          const outcome = await rig.settle(amountVnd, { steps: { armed, ...refused }, signal: stop.signal });
          rates[outcome?.state ?? "never"] = (rates[outcome?.state ?? "never"] ?? 0) + 1;
          const check = (): void => {
            const net = rig.net() - before;
            expect(net).toBeLessThanOrEqual(amountVnd);
            if (outcome && outcome.state !== "manual_review") expect(outcome.state === "approved").toBe(net > 0);
          };
          check();
          expect(
            rig
              .ledger()
              .slice(bookings)
              .filter(({ kind }) => kind === "sale").length,
          ).toBeLessThanOrEqual(1);
          await rig.act("clearFaults");
          await rig.clock.advance(600_000);
          check();
          if (!outcome) return;
          if (rig.simulator.state().attached !== true) await rig.open().catch(() => {});
        }
      } finally {
        await rig.close();
      }
    }),
    // Each run is a terminal's day: a third of the usual number.
    { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 100) / 3) },
  );
  console.info(`zvt, whatever goes wrong: ${JSON.stringify(rates)}`);
});
