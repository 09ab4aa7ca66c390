import fc from "fast-check";
import { expect, it } from "vitest";
import { asciiBytes } from "../../../kernel/bytes.js";
import { ANSWERS, decodeMessage, encodeMessage, KINDS, traceOf } from "./codec.js";

const PAN = "9704360000000012";

it("writes a request and reads a response as the table says", () => {
  expect(encodeMessage(KINDS.sale, { amountVnd: "50000" })).toEqual(asciiBytes("10  400550000"));
  expect(decodeMessage(asciiBytes("110040055000001061A2B3C6506000017990355530"))).toBeUndefined();
  expect(decodeMessage(asciiBytes("110040055000001061A2B3C65060000179903555"))).toEqual({
    kind: ANSWERS.sale,
    code: "00",
    fields: { amountVnd: "50000", approvalCode: "1A2B3C", traceNumber: "000017" },
  });
});

it.each(["", "11", "1100 ", "11004005500", "11004005x0000", "110065060000176506000018", "11006502 7"])("reads nothing of %j", (text) => {
  expect(decodeMessage(asciiBytes(text))).toBeUndefined();
});

it("keeps four digits of a card number, even where the terminal masks none", () => {
  const payload = asciiBytes(`11003016${PAN}`);
  expect(decodeMessage(payload)?.fields).toEqual({ cardLastFour: "0012" });
  expect(traceOf(payload)).toBe("1100 30=*");
});

it("shows no card number in a trace, wherever the terminal puts it", () => {
  const tag = fc.oneof(
    fc.constantFrom("40", "01", "65", "16", "03", "30"),
    fc.nat(99).map((n) => String(n).padStart(2, "0")),
  );
  fc.assert(
    fc.property(fc.array(tag, { minLength: 1, maxLength: 5 }), (tags) => {
      const payload = asciiBytes(`1100${tags.map((one) => `${one}16${PAN}`).join("")}`);
      expect(traceOf(payload)).not.toContain(PAN.slice(0, 12));
    }),
  );
  expect(traceOf(asciiBytes(PAN))).toBe("unreadable");
});

it("takes any bytes", () => {
  const text = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.stringMatching(/^11[0-9]{2}(65060000[0-9]{2}|[0-9]{4,9}){0,4}$/).map(asciiBytes),
  );
  fc.assert(
    fc.property(text, (payload) => {
      const message = decodeMessage(payload);
      for (const value of Object.values(message?.fields ?? {})) expect(value).toMatch(/^[\w.:+/-]{0,64}$/);
      expect(traceOf(payload).length).toBeLessThan(200);
    }),
  );
});
