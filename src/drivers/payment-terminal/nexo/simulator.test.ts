import { expect, it } from "vitest";
import { STEP_NAMES } from "../../../../simulators/nexo-terminal/faults.js";
import type { PaymentFacts, PaymentOutcome } from "../../../contracts/payment-terminal.js";
import { DeviceError } from "../../../kernel/errors.js";
import { AMOUNT, openStation, type Station } from "./simulator.test.support.js";

/** A payment that went well: the witness of the next one. */
async function earlier(station: Station): Promise<PaymentFacts> {
  const paid = await station.pay();
  if (paid.state !== "approved") throw new RangeError(paid.state);
  return paid.facts;
}

/** What ended agrees with what the bank has booked: approved is charged, and anything else that is final is not. */
function expectTrue(outcome: PaymentOutcome, charged: number, what: string): void {
  if (outcome.state !== "manual_review") expect(charged, `${what}: ${outcome.state}`).toBe(outcome.state === "approved" ? AMOUNT : 0);
  expect(charged, what).toBeLessThanOrEqual(AMOUNT);
}

it("takes payments over HTTPS, tells how they go, and takes one back", async () => {
  await using station = await openStation();
  expect(station.conditions).toEqual([{ state: "ready" }]);
  const first = await earlier(station);
  expect(first).toMatchObject({ amountVnd: AMOUNT, cardLastFour: "0018", terminalId: "V400m-346403161" });
  expect(station.stages.slice(0, 2)).toEqual(["checking", "present_card"]);
  expect(station.stages).toContain("authorising");
  expect(station.lines.length).toBeGreaterThan(3);
  expect(station.lines.join()).toContain("0018");
  expect(await station.pay({ previous: first })).toMatchObject({ state: "approved" });
  expect(station.last.baseline.witness).toBe(first.serviceId);
  expect(station.net()).toBe(2 * AMOUNT);
  expect(await station.reverse(first)).toMatchObject({ state: "approved" });
  expect(station.net()).toBe(AMOUNT);
  expect(await station.terminal.selfTest(new AbortController().signal)).toMatchObject([{ ok: true }, { ok: true }]);
});

it.each([
  ["Refusal", "declined"],
  ["WrongPIN", "declined"],
  ["Cancel", "cancelled"],
  ["UnreachableHost", "not_charged"],
])("a payment that ends %s is %s", async (condition, state) => {
  await using station = await openStation();
  await station.act("decline", { condition });
  expect(await station.pay()).toMatchObject({ state });
  expect(station.net()).toBe(0);
  expect(await station.pay()).toMatchObject({ state: "approved" });
});

it("asks to stop before the card, and takes the payment where the card was faster", async () => {
  await using station = await openStation({ cardholder: "manual" });
  const stop = new AbortController();
  station.clock.timer(3_000, () => stop.abort(new DeviceError("canceled")));
  expect(await station.pay({ signal: stop.signal })).toMatchObject({ state: "cancelled" });
  expect(station.net()).toBe(0);
  await station.inject({ fault: "approve-races-abort" });
  const race = new AbortController();
  station.clock.timer(3_000, () => race.abort(new DeviceError("canceled")));
  station.clock.timer(8_000, () => void station.act("removeCard"));
  const outcome = await station.pay({ signal: race.signal });
  expect(outcome.state).toBe(station.net() > 0 ? "approved" : "cancelled");
});

it("refuses a terminal with another's certificate before anything leaves", async () => {
  await using station = await openStation();
  for (const fault of ["foreign-certificate", "wrong-name", "expired-certificate"]) {
    await station.inject({ fault });
    expect(await station.pay()).toMatchObject({ state: "not_started", reason: { kind: "device_fault" } });
  }
  expect(station.ledger()).toEqual([]);
});

it.each(STEP_NAMES)("the connection ends at %s: what becomes of it agrees with the bank, and is definite", async (step) => {
  const each = (["approved", "declined"] as const).flatMap((host) => (["close", "rst"] as const).map((how) => ({ host, how })));
  await Promise.all(
    each.map(async ({ host, how }) => {
      await using station = await openStation();
      const previous = await earlier(station);
      // Of the payment itself: the question before it has a connection of its own.
      const steps = station.steps;
      station.steps = () => {
        const given = steps();
        return {
          ...given,
          armed: async (baseline) => {
            await given.armed(baseline);
            await station.act("disconnectAt", { step, host, how });
          },
        };
      };
      const outcome = await station.pay({ previous });
      const what = `${step} ${host} ${how}`;
      expectTrue(outcome, station.net() - AMOUNT, what);
      expect(outcome.state, what).not.toBe("manual_review");
      // Once all is said the terminal may take its time to end the connection.
      if (step !== "response-sent") expect(station.simulator.state().faultsPending, what).toBe(0);
    }),
  );
});

it.each(STEP_NAMES.slice(2))("the terminal restarts at %s: what becomes of it agrees with the bank", async (step) => {
  // Without notices nothing but the witness shows that the terminal has lost its memory.
  const hosts = [
    ["approved", true],
    ["approved", false],
    ["declined", true],
  ] as const;
  await Promise.all(
    (["kept", "lost"] as const).flatMap((history) =>
      hosts.map(async ([host, notices]) => {
        await using station = await openStation({}, { notices });
        const previous = await earlier(station);
        await station.inject({ fault: "reboot", step, history, host, category: "Payment" });
        const outcome = await station.pay({ previous });
        const what = `${step} ${history} ${host} ${notices}`;
        expectTrue(outcome, station.net() - AMOUNT, what);
        if (history === "kept") expect(outcome.state, what).not.toBe("manual_review");
      }),
    ),
  );
});

it.each([
  ["http-refuse", "not_charged"],
  ["http-error", "approved"],
  ["truncated-body", "approved"],
  ["huge-body", "approved"],
  ["garbage", "approved"],
  ["fragments", "approved"],
  ["bad-hmac", "approved"],
  ["wrong-key", "approved"],
  ["wrong-key-version", "approved"],
  ["bad-base64", "approved"],
  ["bad-nonce", "approved"],
  ["no-envelope", "approved"],
  ["wrong-sale-id", "approved"],
  ["wrong-poi-id", "approved"],
  ["wrong-service-id", "approved"],
  ["no-result", "approved"],
  ["wrong-amount", "manual_review"],
  ["partial", "manual_review"],
  ["error", "not_charged"],
  ["silence", "approved"],
])("%s in the answer to a payment ends %s", async (fault, state) => {
  await using station = await openStation();
  const previous = await earlier(station);
  await station.inject({ fault, category: "Payment", ...(fault === "silence" ? { ms: 80_000 } : {}) });
  const outcome = await station.pay({ previous });
  expect(outcome).toMatchObject({ state });
  if (fault !== "partial") expectTrue(outcome, station.net() - AMOUNT, fault);
});

it.each([
  ["status-in-progress", "approved"],
  ["status-other", "approved"],
  ["bad-hmac", "approved"],
])("%s in the answer to the question what became of it ends %s", async (fault, state) => {
  await using station = await openStation();
  const previous = await earlier(station);
  const steps = station.steps;
  station.steps = () => {
    const given = steps();
    return {
      ...given,
      armed: async (baseline) => {
        await given.armed(baseline);
        await station.inject({ fault: "http-error", category: "Payment" });
        await station.inject({ fault, category: "TransactionStatus" });
      },
    };
  };
  expect(await station.pay({ previous })).toMatchObject({ state });
  expect(station.net()).toBe(2 * AMOUNT);
});

it.each(["request-begun", "accepted", "host-answered", "result-ready", "response-begun"])(
  "a reversal whose connection ends at %s agrees with the bank",
  async (step) => {
    await using station = await openStation();
    const paid = await earlier(station);
    const steps = station.steps;
    station.steps = () => {
      const given = steps();
      return {
        ...given,
        armed: async (baseline) => {
          await given.armed(baseline);
          await station.act("disconnectAt", { step });
        },
      };
    };
    const outcome = await station.reverse(paid);
    expect(outcome.state).toBe(station.net() === 0 ? "approved" : "not_charged");
  },
);
