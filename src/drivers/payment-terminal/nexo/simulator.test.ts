import { expect, it } from "vitest";
import { STEP_NAMES } from "../../../../simulators/nexo-terminal/faults.js";
import { faultRow } from "../../../../test/support/fault.js";
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

faultRow({
  device: "nexo",
  fault: "The bank says no, the PIN is wrong three times, the cardholder cancels",
  knobs: ["nexo-terminal.decline"],
  sees: "`declined`, `cancelled` or `not_charged`",
  does: "leaves the terminal free for another card",
  back: "at once",
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

faultRow({
  device: "nexo",
  fault: "The page or the cardholder wants to stop, and the terminal does not listen, or the card was faster",
  knobs: ["nexo-terminal.abort-ignored", "nexo-terminal.approve-races-abort"],
  sees: "`approved`: the terminal's word",
  does: "asks the terminal to stop, more than once, and goes by its word",
  back: "the terminal has answered",
});
it.each(["abort-ignored", "approve-races-abort"])("%s: what the terminal says in the end counts", async (fault) => {
  await using station = await openStation();
  await station.inject({ fault });
  const stop = new AbortController();
  const steps = station.steps;
  station.steps = () => {
    const given = steps();
    const armed: typeof given.armed = async (baseline) => {
      await given.armed(baseline);
      station.clock.timer(500, () => stop.abort(new DeviceError("canceled")));
    };
    return { ...given, armed };
  };
  expect(await station.pay({ signal: stop.signal })).toMatchObject({ state: "approved" });
  expect(station.net()).toBe(AMOUNT);
});

faultRow({
  device: "nexo",
  fault: "Notices of how a payment goes come twice, in floods, or not at all",
  knobs: ["nexo-terminal.duplicate-notification", "nexo-terminal.notification-lost", "nexo-terminal.notification-flood"],
  sees: "nothing of it, or a stage less: `approved`",
  does: "shows them, and goes by the result alone",
  back: "at once",
});
it.each(["duplicate-notification", "notification-lost", "notification-flood"])("%s changes nothing about the payment", async (fault) => {
  await using station = await openStation();
  await station.inject({ fault, times: 100 });
  expect(await station.pay()).toMatchObject({ state: "approved" });
  expect(station.net()).toBe(AMOUNT);
});

faultRow({
  device: "nexo",
  fault: "Certificate of another authority or terminal, or one that has expired",
  knobs: ["nexo-terminal.foreign-certificate", "nexo-terminal.wrong-name", "nexo-terminal.expired-certificate"],
  sees: "`not_started`, `device_fault`",
  does: "sends nothing to it",
  back: "the certificate is put right",
});
it("refuses a terminal with another's certificate before anything leaves", async () => {
  await using station = await openStation();
  for (const fault of ["foreign-certificate", "wrong-name", "expired-certificate"]) {
    await station.inject({ fault });
    expect(await station.pay()).toMatchObject({ state: "not_started", reason: { kind: "device_fault" } });
  }
  expect(station.ledger()).toEqual([]);
});

faultRow({
  device: "nexo",
  fault: "The connection ends at any of the eleven steps of a payment",
  knobs: ["nexo-terminal.disconnectAt", "nexo-terminal.disconnect"],
  sees: "what the bank has booked; never `manual_review`",
  does: "asks the terminal by the order's number what became of it",
  back: "the network is there",
  bounds: ["nexoSettled", "paymentAsked"],
  also: "npm run torture:pay",
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

faultRow({
  device: "nexo",
  fault: "The terminal restarts in mid-payment",
  knobs: ["nexo-terminal.reboot"],
  sees: "what the bank has booked; `manual_review` only where it has lost its memory",
  does: "asks what became of it, and whether the payment before is still known",
  back: "it is up again",
  bounds: ["nexoSettled", "tryAgain"],
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

faultRow({
  device: "nexo",
  fault: "The answer is lost, cut, huge or garbage",
  knobs: [
    "nexo-terminal.http-error",
    "nexo-terminal.truncated-body",
    "nexo-terminal.huge-body",
    "nexo-terminal.garbage",
    "nexo-terminal.fragments",
    "nexo-terminal.no-result",
  ],
  sees: "`approved`: what the terminal says when it is asked again",
  does: "believes no broken answer, and asks what became of the payment",
  back: "at once",
});
faultRow({
  device: "nexo",
  fault: "The answer is not sealed as it must be, or is another's",
  knobs: [
    "nexo-terminal.bad-hmac",
    "nexo-terminal.wrong-key",
    "nexo-terminal.wrong-key-version",
    "nexo-terminal.bad-base64",
    "nexo-terminal.bad-nonce",
    "nexo-terminal.no-envelope",
    "nexo-terminal.wrong-sale-id",
    "nexo-terminal.wrong-poi-id",
    "nexo-terminal.wrong-service-id",
  ],
  sees: "`approved`: what a sealed answer says when it is asked again",
  does: "believes nothing that is not sealed with the shared key for this order",
  back: "at once",
});
faultRow({
  device: "nexo",
  fault: "The terminal says at once that it is busy",
  knobs: ["nexo-terminal.error"],
  sees: "`not_charged`",
  does: "refuses: nothing was charged",
  back: "the terminal is free",
  case: ["error", "not_charged"],
});
faultRow({
  device: "nexo",
  fault: "The terminal answers an order with an error of HTTP, and does not obey it",
  knobs: ["nexo-terminal.http-refuse"],
  sees: "`not_charged`",
  does: "asks what became of the order until it can no longer turn up",
  bounds: ["nexoSettled"],
  case: ["http-refuse", "not_charged"],
});
faultRow({
  device: "nexo",
  fault: "The bank approves another amount than was asked",
  knobs: ["nexo-terminal.wrong-amount", "nexo-terminal.partial"],
  sees: "`manual_review`",
  does: "never takes it for the payment: a person gives back or collects",
  back: "a person",
});
faultRow({
  device: "nexo",
  fault: "The terminal falls silent in mid-payment",
  knobs: ["nexo-terminal.silence"],
  sees: "`approved`, if it was",
  does: "waits, then asks what became of it",
  bounds: ["nexoSilence", "paymentAsked"],
});
faultRow({
  device: "nexo",
  fault: "The terminal would obey one order twice",
  knobs: ["nexo-terminal.accept-duplicate"],
  sees: "one charge: `approved`",
  does: "uses no order's number twice, and sends no order again",
  back: "–",
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
  ["accept-duplicate", "approved"],
])("%s in the answer to a payment ends %s", async (fault, state) => {
  await using station = await openStation();
  const previous = await earlier(station);
  await station.inject({ fault, category: "Payment", ...(fault === "silence" ? { ms: 80_000 } : {}) });
  const outcome = await station.pay({ previous });
  expect(outcome).toMatchObject({ state });
  if (fault !== "partial") expectTrue(outcome, station.net() - AMOUNT, fault);
});

faultRow({
  device: "nexo",
  fault: "The question what became of it is answered wrongly, or with “in progress”",
  knobs: ["nexo-terminal.status-in-progress", "nexo-terminal.status-other"],
  sees: "`approved`: in the end what the bank has booked",
  does: "believes no other payment's answer, and asks again",
  bounds: ["paymentAsked"],
});
faultRow({
  device: "nexo",
  fault: "The terminal says once that it does not know a payment which it has",
  knobs: ["nexo-terminal.status-not-found"],
  sees: "`approved`: in the end what the bank has booked",
  does: "believes no “unknown” before the order can no longer turn up",
  bounds: ["nexoSettled"],
});
it.each([
  ["status-in-progress", "approved"],
  ["status-other", "approved"],
  ["status-not-found", "approved"],
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
