import { expect, it } from "vitest";
import { at, type Bench, openBench, payment, withBench } from "./client.test.support.js";
import { STEP_NAMES } from "./faults.js";

/** Steps at which the terminal does not know that it was to do anything. */
const UNKNOWING = new Set(["connection-accepted", "request-begun"]);
const INSIDE = "RepeatedMessageResponse.RepeatedResponseMessageBody.PaymentResponse.Response.Result";

/** How the sale system sees it end: an answer, the end of its connection, or nothing. */
async function ending(bench: Bench, serviceId: string): Promise<"answer" | "broken" | "nothing"> {
  const leaving = new AbortController();
  const sending = bench.send("Payment", payment(50_000), { serviceId, signal: leaving.signal });
  const seen = sending.then(
    () => "answer" as const,
    () => "broken" as const,
  );
  // Nothing more will come when the fault is used up, the terminal is idle, and it has become quiet.
  const quiet = async (): Promise<"nothing"> => {
    await bench.until(() => bench.terminal.state().faultsPending === 0 && bench.terminal.state().procedure === null);
    for (let turn = 0; turn < 200; turn++) await bench.turn();
    return "nothing";
  };
  const end = await bench.passing(Promise.race([seen, quiet()]));
  leaving.abort();
  await seen;
  return end;
}

it.each(STEP_NAMES.flatMap((step) => (["approved", "declined"] as const).map((host) => [step, host] as const)))(
  "the connections end at %s, the host has %s it: the payment ends as the bank says, and a status request tells",
  async (step, host) => {
    for (const how of ["close", "rst", "half-open"] as const) {
      await withBench({ removeTimeoutMs: 50 }, [], async (bench) => {
        await bench.act("disconnectAt", { step, host, how });
        const seen = await ending(bench, "cut");
        // What was sent whole has arrived, however the connection ended then; an RST may overtake it.
        const whole = step === "response-sent";
        expect(how === "rst" && whole ? "either" : seen).toBe(
          how === "rst" && whole ? "either" : whole ? "answer" : how === "half-open" ? "nothing" : "broken",
        );
        await bench.clock.advance(1_000);
        const told = await bench.status("cut");
        if (UNKNOWING.has(step)) {
          expect([bench.kinds(), at(told, "Response.ErrorCondition")]).toEqual([[], "NotFound"]);
        } else {
          expect(bench.kinds()).toEqual([host === "approved" ? "sale 50000" : "sale 0"]);
          expect(at(told, INSIDE)).toBe(host === "approved" ? "Success" : "Failure");
        }
        expect(at(await bench.pay(), "Response.Result")).toBe("Success");
      });
    }
  },
);

const REVERSAL_STEPS = STEP_NAMES.filter((step) => !/card|connection|request-begun/.test(step));
it.each(REVERSAL_STEPS)("the connections end at %s of a reversal: the host's word counts", async (step) => {
  for (const host of ["approved", "declined"] as const) {
    if (step === "host-answered" && host === "declined") continue;
    await withBench({}, [], async (bench) => {
      const paid = at(await bench.pay(), "POIData.POITransactionID");
      await bench.act("disconnectAt", { step, host });
      const wish = { OriginalPOITransaction: { POITransactionID: paid }, ReversalReason: "MerchantCancel" };
      await bench.passing(bench.send("Reversal", wish, { serviceId: "r" }).catch(() => undefined));
      await bench.clock.advance(1_000);
      expect(bench.kinds()).toEqual(host === "approved" ? ["sale 50000", "reversal -50000"] : ["sale 50000"]);
      const told = await bench.ask("TransactionStatus", { MessageReference: { ServiceID: "r", MessageCategory: "Reversal" } });
      expect(at(told, "RepeatedMessageResponse.RepeatedResponseMessageBody.ReversalResponse.Response.Result")).toBe(
        host === "approved" ? "Success" : "Failure",
      );
    });
  }
});

it("a cut ends every connection, not only the payment's", async () => {
  await withBench({ cardholder: "manual" }, [], async (bench) => {
    const first = bench.send("Payment", payment(50_000)).catch(() => "broken");
    await bench.until(() => bench.terminal.state().step === "accepted");
    await bench.act("unplug");
    expect(await first).toBe("broken");
    expect(bench.terminal.state()).toMatchObject({ attached: false, procedure: "Payment" });
  });
});

it.each(["kept", "lost"] as const)("a restart in mid-payment, history %s", async (history) => {
  for (const step of STEP_NAMES) {
    const bench = await openBench({ removeTimeoutMs: 50 });
    try {
      await bench.pay(40_000, { serviceId: "before" });
      await bench.act("inject", { fault: "reboot", step, history, host: "approved" });
      await bench.passing(bench.send("Payment", payment(50_000), { serviceId: "in" }).catch(() => undefined));
      await expect(bench.send("Diagnosis", {})).rejects.toThrow();
      await bench.clock.advance(1_000);
      const booked = UNKNOWING.has(step) ? ["sale 40000"] : ["sale 40000", "sale 50000"];
      expect(bench.kinds()).toEqual(booked);
      const [before, inside] = [await bench.status("before"), await bench.status("in")];
      const known = history === "kept";
      expect(at(before, "Response.Result")).toBe(known ? "Success" : "Failure");
      expect([step, at(inside, "Response.Result")]).toEqual([step, known && !UNKNOWING.has(step) ? "Success" : "Failure"]);
      if (!known) expect(at(inside, "Response.ErrorCondition")).toBe("NotFound");
    } finally {
      await bench.close();
    }
  }
});

it("a restart while a card is asked for, and nobody says what the host would: nothing is charged", async () => {
  await withBench({ cardholder: "manual" }, [], async (bench) => {
    const paying = bench.send("Payment", payment(50_000), { serviceId: "in" }).catch(() => "broken");
    await bench.until(() => bench.terminal.state().step === "accepted");
    await bench.act("reboot");
    expect(await paying).toBe("broken");
    await bench.clock.advance(1_000);
    const told = await bench.status("in");
    expect(at(told, "RepeatedMessageResponse.RepeatedResponseMessageBody.PaymentResponse.Response.ErrorCondition")).toBe("Aborted");
    expect(bench.kinds()).toEqual([]);
  });
});
