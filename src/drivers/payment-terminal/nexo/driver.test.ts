import { expect, it } from "vitest";
import { DeviceError } from "../../../kernel/errors.js";
import { AMOUNT, approval, createRig, failure, never, POI, type Rig, SETTINGS, sealed } from "./rig.test.support.js";

const count = (events: readonly string[], event: string): number => events.filter((each) => each === event).length;
const TOKEN = /^[\w.:+/-]{0,64}$/;

it("takes a payment, marks before bytes", async () => {
  const rig = await createRig();
  expect(rig.terminal.identity).toEqual({ serial: POI });
  expect(rig.conditions).toEqual([{ state: "ready" }]);
  expect(await rig.pay()).toEqual({
    state: "approved",
    facts: {
      serviceId: expect.stringMatching(/^[0-9A-Za-z]{10}$/),
      transactionId: "BV0q001765198054002.CWBC43ZX2VTFWR82",
      receiptNumber: "BV0q001765198054002",
      terminalId: POI,
      approvedAt: "2026-01-02T03:04:06.000Z",
      amountVnd: AMOUNT,
      cardName: "visa_credit",
      cardLastFour: "1111",
    },
  });
  expect(rig.events).toEqual(["> Diagnosis", "> Diagnosis", "armed", "> Payment", "held", "answering"]);
  expect(rig.record).toMatchObject({
    baseline: { saleId: SETTINGS.saleId, poiId: POI },
    stages: ["checking", "present_card"],
    lines: ["Card **** **** **** 1111", "Thank you"],
  });
  const [request] = rig.requests.slice(-1);
  expect(request.header).toEqual({
    ProtocolVersion: "3.0",
    MessageClass: "Service",
    MessageCategory: "Payment",
    MessageType: "Request",
    ServiceID: rig.record.baseline.serviceId,
    SaleID: SETTINGS.saleId,
    POIID: POI,
  });
  expect(request.body).toMatchObject({
    SaleData: { SaleTransactionID: { TransactionID: "HS-1" }, SaleToAcquirerData: "tenderOption=ReceiveDisplayNotifications" },
    PaymentTransaction: { AmountsReq: { Currency: "VND", RequestedAmount: AMOUNT } },
  });
  expect(JSON.stringify(request)).not.toContain("le phi");
  const kept = { ...rig.record.baseline, ...rig.record.facts };
  for (const fact of Object.values(kept)) expect(String(fact)).toMatch(TOKEN);
  expect(JSON.stringify(kept).length).toBeLessThan(1_500);
});

it("never uses a ServiceID twice", async () => {
  const rig = await createRig();
  const ids = new Set<string>();
  for (let round = 0; round < 20; round++) await rig.pay();
  for (const { header } of rig.requests) ids.add(header.ServiceID);
  expect(ids.size).toBe(rig.requests.length);
});

it("sends no byte of a payment before armed is on disk, and asks for no notices where it may not", async () => {
  const rig = await createRig({ notices: false });
  let allow = (): void => {};
  const armed = (): Promise<void> => new Promise((resolve) => (allow = resolve));
  const paying = rig.terminal.pay({ amountVnd: AMOUNT, reference: "HS-1", description: "" }, rig.steps({ armed }), never);
  await rig.clock.advance(60_000);
  expect(rig.events).not.toContain("> Payment");
  allow();
  expect(await rig.run(paying)).toMatchObject({ state: "approved" });
  expect(rig.requests.at(-1).body.SaleData).not.toHaveProperty("SaleToAcquirerData");
});

it("does not begin where it may not, or was told to stop, or cannot be written down", async () => {
  const rig = await createRig({ maxAmountVnd: 1_000_000 });
  for (const amountVnd of [0, -1, 1.5, 1_000_001, Number.NaN]) expect(await rig.pay({ amountVnd })).toMatchObject({ state: "not_started" });
  const signal = AbortSignal.abort(new DeviceError("canceled"));
  expect(await rig.pay({ signal })).toMatchObject({ state: "not_started", reason: { kind: "canceled" } });
  const full = new DeviceError("journal_unavailable");
  await expect(rig.pay({ steps: { armed: () => Promise.reject(full) } })).rejects.toBe(full);
  // Stopped while the mark was written: nothing has left, and that is known.
  const stop = new AbortController();
  const armed = async (): Promise<void> => stop.abort(new DeviceError("canceled"));
  expect(await rig.pay({ steps: { armed }, signal: stop.signal })).toMatchObject({ state: "cancelled" });
  expect(rig.events).not.toContain("> Payment");
});

it.each([
  ["busy", failure("Busy"), "terminal_busy"],
  ["at work", { body: { Response: { Result: "Success" }, POIStatus: { GlobalStatus: "Busy" } } }, "terminal_busy"],
  ["in maintenance", { body: { Response: { Result: "Success" }, POIStatus: { GlobalStatus: "Maintenance" } } }, "terminal_busy"],
  ["offline", { body: { Response: { Result: "Success" }, POIStatus: { GlobalStatus: "OK", CommunicationOKFlag: false } } }, "device_fault"],
  ["broken", failure("DeviceOut"), "device_fault"],
  ["deaf", "silence", "timeout"],
] as const)("does not begin at a terminal that is %s", async (_, answer, kind) => {
  const rig = await createRig();
  rig.script.Diagnosis = () => answer;
  expect(await rig.pay()).toMatchObject({ state: "not_started", reason: { kind } });
  expect(rig.events).not.toContain("> Payment");
  rig.script.Diagnosis = undefined;
  expect(await rig.pay()).toMatchObject({ state: "approved" });
});

it("notes the payment before as its witness while the terminal knows that one", async () => {
  const rig = await createRig();
  const previous = await rig.earlier();
  await rig.pay({ previous });
  expect(rig.record.baseline.witness).toBe(previous.serviceId);
  expect(rig.requests.at(-2)).toMatchObject({
    body: { MessageReference: { ServiceID: previous.serviceId, MessageCategory: "Payment", POIID: POI } },
  });
  await rig.pay({ previous: { ...previous, terminalId: "other-1" } });
  expect(rig.record.baseline).not.toHaveProperty("witness");
  rig.memory.clear();
  await rig.pay({ previous });
  expect(rig.record.baseline).not.toHaveProperty("witness");
  // Asked about it, it may also say that it is at work.
  for (const word of ["Busy", "InProgress"]) {
    rig.script.TransactionStatus = () => failure(word);
    expect(await rig.pay({ previous })).toMatchObject({ state: "not_started", reason: { kind: "terminal_busy" } });
  }
});

it.each([
  ["Aborted", "cancelled", "canceled"],
  ["Busy", "not_charged", "terminal_busy"],
  ["Cancel", "cancelled", "canceled"],
  ["InsertedCard", "not_charged", "terminal_busy"],
  ["InvalidCard", "declined", "card_error"],
  ["LoggedOut", "not_charged", "device_fault"],
  ["MessageFormat", "not_charged", "unsupported"],
  ["NotAllowed", "not_charged", "unsupported"],
  ["PaymentRestriction", "declined", "card_error"],
  ["Refusal", "declined", "card_error"],
  ["WrongPIN", "declined", "card_error"],
])("%s ends a payment %s", async (condition, state, kind) => {
  const rig = await createRig();
  rig.script.Payment = () => failure(condition);
  expect(await rig.pay()).toMatchObject({ state, reason: { kind, details: { condition } } });
  expect(rig.record).toMatchObject({ step: "armed", facts: undefined });
});

it.each(["DeviceOut", "InProgress", "NotFound", "UnavailableDevice", "UnavailableService", "UnreachableHost", "Surprise", "toString", ""])(
  "%s proves nothing yet: the terminal is asked",
  async (condition) => {
    const rig = await createRig();
    rig.script.Payment = () => failure(condition);
    await expect(rig.pay()).rejects.toMatchObject({ kind: "timeout" });
    expect(rig.record.step).toBe("armed");
  },
);

it.each([
  ["a part of the amount", { ...approval(undefined, 20_000), Response: { Result: "Partial" } }, 20_000],
  ["another amount", approval(undefined, AMOUNT + 1), AMOUNT + 1],
  ["a refund", { ...approval(), PaymentResult: { ...approval().PaymentResult, PaymentType: "Refund" } }, AMOUNT],
])("%s is held, and for a person to look at", async (_, body, amountVnd) => {
  const rig = await createRig();
  rig.script.Payment = () => ({ body });
  expect(await rig.pay()).toMatchObject({ state: "manual_review", facts: { amountVnd } });
  expect(rig.record).toMatchObject({
    step: "held",
    facts: { amountVnd, transactionId: approval().POIData.POITransactionID.TransactionID },
  });
});

it.each([
  ["no amount", { ...approval(), PaymentResult: {} }],
  ["an amount in words", approval(undefined, "50000")],
  ["no transaction", { ...approval(), POIData: {} }],
  ["a card number for a transaction", approval("4111-1111-1111-1111")],
])("an approval with %s is for a person to look at", async (_, body) => {
  const rig = await createRig();
  rig.script.Payment = () => ({ body });
  expect(await rig.pay()).toMatchObject({ state: "manual_review" });
});

it.each(["held", "answering"])("where the mark %s is not written the caller asks later, and finds it approved", async (mark) => {
  const rig = await createRig();
  const full = new DeviceError("journal_unavailable");
  await expect(rig.pay({ steps: { [mark]: () => Promise.reject(full) } })).rejects.toBe(full);
  expect(await rig.resolve()).toMatchObject({ state: "approved" });
});

it("asks to stop, more than once, and goes on until the payment's own word", async () => {
  const rig = await createRig();
  let answer = (_condition: string): void => {};
  const late = new Promise<string>((resolve) => (answer = resolve));
  rig.script.Payment = async () => failure(await late);
  const stop = new AbortController();
  rig.clock.timer(1_000, () => stop.abort(new DeviceError("canceled")));
  rig.clock.timer(8_000, () => answer("Aborted"));
  expect(await rig.pay({ signal: stop.signal })).toMatchObject({ state: "cancelled", reason: { kind: "canceled" } });
  expect(count(rig.events, "> Abort")).toBe(2);
  expect(rig.requests.find(({ header }) => header.MessageCategory === "Abort").body).toEqual({
    AbortReason: "MerchantAbort",
    MessageReference: { MessageCategory: "Payment", ServiceID: rig.record.baseline.serviceId, SaleID: SETTINGS.saleId, POIID: POI },
  });
  await rig.clock.advance(60_000);
  expect(count(rig.events, "> Abort")).toBe(2);
});

it.each([
  ["empty", { raw: "" }],
  ["a promise", { body: { Response: { Result: "Success" } } }],
  ["a refusal", failure("NotFound")],
  ["silent", "silence"],
  ["an error", { raw: "no", status: 500 }],
] as const)("an answer to the wish to stop that is %s means nothing", async (_, answer) => {
  const rig = await createRig();
  rig.script.Abort = () => answer;
  rig.script.Payment = async () => {
    await rig.clock.sleep(30_000);
    return { body: approval() };
  };
  const stop = new AbortController();
  rig.clock.timer(1_000, () => stop.abort(new DeviceError("canceled")));
  expect(await rig.pay({ signal: stop.signal })).toMatchObject({ state: "approved" });
});

/** What is no word on the payment: whoever gets it must ask. */
const NO_WORD: readonly (readonly [what: string, script: (rig: Rig) => void, kind: string])[] = [
  ["silence", (rig) => (rig.script.Payment = () => "silence"), "timeout"],
  ["an HTTP error", (rig) => (rig.script.Payment = () => ({ raw: "", status: 500 })), "device_fault"],
  [
    "an approval with an HTTP error",
    (rig) =>
      (rig.script.Payment = (_, header) => ({
        raw: sealed("SaleToPOIResponse", { ...header, MessageType: "Response" }, "PaymentResponse", approval()),
        status: 500,
      })),
    "device_fault",
  ],
  ["an empty body", (rig) => (rig.script.Payment = () => ({ raw: "" })), "device_fault"],
  [
    "a body without a seal",
    (rig) => (rig.script.Payment = () => ({ raw: JSON.stringify({ SaleToPOIResponse: { PaymentResponse: approval() } }) })),
    "device_fault",
  ],
  [
    "a lost connection",
    (rig) => (rig.script.Payment = () => Promise.reject(new DeviceError("device_absent", { details: { sent: true } }))),
    "device_absent",
  ],
  ["a flood", (rig) => (rig.script.Payment = () => Promise.reject(new DeviceError("too_large"))), "too_large"],
  [
    "another category",
    (rig) => (rig.script.Payment = () => ({ body: approval(), header: { MessageCategory: "Reversal" } })),
    "device_fault",
  ],
  ["another ServiceID", (rig) => (rig.script.Payment = () => ({ body: approval(), header: { ServiceID: "0123456789" } })), "device_fault"],
  ["another SaleID", (rig) => (rig.script.Payment = () => ({ body: approval(), header: { SaleID: "kiosk-2" } })), "device_fault"],
  ["another POIID", (rig) => (rig.script.Payment = () => ({ body: approval(), header: { POIID: "V400m-1" } })), "device_fault"],
  ["our own request", (rig) => (rig.script.Payment = () => ({ body: approval(), header: { MessageType: "Request" } })), "device_fault"],
  ["another class", (rig) => (rig.script.Payment = () => ({ body: approval(), header: { MessageClass: "Event" } })), "device_fault"],
  ["no result", (rig) => (rig.script.Payment = () => ({ body: { Response: {} } })), "device_fault"],
  ["nothing at all", (rig) => (rig.script.Payment = () => ({ body: null })), "device_fault"],
];
it.each(NO_WORD)("%s is no word on a payment", async (_, script, kind) => {
  const rig = await createRig();
  script(rig);
  await expect(rig.pay()).rejects.toMatchObject({ kind });
  expect(rig.record.step).toBe("armed");
  expect(count(rig.events, "> Payment")).toBe(1);
});

it("knows that nothing was charged where no byte left", async () => {
  const rig = await createRig();
  rig.script.Payment = () => Promise.reject(new DeviceError("device_absent", { details: { sent: false } }));
  expect(await rig.pay()).toMatchObject({ state: "not_charged", reason: { kind: "device_absent" } });
});

it("takes a payment back by the terminal's name for it, with the same marks", async () => {
  const rig = await createRig();
  const paid = await rig.earlier();
  rig.events.length = 0;
  const reverse = (facts = paid, amountVnd = AMOUNT) => rig.run(rig.terminal.reverse(facts, amountVnd, rig.steps(), never));
  expect(await reverse()).toMatchObject({
    state: "approved",
    facts: { transactionId: "R1.CANCEL", originalTransactionId: paid.transactionId },
  });
  expect(rig.events).toEqual(["> TransactionStatus", "armed", "> Reversal", "held", "answering"]);
  expect(rig.requests.at(-1).body).toEqual({
    OriginalPOITransaction: { POITransactionID: { TransactionID: paid.transactionId, TimeStamp: paid.approvedAt } },
    ReversalReason: "MerchantCancel",
  });
  expect(rig.record.baseline.witness).toBe(paid.serviceId);
  for (const [condition, state] of [
    ["NotFound", "not_charged"],
    ["NotAllowed", "not_charged"],
    ["Refusal", "declined"],
    ["Busy", "not_charged"],
  ] as const) {
    rig.script.Reversal = () => failure(condition);
    expect(await reverse()).toMatchObject({ state });
  }
  rig.script.Reversal = () => failure("UnreachableHost");
  await expect(reverse()).rejects.toMatchObject({ kind: "timeout" });
  rig.script.Reversal = () => ({ body: { Response: { Result: "Success" }, ReversedAmount: 1 } });
  expect(await reverse()).toMatchObject({ state: "manual_review", facts: { amountVnd: 1 } });
  const other = { POITransactionID: { TransactionID: "another" } };
  rig.script.Reversal = () => ({ body: { Response: { Result: "Success" }, OriginalPOITransaction: other } });
  expect(await reverse()).toMatchObject({ state: "manual_review" });
  expect(await reverse({ serviceId: "a" })).toMatchObject({ state: "not_started", reason: { kind: "unsupported" } });
  expect(await reverse({ ...paid, terminalId: "other-1" })).toMatchObject({ state: "not_started" });
});

it("counts, with a new day or without", async () => {
  const rig = await createRig();
  const totals = (type: string, TransactionCount: number, TransactionAmount: number, PaymentCurrency = "VND") => ({
    PaymentInstrumentType: "Card",
    PaymentCurrency,
    PaymentTotals: [{ TransactionType: type, TransactionCount, TransactionAmount }],
  });
  const day = [totals("Debit", 3, 150_000), totals("ReverseDebit", 1, 50_000), totals("Declined", 9, 1), totals("Failed", 1, 1, "EUR")];
  rig.script.GetTotals = () => ({ body: { Response: { Result: "Success" }, TransactionTotals: day } });
  rig.script.Reconciliation = ({ ReconciliationType }) => {
    expect(ReconciliationType).toBe("SaleReconciliation");
    return { body: { Response: { Result: "Success" } } };
  };
  expect(await rig.run(rig.terminal.totals(false, never))).toEqual({ count: 2, sumVnd: 100_000 });
  expect(await rig.run(rig.terminal.totals(true, never))).toEqual({ count: 0, sumVnd: 0 });
  rig.script.GetTotals = () => ({ body: { Response: { Result: "Success" }, TransactionTotals: [totals("Debit", 1, 5, "EUR")] } });
  await expect(rig.run(rig.terminal.totals(false, never))).rejects.toMatchObject({ kind: "device_fault" });
  for (const [condition, kind] of [
    ["Busy", "terminal_busy"],
    ["LoggedOut", "unsupported"],
    ["UnavailableService", "unsupported"],
  ] as const) {
    rig.script.GetTotals = () => failure(condition);
    await expect(rig.run(rig.terminal.totals(false, never))).rejects.toMatchObject({ kind });
  }
});

it("tells how it stands, and notices that the terminal is gone", async () => {
  const rig = await createRig();
  expect(await rig.run(rig.terminal.selfTest(never))).toMatchObject([{ ok: true }, { ok: true }]);
  rig.script.Diagnosis = () => failure("Busy");
  await rig.clock.advance(61_000);
  expect(rig.conditions.at(-1)).toMatchObject({ state: "attention", reason: { kind: "terminal_busy" } });
  expect(await rig.run(rig.terminal.selfTest(never))).toMatchObject([{ ok: true }, { ok: false }]);
  rig.script.Diagnosis = undefined;
  await rig.clock.advance(61_000);
  expect(rig.conditions.at(-1)).toEqual({ state: "ready" });
  expect(rig.conditions).toHaveLength(3);
  rig.script.Diagnosis = () => "silence";
  await rig.clock.advance(61_000);
  expect(await rig.run(rig.terminal.lost)).toMatchObject({ kind: "timeout" });
  await expect(rig.pay()).rejects.toMatchObject({ kind: "timeout" });
});

it("asks nobody how it stands while a payment is under way", async () => {
  const rig = await createRig();
  rig.script.Payment = async () => {
    await rig.clock.sleep(110_000);
    return { body: approval() };
  };
  await rig.pay();
  expect(count(rig.events, "> Diagnosis")).toBe(2);
});

it("opens only at a terminal that has the key and the name", async () => {
  for (const [key, value] of [
    ["passphrase", "another"],
    ["keyVersion", 3],
    ["keyIdentifier", "other"],
  ] as const) {
    await expect(createRig({ [key]: value })).rejects.toMatchObject({ kind: expect.stringMatching(/device_fault|internal/) });
  }
  const rig = await createRig();
  rig.script.Diagnosis = () => ({ body: { Response: { Result: "Success" } }, header: { POIID: "V400m-1" } });
  await expect(rig.run(rig.open())).rejects.toMatchObject({ kind: "device_fault", hint: expect.stringMatching(/poiId/) });
  expect(rig.closed).toBe(true);
});

it("ends what is under way when it is closed, or its signal aborts, and leaves no link", async () => {
  const rig = await createRig();
  rig.script.Payment = () => "silence";
  const paying = rig.pay();
  rig.clock.timer(5_000, () => void rig.terminal.close());
  await expect(paying).rejects.toMatchObject({ kind: "device_absent" });
  await rig.terminal.close();
  expect(rig.closed).toBe(true);
  const reason = new DeviceError("shutting_down");
  await expect(rig.open(AbortSignal.abort(reason))).rejects.toBe(reason);
  const controller = new AbortController();
  rig.script.Diagnosis = () => {
    controller.abort(reason);
    return "silence";
  };
  await expect(rig.run(rig.open(controller.signal))).rejects.toBe(reason);
  expect(rig.closed).toBe(true);
});
