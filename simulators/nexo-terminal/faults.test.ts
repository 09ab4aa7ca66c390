import { expect, it } from "vitest";
import { type Answer, at, type Bench, KEY, openDisplay, payment, withBench } from "./client.test.support.js";
import { ERROR_CONDITIONS, FAULT_NAMES, type Fault, type FaultName } from "./faults.js";
import { INDISCREET_TEXT, SECRETS } from "./indiscreet.js";

interface Case {
  /** A payment (number "f", 50,000 đồng) with this fault. */
  readonly fault: Partial<Fault> & { readonly fault: FaultName };
  readonly given?: Record<string, unknown>;
  /** `rejected`: no whole answer came. */
  readonly check: (answer: Answer | "rejected", bench: Bench) => void | Promise<void>;
}

const paid = (bench: Bench): void => expect(bench.kinds()).toEqual(["sale 50000"]);
const rejected = (answer: Answer | "rejected", bench: Bench): void => {
  expect(answer).toBe("rejected");
  paid(bench);
};
const inside = (answer: Answer | "rejected", path: string): unknown => (answer === "rejected" ? answer : at(answer.open(), path));
const outside = (answer: Answer | "rejected", path: string): unknown =>
  answer === "rejected" ? answer : at(answer.outside, `SaleToPOIResponse.${path}`);
const REPEATED = "RepeatedMessageResponse.RepeatedResponseMessageBody.PaymentResponse";
const NOTIFY = payment(60_000, { SaleToAcquirerData: "tenderOption=ReceiveDisplayNotifications" });

const CASES: readonly Case[] = [
  ...(["foreign-certificate", "wrong-name", "expired-certificate"] as const).map(
    (fault): Case => ({
      fault: { fault },
      check(answer, bench) {
        expect([answer, bench.kinds()]).toEqual(["rejected", []]);
      },
    }),
  ),
  { fault: { fault: "disconnect" }, check: rejected },
  {
    fault: { fault: "http-refuse" },
    check(answer, bench) {
      expect([answer !== "rejected" && answer.status, bench.kinds()]).toEqual([503, []]);
    },
  },
  {
    fault: { fault: "http-error", code: 502 },
    check(answer, bench) {
      expect(answer !== "rejected" && answer.status).toBe(502);
      paid(bench);
    },
  },
  { fault: { fault: "truncated-body" }, check: rejected },
  {
    fault: { fault: "huge-body", bytes: 5_000_000 },
    check(answer, bench) {
      expect(answer !== "rejected" && answer.text.length).toBeGreaterThan(5_000_000);
      paid(bench);
    },
  },
  { fault: { fault: "garbage" }, check: rejected },
  {
    fault: { fault: "fragments" },
    check(answer, bench) {
      expect(inside(answer, "PaymentResponse.Response.Result")).toBe("Success");
      paid(bench);
    },
  },
  {
    fault: { fault: "bad-hmac" },
    check(answer, bench) {
      expect(() => inside(answer, "")).toThrow(/Hmac/);
      paid(bench);
    },
  },
  {
    fault: { fault: "wrong-key" },
    check(answer, bench) {
      expect(() => inside(answer, "")).toThrow();
      paid(bench);
    },
  },
  {
    fault: { fault: "wrong-key-version" },
    check(answer) {
      expect(outside(answer, "SecurityTrailer.KeyVersion")).toBe(2);
    },
  },
  {
    fault: { fault: "bad-base64" },
    check(answer) {
      expect(outside(answer, "NexoBlob")).toMatch(/^%/);
    },
  },
  {
    fault: { fault: "bad-nonce" },
    check(answer) {
      expect(String(outside(answer, "SecurityTrailer.Nonce"))).toHaveLength(8);
    },
  },
  {
    fault: { fault: "no-envelope" },
    check(answer) {
      expect(outside(answer, "PaymentResponse.Response.Result")).toBe("Success");
    },
  },
  {
    fault: { fault: "no-result" },
    async check(answer, bench) {
      expect(inside(answer, "PaymentResponse.Response.Result")).toBeUndefined();
      paid(bench);
      await bench.act("inject", { fault: "no-result", category: "TransactionStatus" });
      const told = await bench.status("f");
      expect([at(told, "Response.Result"), at(told, `${REPEATED}.Response.Result`)]).toEqual(["Success", undefined]);
    },
  },
  {
    fault: { fault: "wrong-amount" },
    async check(answer, bench) {
      expect(inside(answer, "PaymentResponse.PaymentResult.AmountsResp.AuthorizedAmount")).toBe(50_001);
      paid(bench);
      await bench.act("inject", { fault: "wrong-amount", category: "TransactionStatus" });
      expect(at(await bench.status("f"), `${REPEATED}.PaymentResult.AmountsResp.AuthorizedAmount`)).toBe(50_001);
      expect(at(await bench.status("f"), `${REPEATED}.PaymentResult.AmountsResp.AuthorizedAmount`)).toBe(50_000);
    },
  },
  {
    fault: { fault: "partial" },
    check(answer, bench) {
      expect(inside(answer, "PaymentResponse.Response.Result")).toBe("Partial");
      expect(inside(answer, "PaymentResponse.PaymentResult.AmountsResp.AuthorizedAmount")).toBe(25_000);
      expect(bench.kinds()).toEqual(["sale 25000"]);
    },
  },
  {
    fault: { fault: "partial", amountVnd: 1, result: "Success" },
    check(answer, bench) {
      expect(inside(answer, "PaymentResponse.Response.Result")).toBe("Success");
      expect(bench.kinds()).toEqual(["sale 1"]);
    },
  },
  ...(
    [
      ["wrong-sale-id", "SaleID", "STATION-1"],
      ["wrong-poi-id", "POIID", "V400m-346403161"],
      ["wrong-service-id", "ServiceID", "f"],
    ] as const
  ).map(
    ([fault, field, right]): Case => ({
      fault: { fault },
      check(answer, bench) {
        expect(inside(answer, `MessageHeader.${field}`)).not.toBe(right);
        expect(outside(answer, `MessageHeader.${field}`)).toBe(inside(answer, `MessageHeader.${field}`));
        paid(bench);
      },
    }),
  ),
  {
    fault: { fault: "status-not-found", times: 2 },
    async check(_answer, bench) {
      const told = [await bench.status("f"), await bench.status("f"), await bench.status("f")];
      expect(told.map((one) => at(one, "Response.ErrorCondition"))).toEqual(["NotFound", "NotFound", undefined]);
    },
  },
  {
    fault: { fault: "status-in-progress", times: 1_000_000 },
    async check(_answer, bench) {
      for (let time = 0; time < 3; time++) {
        expect(at(await bench.status("f"), "Response.ErrorCondition")).toBe("InProgress");
        await bench.clock.advance(3_600_000);
      }
    },
  },
  {
    fault: { fault: "status-other" },
    async check(_answer, bench) {
      await bench.pay(60_000, { serviceId: "g" });
      const told = await bench.status("g");
      expect(at(told, "RepeatedMessageResponse.MessageHeader.ServiceID")).toBe("f");
      expect(at(told, `${REPEATED}.PaymentResult.AmountsResp.AuthorizedAmount`)).toBe(50_000);
      expect(at(await bench.status("g"), "RepeatedMessageResponse.MessageHeader.ServiceID")).toBe("g");
    },
  },
  {
    fault: { fault: "indiscreet" },
    async check(answer, bench) {
      const card = "PaymentResponse.PaymentResult.PaymentInstrumentData.CardData";
      expect(inside(answer, `${card}.PAN`)).toBe(SECRETS.pan);
      expect(inside(answer, `${card}.TrackData.1.TrackValue`)).toBe(SECRETS.track2);
      expect(inside(answer, `${card}.SensitiveCardData.CVV`)).toBe("4711");
      const told = (path: string): URLSearchParams => new URLSearchParams(String(inside(answer, path)));
      expect(told("PaymentResponse.Response.AdditionalResponse").get("refusalReason")).toBe(INDISCREET_TEXT);
      expect(JSON.stringify(inside(answer, "PaymentResponse.PaymentReceipt"))).toContain(`value=${encodeURIComponent(SECRETS.spacedPan)}`);
      expect(inside(answer, "PaymentResponse.Response.Result")).toBe("Success");
      paid(bench);
      expect(JSON.stringify(await bench.status("f"))).not.toContain(SECRETS.pan);
      await bench.act("inject", { fault: "indiscreet", category: "TransactionStatus" });
      expect(at(await bench.status("f"), `${REPEATED}.PaymentResult.PaymentInstrumentData.CardData.PAN`)).toBe(SECRETS.pan);
    },
  },
  {
    fault: { fault: "accept-duplicate" },
    async check(_answer, bench) {
      await bench.pay(50_000, { serviceId: "f" });
      expect(bench.kinds()).toEqual(["sale 50000", "sale 50000"]);
    },
  },
];

/** Those that need more than a payment: their own tests are below, or in disconnect.test.ts. */
const ELSEWHERE: readonly FaultName[] = [
  "silence",
  "error",
  "abort-ignored",
  "approve-races-abort",
  "duplicate-notification",
  "notification-lost",
  "notification-flood",
  "reboot",
];

it("every fault has its test", () => {
  expect(new Set([...CASES.map(({ fault }) => fault.fault), ...ELSEWHERE])).toEqual(new Set(FAULT_NAMES));
});

it.each(CASES.map((one) => [JSON.stringify(one.fault), one] as const))("fault %s", async (_name, { fault, given, check }) => {
  await withBench(given ?? {}, [fault], async (bench) => {
    const answer = await bench.passing(bench.send("Payment", payment(50_000), { serviceId: "f" }).catch(() => "rejected" as const));
    await check(answer, bench);
    await bench.act("clearFaults");
    // It was passing: the next one goes well.
    expect(at(await bench.pay(), "Response.Result")).toBe("Success");
  });
});

it.each(ERROR_CONDITIONS)("a terminal that says %s at once charges nothing, and the host can say it too", async (condition) => {
  await withBench({}, [{ fault: "error", condition }], async (bench) => {
    expect(at(await bench.pay(50_000, { serviceId: "e" }), "Response.ErrorCondition")).toBe(condition);
    expect(bench.kinds()).toEqual([]);
    expect(at(await bench.status("e"), `${REPEATED}.Response.ErrorCondition`)).toBe(condition);
    await bench.act("decline", { condition });
    expect(at(await bench.pay(), "Response.ErrorCondition")).toBe(condition);
    expect(bench.kinds()).toEqual(["sale 0"]);
  });
});

it("silence longer than a sale system waits: the payment is made all the same", async () => {
  await withBench({}, [{ fault: "silence" }], async (bench) => {
    const paying = bench.send("Payment", payment(50_000), { serviceId: "s" });
    await bench.until(() => bench.terminal.state().step === "accepted");
    await bench.clock.advance(190_000);
    expect(at(await bench.status("s"), "Response.ErrorCondition")).toBe("InProgress");
    await bench.clock.advance(10_000);
    expect(at((await bench.passing(paying)).open(), "PaymentResponse.Response.Result")).toBe("Success");
  });
});

it.each(["abort-ignored", "approve-races-abort"] as const)("%s", async (fault) => {
  await withBench({ cardholder: "manual" }, [{ fault }], async (bench) => {
    const paying = bench.send("Payment", payment(50_000), { serviceId: "a" });
    await bench.until(() => bench.terminal.state().step === "accepted");
    const wish = { AbortReason: "MerchantAbort", MessageReference: { ServiceID: "a", MessageCategory: "Payment" } };
    expect((await bench.send("Abort", wish)).text).toBe("");
    if (fault === "abort-ignored") {
      expect(bench.terminal.state()).toMatchObject({ step: "accepted", faultsPending: 0 });
      await bench.act("present");
      await bench.act("approve");
    }
    expect(at((await bench.passing(paying)).open(), "PaymentResponse.Response.Result")).toBe("Success");
    paid(bench);
  });
});

it("a fault of the envelope of display notifications is not one of the response", async () => {
  const display = await openDisplay();
  try {
    await withBench({ notifyUrl: display.url }, [{ fault: "bad-hmac", category: "Display" }, { fault: "bad-base64" }], async (bench) => {
      const answer = await bench.passing(bench.send("Payment", NOTIFY));
      expect(outside(answer, "NexoBlob")).toMatch(/^%/);
      await bench.until(() => display.bodies.length === 6);
      expect(() => display.references()).toThrow("wrong Hmac");
      display.bodies.shift();
      expect(display.references()).toHaveLength(5);
    });
  } finally {
    await display.close();
  }
});

it("as long as it is indiscreet, its notifications and error texts tell of the card, too", async () => {
  const display = await openDisplay();
  try {
    await withBench({ notifyUrl: display.url }, [{ fault: "indiscreet" }], async (bench) => {
      const stranger = await bench.send("Payment", payment(50_000), { key: { ...KEY, Passphrase: "another" } });
      expect([stranger.status, stranger.text]).toEqual([401, expect.stringContaining(SECRETS.pan)]);
      expect(at(await bench.ask("Payment", NOTIFY), "Response.Result")).toBe("Success");
      await bench.until(() => display.bodies.length === 6);
      for (const text of display.references()) expect(new URLSearchParams(text).get("message")).toBe(INDISCREET_TEXT);
    });
  } finally {
    await display.close();
  }
});

it.each([
  ["duplicate-notification", {}, 7],
  ["notification-lost", {}, 5],
  ["notification-flood", { count: 40 }, 45],
] as const)("%s", async (fault, more, count) => {
  const display = await openDisplay();
  try {
    await withBench({ notifyUrl: display.url }, [{ fault, ...more }], async (bench) => {
      expect(at(await bench.ask("Payment", NOTIFY), "Response.Result")).toBe("Success");
      await bench.until(() => display.bodies.length >= count);
      const events = display.references().map((text) => new URLSearchParams(text).get("event"));
      expect(events.filter((event) => event === "TENDER_CREATED")).toHaveLength(count - 5);
      expect(events).toHaveLength(count);
    });
  } finally {
    await display.close();
  }
});
