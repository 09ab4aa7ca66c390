import fc from "fast-check";
import { expect, test } from "vitest";
import type { InterruptedPayment, PaymentOutcome, PaymentSteps } from "../contracts/payment-terminal.js";
import { DeviceError } from "../kernel/errors.js";
import { settle } from "./testing/devices.js";
import { call } from "./testing/fakes.js";
import { bill, ended, type PaymentRig, paymentRig } from "./testing/payments.js";

/**
 * A terminal with a ledger, and a driver that keeps to its contract over a wire that may be cut anywhere. A result that is not
 * acknowledged is taken back by the terminal itself.
 */
interface Bank {
  /** Charges of each bill, newest last. */
  readonly charges: Map<string, { net: boolean; receipt: number }[]>;
  receipt: number;
}

const CUTS = ["none", "before_armed", "armed", "ordered", "host", "held", "answering", "acknowledged"] as const;
type Cut = (typeof CUTS)[number];
interface Fault {
  readonly cut: Cut;
  readonly how: "lose" | "crash" | "hang";
  /** The journal fails from this mark on, until the next life. */
  readonly disk: "armed" | "held" | "answering" | "ended" | undefined;
  readonly approves: boolean;
  /** How often resolving fails before the terminal tells. */
  readonly deaf: number;
  readonly cancels: boolean;
}

const fault: fc.Arbitrary<Fault> = fc.record({
  cut: fc.constantFrom(...CUTS),
  how: fc.constantFrom("lose", "crash", "hang"),
  disk: fc.constantFrom(undefined, undefined, "armed", "held", "answering", "ended"),
  approves: fc.boolean(),
  deaf: fc.nat(3),
  cancels: fc.boolean(),
});

function drive(rig: PaymentRig, bank: Bank, key: string, { cut, how, disk, approves }: Fault) {
  const at = async (here: Cut, signal: AbortSignal): Promise<void> => {
    if (cut !== here) return;
    if (how === "lose") {
      rig.script.lose();
      throw new DeviceError("device_absent");
    }
    // What hangs obeys nobody; what crashes never comes back.
    await new Promise<never>((_resolve, reject) => {
      if (how === "hang") signal.addEventListener("abort", () => reject(new DeviceError("timeout")));
    });
  };
  return async (steps: PaymentSteps, signal: AbortSignal): Promise<PaymentOutcome> => {
    await at("before_armed", signal);
    rig.journal.broken = disk === "armed";
    await steps.armed({ receipt: bank.receipt });
    await at("armed", signal);
    void steps.sent();
    const charges = bank.charges.get(key) ?? [];
    bank.charges.set(key, charges);
    await at("ordered", signal);
    if (!approves) return ended("declined");
    const charge = { net: false, receipt: ++bank.receipt };
    charges.push(charge);
    await at("host", signal);
    rig.journal.broken = disk === "held";
    await steps.held({ receipt: charge.receipt });
    await at("held", signal);
    rig.journal.broken = disk === "answering";
    await steps.answering();
    await at("answering", signal);
    charge.net = true;
    await at("acknowledged", signal);
    rig.journal.broken = disk === "ended";
    return { state: "approved", facts: { receipt: charge.receipt } };
  };
}

/** The terminal's journal tells the truth, once it can be asked. */
function tell(bank: Bank, { baseline }: InterruptedPayment): PaymentOutcome {
  const after = [...bank.charges.values()].flat().find(({ receipt }) => receipt > Number(baseline.receipt));
  if (!after) return ended("not_charged");
  return after.net ? { state: "approved", facts: { receipt: after.receipt } } : ended("reversed");
}

test("whatever is cut, killed or not written down: one charge per bill at most, and every end is what the terminal's ledger says", async () => {
  let definite = 0;
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 4 }), async (faults) => {
      const rig = await paymentRig();
      const bank: Bank = { charges: new Map(), receipt: 6 };
      const keys: string[] = [];
      for (const [index, one] of faults.entries()) {
        const key = `bill-000000${index}`;
        keys.push(key);
        let deaf = one.deaf;
        rig.script.pay = drive(rig, bank, key, one);
        rig.script.resolve = async (payment) => {
          if (deaf-- > 0) throw new DeviceError("timeout");
          return tell(bank, payment);
        };
        const asking = call();
        const asked = rig.service.pay(rig.bay, bill(key), asking).catch(() => undefined);
        await settle();
        if (one.cancels || one.how === "hang") asking.abort();
        await settle();
        rig.journal.broken = false;
        if (one.how === "crash") await rig.restart();
        else {
          await rig.clock.advance(60_000);
          await asked;
        }
        // Impatient pages: the same bill again, at once and after a while.
        const again = call();
        const repeated = rig.service.pay(rig.bay, bill(key), again).catch(() => undefined);
        await rig.clock.advance(60_000);
        again.abort("timeout");
        await rig.clock.advance(2_000);
        await repeated;
      }
      for (const record of rig.journal.records.values()) {
        const charges = bank.charges.get(record.idempotencyKey) ?? [];
        const net = charges.filter((charge) => charge.net).length;
        expect(charges.length).toBeLessThanOrEqual(1);
        expect(record.outcome).toMatchObject({ final: true });
        runs++;
        if (record.outcome?.state !== "manual_review") definite++;
        if (net > 0) expect(record.outcome?.state).toBe("approved");
        else expect(["not_started", "declined", "not_charged", "reversed"]).toContain(record.outcome?.state);
      }
      // No second charge hides behind a key that the journal does not know.
      expect(
        [...bank.charges.keys()].every((key) => [...rig.journal.records.values()].some((record) => record.idempotencyKey === key)),
      ).toBe(true);
      expect(rig.service.openJobs(undefined)).toEqual([]);
    }),
    { numRuns: 150 },
  );
  // Here the evidence is always there: nothing may end with a person.
  expect(definite).toBe(runs);
}, 60_000);
