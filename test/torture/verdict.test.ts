import { expect, it } from "vitest";
import type { Booking } from "./bank.js";
import { judge, type Outcome } from "./verdict.js";

const SALE: Booking = { amountVnd: 5, kind: "sale", hostApproved: true, net: 5 };
const BACK: Booking = { amountVnd: 5, kind: "reversal", hostApproved: true, net: -5 };
const sale = (state: "approved" | "not_charged" | "manual_review" | undefined, bookings: readonly Booking[], rest: Partial<Outcome> = {}) =>
  judge({
    kind: "sale",
    misfortune: { ends: ["approved", "not_charged", "none"] },
    amountVnd: 5,
    job: state && { state },
    bookings,
    ...rest,
  }).wrong;
const reversal = (state: "reversed" | "not_charged" | "manual_review", original: "approved" | "reversed", bookings: readonly Booking[]) =>
  judge({
    kind: "reversal",
    misfortune: { ends: ["reversed", "not_charged"] },
    amountVnd: 5,
    job: { state },
    original: { state: original },
    bookings,
  }).wrong;

it("the ledger is the truth about a sale", () => {
  expect(sale("approved", [SALE])).toEqual([]);
  expect(sale("not_charged", [SALE, BACK])).toEqual([]);
  expect(sale(undefined, [])).toEqual([]);
  expect(sale("approved", [SALE, SALE])).toContain("charged twice");
  expect(sale("approved", [SALE, BACK])).toContain("approved without a charge");
  expect(sale("not_charged", [SALE])).toContain("a charge was forgotten");
  expect(sale(undefined, [SALE])).toContain("a charge was forgotten");
});

it("each misfortune has its own right ends, and a review needs its reason", () => {
  expect(sale("approved", [SALE], { misfortune: { ends: ["not_charged"] } })).toEqual(["expected not_charged"]);
  expect(sale("manual_review", [SALE])).toEqual(["expected approved or not_charged or none"]);
  expect(sale("manual_review", [SALE], { misfortune: { ends: ["approved"], blind: "forgotten" } })).toEqual([]);
});

it("and about what is taken back", () => {
  expect(reversal("reversed", "reversed", [SALE, BACK])).toEqual([]);
  expect(reversal("not_charged", "approved", [SALE])).toEqual([]);
  expect(reversal("reversed", "reversed", [SALE])).toContain("said to be taken back, and was not");
  expect(reversal("not_charged", "approved", [SALE, BACK])).toContain("taken back, and not said so");
  expect(reversal("reversed", "reversed", [SALE, BACK, BACK])).toContain("taken back twice");
  expect(reversal("manual_review", "approved", [SALE])).toContain("the payment is approved");
});
