import fc from "fast-check";
import { expect, it } from "vitest";
import { fromHex } from "../../src/kernel/bytes.js";
import { settle } from "../testing.js";
import { kindOf, LAST, openBench, REGISTER, SALE } from "./ecr.test.support.js";
import type { LedgerEntry } from "./index.js";
import { createLedger } from "./ledger.js";
import { encodeBlock } from "./serial-block.js";

/** No reversal without its own sale before it, and never more back than was paid. */
function sound(ledger: readonly LedgerEntry[]): void {
  let net = 0;
  const open = new Map<number, number>();
  for (const entry of ledger) {
    net += entry.net;
    expect(net).toBeGreaterThanOrEqual(0);
    if (entry.kind === "sale") {
      expect(entry.net).toBe(entry.hostApproved ? entry.amountVnd : 0);
      open.set(entry.trace, entry.net);
    } else {
      expect(open.get(entry.originalTrace ?? -1)).toBe(-entry.net);
      open.delete(entry.originalTrace ?? -1);
    }
  }
}

const usual = fc.constantFrom(SALE, "80 00 00", "80 00 00", "80 00 00", "06 30 06 123456 87 0001");
const apdus = fc.constantFrom(
  REGISTER,
  LAST,
  "84 00 00",
  "84 9c 00",
  "84 83 00",
  "06 50 03 123456",
  "06 b0 00",
  "05 01 03 123456",
  "06 01 ff ff ff",
  "06 20 03 123456",
  "06 30 03 123456",
);
const piece = fc.oneof(
  { weight: 6, arbitrary: usual.map((apdu) => ({ apdu })) },
  { weight: 2, arbitrary: apdus.map((apdu) => ({ apdu })) },
  { weight: 4, arbitrary: fc.constant({ act: "ack" }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => ({ bytes })) },
  { weight: 3, arbitrary: fc.constantFrom(20, 50, 300, 6000, 70_000).map((ms) => ({ ms })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("connect", "approve", "decline", "wrongPin", "cancelByCustomer", "removeCard").map((act) => ({ act })),
  },
);

it.each(["tcp", "serial"] as const)(
  "any bytes of an ECR over %s, whatever the cardholder does: no crash, the books stay sound",
  async (framing) => {
    const seen = { sale: 0, reversal: 0, "auto-reversal": 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 60, size: "max" }), fc.array(fc.boolean(), { minLength: 1 }), async (pieces, cuts) => {
        const bench = await openBench({ framing, needsRegistration: false });
        for (const [index, one] of pieces.entries()) {
          if ("ms" in one) await bench.clock.advance(one.ms);
          else if ("act" in one) await (one.act === "connect" ? bench.connect() : one.act === "ack" ? bench.take() : bench.act(one.act));
          else {
            const plain = "apdu" in one ? fromHex(one.apdu) : one.bytes;
            const bytes = framing === "serial" && "apdu" in one ? encodeBlock(plain) : plain;
            const middle = cuts[index % cuts.length] ? Math.ceil(bytes.length / 2) : bytes.length;
            bench.host.send(bytes.subarray(0, middle));
            if (middle < bytes.length) bench.host.send(bytes.subarray(middle));
          }
          await settle();
          sound(bench.terminal.ledger());
        }
        bench.terminal.detach();
        await bench.clock.advance(600_000);
        sound(bench.terminal.ledger());
        for (const { kind } of bench.terminal.ledger()) seen[kind] += 1;
        // It is still there for the next one.
        expect(bench.terminal.state()).toMatchObject({ procedure: null, autoReversalPending: false });
        await bench.act("reset");
        await bench.connect();
        expect((await bench.talk(REGISTER)).map(kindOf)).toEqual(["8000", "060f"]);
        await bench.terminal.close();
      }),
      { numRuns: 200 },
    );
    // It was about something.
    expect(seen.sale).toBeGreaterThan(10);
    expect(seen["auto-reversal"]).toBeGreaterThan(3);
  },
  120_000,
);

it("a sale is kept exactly when the ECR confirmed it", async () => {
  const answers = fc.constantFrom("80 00 00", "84 00 00", "84 9c 00", "84 83 00", "84 6c 00", "80 01 00", "none", "hang up");
  await fc.assert(
    fc.asyncProperty(fc.array(answers, { minLength: 1, maxLength: 4 }), async (script) => {
      const bench = await openBench();
      await bench.registered();
      await bench.talk(SALE, {
        answer(apdu, count) {
          if (!apdu.startsWith("040f")) return "80 00 00";
          const said = script[count - 1] ?? "none";
          if (said === "hang up") bench.terminal.detach();
          return said === "none" || said === "hang up" ? undefined : said;
        },
      });
      await bench.clock.advance(60_000);
      const last = script.find((said) => said !== "84 9c 00");
      const kept = last === "80 00 00" || last === "84 00 00";
      expect(bench.terminal.state().netVnd).toBe(kept ? 50_000 : 0);
      expect(bench.kinds()).toEqual(kept ? ["sale 50000"] : ["sale 50000", "auto-reversal -50000"]);
    }),
    { numRuns: 60 },
  );
});

it("takes nothing back twice, nor what was declined, and finds the newest of two sales with one number", () => {
  const ledger = createLedger();
  const sale = (trace: number, hostApproved: boolean): LedgerEntry =>
    ledger.sale({ receipt: 7, trace, amountVnd: 1000, hostApproved, card: "visa" });
  const [old, young, declined] = [sale(1, true), sale(2, true), sale(3, false)];
  expect(ledger.findSale(7)).toBe(young);
  const by = { kind: "auto-reversal", receipt: 7, trace: 4 } as const;
  expect([ledger.reverse(young, by), ledger.reverse(young, by), ledger.reverse(declined, by)]).toEqual([true, false, false]);
  expect([ledger.isReversed(young), ledger.isReversed(old), ledger.netVnd]).toEqual([true, false, 1000]);
});
