import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { FAULT_NAMES, STEP_NAMES } from "../../../../simulators/nexo-terminal/faults.js";
import { AMOUNT, openStation } from "./simulator.test.support.js";

/** What no driver could see through: a terminal that lies about its memory, and one that charges one order twice. */
const LIES = new Set(["status-not-found", "accept-duplicate"]);

const fault = fc.record(
  {
    fault: fc.constantFrom(...FAULT_NAMES.filter((name) => !LIES.has(name))),
    step: fc.constantFrom(...STEP_NAMES),
    category: fc.constantFrom("Payment", "TransactionStatus"),
    host: fc.constantFrom("approved", "declined"),
    how: fc.constantFrom("close", "rst"),
    history: fc.constantFrom("kept", "lost"),
    condition: fc.constantFrom("Refusal", "UnreachableHost", "Busy", "InProgress", "Cancel"),
  },
  { requiredKeys: ["fault", "category"] },
);
const payment = fc.record({
  faults: fc.array(fault, { minLength: 1, maxLength: 3 }),
  whenArmed: fc.boolean(),
  stopAfterMs: fc.option(fc.nat(8_000)),
});

const rates: { [state: string]: number } = {};
afterAll(() => console.info(`nexo, whatever goes wrong: ${JSON.stringify(rates)}`));

it("whatever goes wrong: at most one charge, and what is final agrees with the bank", async () => {
  await fc.assert(
    fc.asyncProperty(payment, fc.boolean(), async ({ faults, whenArmed, stopAfterMs }, notices) => {
      await using station = await openStation({}, { notices });
      const paid = await station.pay();
      if (paid.state !== "approved") throw new RangeError(paid.state);
      const inject = async (): Promise<void> => {
        for (const each of faults) await station.inject({ ...each, ...(each.fault === "silence" ? { ms: 80_000 } : {}) });
      };
      const steps = station.steps;
      station.steps = () => {
        const given = steps();
        const armed: typeof given.armed = async (baseline) => {
          await given.armed(baseline);
          await inject();
        };
        return whenArmed ? { ...given, armed } : given;
      };
      if (!whenArmed) await inject();
      const stop = new AbortController();
      using _timer = station.clock.timer(stopAfterMs ?? 3_600_000, () => stop.abort());
      const { state } = await station.pay({ previous: paid.facts, signal: stop.signal });
      rates[state] = (rates[state] ?? 0) + 1;
      const check = (): void => {
        const charged = station.net() - AMOUNT;
        expect(charged).toBeLessThanOrEqual(AMOUNT);
        if (state !== "manual_review") expect(charged, state).toBe(state === "approved" ? AMOUNT : 0);
      };
      check();
      // And stays so when all is over.
      await station.act("clearFaults");
      await station.clock.sleep(120_000);
      check();
      expect(station.ledger().filter(({ kind }) => kind === "sale").length).toBeLessThanOrEqual(2);
    }),
    // Each run is a terminal of its own, with its keys: a fifth of the usual number.
    { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 100) / 5) },
  );
});
