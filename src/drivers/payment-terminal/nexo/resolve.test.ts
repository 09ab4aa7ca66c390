import { describe, expect, it } from "vitest";
import type { InterruptedPayment } from "../../../contracts/payment-terminal.js";
import { DeviceError } from "../../../kernel/errors.js";
import { AMOUNT, approval, createRig, failure, POI, type Rig, SETTINGS } from "./rig.test.support.js";

const MINUTES = 60_000;
const asked = (rig: Rig): number => rig.events.filter((event) => event === "> TransactionStatus").length;

/** A payment whose answer got lost; the terminal remembers `body`, or never had it. */
async function lost(rig: Rig, body: unknown, witness = true): Promise<void> {
  const previous = witness ? await rig.earlier() : undefined;
  rig.script.Payment = (_, header) => {
    if (body !== undefined) rig.memory.set(header.ServiceID, { category: "Payment", body });
    return { raw: "", status: 502 };
  };
  await expect(rig.pay({ ...(previous ? { previous } : {}) })).rejects.toMatchObject({ kind: "device_fault" });
  rig.events.length = 0;
}

it("finds what was approved, at once", async () => {
  const rig = await createRig();
  await lost(rig, approval());
  expect(await rig.resolve()).toMatchObject({ state: "approved", facts: { serviceId: rig.record.baseline.serviceId, amountVnd: AMOUNT } });
  expect(rig.events).toEqual(["> TransactionStatus"]);
  const { header, body } = rig.requests.at(-1);
  expect(header.ServiceID).not.toBe(rig.record.baseline.serviceId);
  expect(body.MessageReference).toEqual({
    MessageCategory: "Payment",
    ServiceID: rig.record.baseline.serviceId,
    SaleID: SETTINGS.saleId,
    POIID: POI,
  });
});

it("asks for a payment whose result it holds as well", async () => {
  const rig = await createRig();
  await lost(rig, approval());
  const facts = { transactionId: approval().POIData.POITransactionID.TransactionID };
  expect(await rig.resolve({ step: "answering", facts })).toMatchObject({ state: "approved" });
  expect(await rig.resolve({ step: "held", facts: { transactionId: "another" } })).toMatchObject({ state: "manual_review" });
  rig.memory.set(String(rig.record.baseline.serviceId), {
    category: "Payment",
    body: { Response: { Result: "Failure", ErrorCondition: "Refusal" } },
  });
  expect(await rig.resolve({ step: "held", facts })).toMatchObject({ state: "manual_review" });
});

it.each([
  ["Refusal", "declined"],
  ["Cancel", "cancelled"],
  ["Busy", "not_charged"],
])("finds %s: %s", async (condition, state) => {
  const rig = await createRig();
  await lost(rig, { Response: { Result: "Failure", ErrorCondition: condition } });
  expect(await rig.resolve()).toMatchObject({ state });
});

it.each([
  ["UnreachableHost", "not_charged"],
  ["DeviceOut", "not_charged"],
  ["UnavailableDevice", "not_charged"],
  ["UnavailableService", "not_charged"],
  ["InProgress", "manual_review"],
  ["Surprise", "manual_review"],
])("believes %s only when it can no longer change: %s", async (condition, state) => {
  const rig = await createRig();
  await lost(rig, { Response: { Result: "Failure", ErrorCondition: condition } });
  await expect(rig.resolve()).rejects.toMatchObject({ kind: "terminal_busy" });
  await rig.clock.advance(2 * MINUTES);
  expect(await rig.resolve()).toMatchObject({ state });
});

it.each([
  ["another amount", approval(undefined, 1)],
  ["nothing readable", "what?"],
  ["no result", {}],
  ["a part", { ...approval(undefined, 20_000), Response: { Result: "Partial" } }],
])("leaves an answer with %s to a person", async (_, body) => {
  const rig = await createRig();
  await lost(rig, body);
  expect(await rig.resolve()).toMatchObject({ state: "manual_review" });
});

it.each([
  ["ServiceID", "0123456789"],
  ["SaleID", "kiosk-2"],
  ["POIID", "V400m-1"],
  ["MessageCategory", "Reversal"],
])("believes no repeated answer of another %s", async (name, value) => {
  const rig = await createRig();
  await lost(rig, approval());
  rig.script.TransactionStatus = (request, header) => {
    const repeated = { ...header, MessageCategory: "Payment", ServiceID: request.MessageReference.ServiceID, [name]: value };
    const RepeatedMessageResponse = { MessageHeader: repeated, RepeatedResponseMessageBody: { PaymentResponse: approval() } };
    return { body: { Response: { Result: "Success" }, RepeatedMessageResponse } };
  };
  expect(await rig.resolve()).toMatchObject({ state: "manual_review" });
});

it("waits while it is in progress, and rejects to be asked again", async () => {
  const rig = await createRig();
  await lost(rig, approval());
  let left = 11;
  const known = rig.script.TransactionStatus;
  rig.script.TransactionStatus = () => {
    if (--left === 0) rig.script.TransactionStatus = known;
    return failure("InProgress");
  };
  await expect(rig.resolve()).rejects.toMatchObject({ kind: "terminal_busy" });
  expect(asked(rig)).toBe(8);
  expect(await rig.resolve()).toMatchObject({ state: "approved" });
  expect(asked(rig)).toBe(12);
});

describe("what the terminal does not know", () => {
  it("was not charged, after the time, twice, and while the payment before is still known", async () => {
    const rig = await createRig();
    await lost(rig, undefined);
    const { markedAt } = rig.record;
    await expect(rig.resolve()).rejects.toMatchObject({ kind: "terminal_busy", details: { waitMs: expect.any(Number) } });
    expect(await rig.settle()).toMatchObject({ state: "not_charged" });
    expect(rig.clock.now() - markedAt).toBeGreaterThanOrEqual(2 * MINUTES);
    // Ours twice, then the witness.
    const references = rig.requests.slice(-3).map(({ body }) => body.MessageReference.ServiceID);
    expect(references).toEqual([rig.record.baseline.serviceId, rig.record.baseline.serviceId, rig.record.baseline.witness]);
  });

  it("may still turn up", async () => {
    const rig = await createRig();
    await lost(rig, undefined);
    await rig.clock.advance(3 * MINUTES);
    let first = true;
    rig.script.TransactionStatus = (request, header) => {
      if (first) {
        first = false;
        rig.script.TransactionStatus = undefined;
        rig.memory.set(request.MessageReference.ServiceID, { category: "Payment", body: approval() });
      }
      return failure(header ? "NotFound" : "");
    };
    expect(await rig.resolve()).toMatchObject({ state: "approved" });
  });

  it("waits by the other clock where the wall clock was turned, or the agent began anew", async () => {
    const rig = await createRig();
    await lost(rig, undefined);
    const before = { markedAt: rig.record.markedAt - 60 * MINUTES };
    await expect(rig.resolve(before)).rejects.toMatchObject({ kind: "terminal_busy" });
    await rig.clock.advance(3 * MINUTES);
    await rig.terminal.close();
    await rig.open();
    await expect(rig.resolve(before)).rejects.toMatchObject({ kind: "terminal_busy" });
    await rig.clock.advance(2 * MINUTES);
    expect(await rig.resolve(before)).toMatchObject({ state: "not_charged" });
  });

  interface Case {
    readonly where: string;
    readonly witness?: false;
    readonly forgets?: true;
    readonly given?: Partial<InterruptedPayment>;
    readonly message: RegExp;
  }
  const held = { step: "held", facts: { transactionId: "x" } } as const;
  it.each<Case>([
    { where: "there was no payment before", witness: false, message: /no earlier payment/ },
    { where: "it does not know the payment before either", forgets: true, message: /lost its memory/ },
    { where: "it had told that it has it", given: { step: "sent" }, message: /does not know it any more/ },
    { where: "its result was here", given: held, message: /does not know it any more/ },
  ])("is for a person where $where", async ({ witness = true, forgets, given, message }) => {
    const rig = await createRig();
    await lost(rig, undefined, witness);
    if (forgets) rig.memory.clear();
    expect(await rig.settle(given)).toMatchObject({ state: "manual_review", reason: { message: expect.stringMatching(message) } });
  });

  it("is for a person where it had just been in progress", async () => {
    const rig = await createRig();
    await lost(rig, undefined);
    await rig.clock.advance(3 * MINUTES);
    rig.script.TransactionStatus = () => {
      rig.script.TransactionStatus = undefined;
      return failure("InProgress");
    };
    expect(await rig.resolve()).toMatchObject({ state: "manual_review" });
  });

  it("is asked once more about the witness before its memory counts as lost", async () => {
    const rig = await createRig();
    await lost(rig, undefined);
    await rig.clock.advance(3 * MINUTES);
    const answers = ["NotFound", "NotFound", "NotFound"];
    rig.script.TransactionStatus = () => {
      const answer = failure(answers.shift() ?? "");
      if (answers.length === 0) rig.script.TransactionStatus = undefined;
      return answer;
    };
    expect(await rig.resolve()).toMatchObject({ state: "not_charged" });
  });

  it("is asked again where the witness cannot be asked", async () => {
    const rig = await createRig();
    await lost(rig, undefined);
    await rig.clock.advance(3 * MINUTES);
    rig.script.TransactionStatus = ({ MessageReference: { ServiceID } }) =>
      failure(ServiceID === rig.record.baseline.witness ? "Busy" : "NotFound");
    await expect(rig.resolve()).rejects.toMatchObject({ kind: "terminal_busy" });
    rig.script.TransactionStatus = undefined;
    expect(await rig.resolve()).toMatchObject({ state: "not_charged" });
  });
});

it.each(["Busy", "LoggedOut", "DeviceOut", "UnreachableHost"])("asks again where it cannot be asked now: %s", async (condition) => {
  const rig = await createRig();
  await lost(rig, approval());
  rig.script.TransactionStatus = () => failure(condition);
  await rig.clock.advance(3 * MINUTES);
  await expect(rig.resolve()).rejects.toBeInstanceOf(DeviceError);
  rig.script.TransactionStatus = undefined;
  expect(await rig.resolve()).toMatchObject({ state: "approved" });
});

it.each([failure("UnavailableService"), failure("NotAllowed"), { body: { Response: { Result: "Success" } } }, { body: {} }])(
  "gives up on a terminal that never tells (%#)",
  async (answer) => {
    const rig = await createRig();
    await lost(rig, approval());
    rig.script.TransactionStatus = () => answer;
    expect(await rig.settle()).toMatchObject({ state: "manual_review" });
  },
);

it("asks no other terminal, and nobody without a name", async () => {
  const rig = await createRig();
  await lost(rig, approval());
  expect(await rig.resolve({ baseline: { ...rig.record.baseline, poiId: "V400m-1" } })).toMatchObject({ state: "manual_review" });
  expect(await rig.resolve({ baseline: {} })).toMatchObject({ state: "manual_review" });
  expect(rig.events).toEqual([]);
});

it("never charges, reverses or stops anything, and ends when it is told to", async () => {
  const rig = await createRig();
  await lost(rig, undefined);
  await rig.settle();
  expect(new Set(rig.events)).toEqual(new Set(["> TransactionStatus", "> Diagnosis"]));
  rig.script.TransactionStatus = () => "silence";
  const stop = new AbortController();
  const reason = new DeviceError("shutting_down");
  rig.clock.timer(2_000, () => stop.abort(reason));
  await expect(rig.resolve({}, stop.signal)).rejects.toBe(reason);
  rig.script.TransactionStatus = undefined;
  rig.script.Payment = undefined;
  expect(await rig.pay()).toMatchObject({ state: "approved" });
});

describe("a reversal", () => {
  const lostReversal = async (rig: Rig, body: unknown) => {
    const paid = await rig.earlier();
    rig.script.Reversal = (_, header) => {
      if (body !== undefined) rig.memory.set(header.ServiceID, { category: "Reversal", body });
      return "silence";
    };
    await expect(rig.run(rig.terminal.reverse(paid, AMOUNT, rig.steps(), new AbortController().signal))).rejects.toMatchObject({
      kind: "timeout",
    });
    rig.record.facts = undefined;
    rig.record.step = "armed";
    return { reverses: paid };
  };

  it("that was done is found", async () => {
    const rig = await createRig();
    const given = await lostReversal(rig, { Response: { Result: "Success" } });
    expect(await rig.resolve(given)).toMatchObject({ state: "approved", facts: { originalTransactionId: given.reverses.transactionId } });
  });

  it("that failed is found", async () => {
    const rig = await createRig();
    const given = await lostReversal(rig, { Response: { Result: "Failure", ErrorCondition: "NotFound" } });
    expect(await rig.resolve(given)).toMatchObject({ state: "not_charged" });
  });

  it("that never came is known by its payment, the witness", async () => {
    const rig = await createRig();
    const given = await lostReversal(rig, undefined);
    expect(await rig.settle(given)).toMatchObject({ state: "not_charged" });
    rig.memory.clear();
    expect(await rig.settle(given)).toMatchObject({ state: "manual_review" });
  });
});
