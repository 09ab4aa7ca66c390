import fc from "fast-check";
import { expect, it } from "vitest";
import { DeviceError, errorObject } from "../../../kernel/errors.js";
import { seededRandom } from "../../../kernel/random.js";
import { maskCards } from "./card-filter.js";
import { seal } from "./envelope.js";
import { receiptLines } from "./receipt.js";
import { AMOUNT, approval, type Body, createRig, KEY, never, POI, type Rig, SETTINGS } from "./rig.test.support.js";

const PAN = "4111111111111111";
const TRACK = `;${PAN}=25121011234567890123?`;
const SPACED = "4111 1111 1111 1111";
const FINAL = ["approved", "declined", "cancelled", "not_charged", "not_started", "manual_review"];

/** Its outcome, or what it rejected with: nothing else may come of a payment. */
async function outcomeOf(work: Promise<unknown>): Promise<{ readonly said: string; readonly state: string }> {
  try {
    const outcome = (await work) as { state: string; reason?: DeviceError };
    expect(FINAL).toContain(outcome.state);
    const { reason, ...rest } = outcome;
    return { said: JSON.stringify([rest, reason && errorObject(reason), reason?.stack]), state: outcome.state };
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(DeviceError);
    const error = thrown as DeviceError;
    return { said: JSON.stringify([errorObject(error), error.stack, String(error.cause)]), state: "rejected" };
  }
}

/** All that is left of a payment outside the process. */
const left = (rig: Rig): string =>
  JSON.stringify([
    rig.record,
    rig.logged,
    rig.conditions.map((condition) => ("reason" in condition ? errorObject(condition.reason) : condition)),
  ]);

/** Every place of a message that holds a value, as a path. */
const places = (value: Body, path: readonly (string | number)[] = []): (readonly (string | number)[])[] =>
  typeof value === "object" && value !== null
    ? [path, ...Object.entries(value).flatMap(([name, inner]) => places(inner, [...path, name]))]
    : [path];
const planted = (value: Body, [name, ...rest]: readonly (string | number)[], secret: unknown): Body => {
  if (name === undefined) return secret;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[name] = planted(copy[name], rest, secret);
  return copy;
};

const DECLINE = { Response: { Result: "Failure", ErrorCondition: "Refusal", AdditionalResponse: "refusalReason=x" } };

it.each([
  ["an approval", approval()],
  ["a decline", DECLINE],
])("keeps a card number, a track and the passphrase to itself, wherever %s has it", async (_, message) => {
  const rig = await createRig();
  for (const path of places(message)) {
    for (const secret of [PAN, TRACK, SPACED, `key=pan&name=PAN&value=${PAN}`]) {
      rig.script.Payment = () => ({ body: planted(message, path, secret) });
      const { said } = await outcomeOf(rig.pay());
      const all = said + left(rig);
      expect(all, path.join(".")).not.toContain(PAN.slice(0, 12));
      expect(all, path.join(".")).not.toContain(SPACED.slice(0, 14));
      expect(all).not.toContain("2512101");
      if (rig.record.step === "created" || rig.record.step === "answering") continue;
      const found = (await outcomeOf(rig.resolve())).said + left(rig);
      expect(found, path.join(".")).not.toContain(PAN.slice(0, 12));
    }
    rig.script.Payment = () => ({ raw: JSON.stringify(planted({ SaleToPOIResponse: message }, [], SETTINGS.passphrase)) });
    expect((await outcomeOf(rig.pay())).said + left(rig)).not.toContain(SETTINGS.passphrase);
  }
});

it("shows neither passphrase nor card in errors of every kind, nor in the log", async () => {
  const rig = await createRig();
  for (const raw of [PAN, JSON.stringify({ SaleToPOIResponse: { MessageHeader: { ServiceID: PAN } } })]) {
    for (const status of [200, 500]) {
      rig.script.Payment = () => ({ raw, status });
      expect((await outcomeOf(rig.pay())).said + left(rig)).not.toContain(PAN);
    }
  }
  rig.script.Payment = () => ({ body: approval(), header: { ServiceID: PAN, POIID: SETTINGS.passphrase } });
  const all = (await outcomeOf(rig.pay())).said + left(rig);
  expect(all).toContain("nexo unanswered");
  expect(all).not.toContain(PAN);
  expect(all).not.toContain(SETTINGS.passphrase);
});

/** A thing that is somewhere between right and anything. */
const damaged = (value: Body): fc.Arbitrary<Body> =>
  fc
    .array(fc.tuple(fc.constantFrom(...places(value)), fc.oneof(fc.anything(), fc.jsonValue(), fc.constantFrom(null, 0, -1, "", [], {}))), {
      maxLength: 3,
    })
    .map((changes) => {
      let result = value;
      for (const [path, into] of changes) {
        try {
          result = planted(result, path, into);
        } catch {
          // What was there has been replaced before.
        }
      }
      return result;
    });
const json = (value: Body): Body => {
  try {
    return JSON.parse(JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? Number(inner) : inner)) ?? "null");
  } catch {
    return null;
  }
};

it("takes any signed answer to a payment: no crash, and an approval only of this amount", async () => {
  const rig = await createRig();
  const answers = fc.oneof(damaged(approval()), damaged(DECLINE), fc.jsonValue()).map(json);
  await fc.assert(
    fc.asyncProperty(answers, async (body) => {
      rig.script.Payment = () => ({ body });
      const { state } = await outcomeOf(rig.pay());
      if (state === "approved") {
        expect(body.Response.Result).toBe("Success");
        expect(body.PaymentResult.AmountsResp.AuthorizedAmount).toBe(AMOUNT);
      }
      for (const fact of Object.values(rig.record.facts ?? {})) expect(String(fact)).toMatch(/^[\w.:+/-]{0,64}$/);
      if (rig.record.step === "armed") await outcomeOf(rig.resolve());
    }),
  );
});

it("takes any answer, signed or not, to every question", async () => {
  const rig = await createRig();
  const previous = await rig.earlier();
  const categories = ["Diagnosis", "TransactionStatus", "Payment", "Reversal", "GetTotals", "Reconciliation"];
  const answer = fc.oneof(
    fc.jsonValue().map((body) => ({ body })),
    fc.jsonValue().map((body) => ({ body: { Response: { Result: "Success" }, RepeatedMessageResponse: body, TransactionTotals: body } })),
    fc.record({
      raw: fc.oneof(
        fc.string(),
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
      status: fc.constantFrom(200, 401),
    }),
    fc
      .tuple(fc.jsonValue(), fc.dictionary(fc.constantFrom("ServiceID", "MessageType", "SaleID"), fc.string()))
      .map(([body, header]) => ({ body, header })),
  );
  await fc.assert(
    fc.asyncProperty(answer, fc.constantFrom(...categories), async (given, category) => {
      for (const each of categories) rig.script[each] = each === category ? () => given as never : undefined;
      await outcomeOf(rig.pay({ previous }));
      await outcomeOf(rig.run(rig.terminal.reverse(previous, AMOUNT, rig.steps(), never)));
      const baseline = { serviceId: "0123456789", saleId: SETTINGS.saleId, poiId: POI };
      const lost = { step: "armed", amountVnd: AMOUNT, baseline, facts: undefined, markedAt: 0 } as const;
      await outcomeOf(rig.run(rig.terminal.resolve(lost, never, { showCode() {} })));
      for (const close of [false, true]) {
        await rig.run(rig.terminal.totals(close, never)).then(
          ({ count, sumVnd }) => expect([Number.isFinite(count), Number.isFinite(sumVnd)]).toEqual([true, true]),
          (thrown) => expect(thrown).toBeInstanceOf(DeviceError),
        );
      }
    }),
    { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 100) / 2) },
  );
});

it("is not held up by what is huge or deep", async () => {
  const rig = await createRig();
  const trailer = seal("", {}, KEY, seededRandom(1));
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  for (const raw of [
    deep,
    `{"SaleToPOIResponse":${deep}}`,
    "1".repeat(2_000_000),
    `{"SaleToPOIResponse":{"NexoBlob":"${"A".repeat(600_000)}"}}`,
    JSON.stringify({ SaleToPOIResponse: { ...trailer, NexoBlob: `${" ".repeat(500_000)}?` } }),
  ]) {
    rig.script.Payment = () => ({ raw });
    expect((await outcomeOf(rig.pay())).state).toBe("rejected");
  }
});

it("masks runs of digits that are as long as a card number, whatever separates them", () => {
  expect(maskCards(`card ${PAN}, ${SPACED} or 4111-1111-1111-1111`)).toBe(
    "card ************1111, **** **** **** 1111 or ****-****-****-1111",
  );
  expect(maskCards(TRACK)).toBe(";************1111=********************?");
  expect(maskCards(`%B${PAN}^LE/THI DUNG^26122010000?`)).toBe(`%B************1111^${"*".repeat("LE/THI DUNG^26122010000".length)}?`);
  expect(maskCards("PIN 4711, Ma PIN: 471147, SPIN 4711")).toBe("PIN ****, Ma PIN: ******, SPIN 4711");
  expect(maskCards("50.000 VND, 2026-01-02 03:04, AID A0000000031010")).toContain("50.000 VND");
  fc.assert(
    fc.property(fc.string(), fc.stringMatching(/^\d{12,19}$/), fc.string(), (before, digits, after) => {
      expect(maskCards(`${before}|${digits}|${after}`)).toContain(`|${"*".repeat(digits.length - 4)}${digits.slice(-4)}|`);
    }),
  );
});

it("prints the customer's lines of a receipt as they are meant", () => {
  const receipt = (...texts: (string | undefined)[]) => [
    { DocumentQualifier: "CustomerReceipt", OutputContent: { OutputText: texts.map((Text) => (Text === undefined ? {} : { Text })) } },
    { DocumentQualifier: "CashierReceipt", OutputContent: { OutputText: [{ Text: "for the shop" }] } },
  ];
  const lines = receiptLines(
    receipt("name=T%E1%BB%95ng&value=50.000&key=total", "key=filler", undefined, "a & b", `x\u0000\u001b[2J${PAN}`),
  );
  expect(lines).toEqual(["Tổng 50.000", "", "", "a & b", "x  [2J************1111"]);
  const id = "BV0q001765198054002.CWBC43ZX2VTFWR82";
  expect(receiptLines(receipt(`key=ref&name=Reference&value=${id}`, `${id} ${PAN}`), id)).toEqual([
    `Reference ${id}`,
    `${id} ************1111`,
  ]);
  expect(receiptLines(receipt(PAN), "1")).toEqual(["************1111"]);
  expect(receiptLines(undefined)).toEqual([]);
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(receiptLines(receipt(text))).toHaveLength(1);
    }),
  );
});
