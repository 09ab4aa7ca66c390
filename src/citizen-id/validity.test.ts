import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isoDate, vietnamToday, yearsLater } from "./dates.js";
import { expectedExpiry, isExpired } from "./validity.js";

describe("when a card should expire", () => {
  it.each([
    // Since 1 July 2024: 14, 25, 40, 60.
    ["2015-03-10", "2024-07-01", "2029-03-10"],
    ["2015-03-10", "2027-03-09", "2029-03-10"],
    ["2015-03-10", "2027-03-10", "2040-03-10"],
    ["1990-02-01", "2025-01-01", "2030-02-01"],
    ["1990-02-01", "2028-02-01", "2050-02-01"],
    ["1964-07-02", "2024-07-01", "unlimited"],
    ["1930-01-01", "2025-01-01", "unlimited"],
    // Before: no renewal at 14.
    ["2007-03-10", "2021-03-10", "2032-03-10"],
    ["2012-03-10", "2024-06-30", "2037-03-10"],
    ["1990-02-01", "2021-04-03", "2030-02-01"],
    ["1998-02-01", "2021-02-01", "2038-02-01"],
    ["1998-02-01", "2021-01-31", "2023-02-01"],
    ["1963-02-01", "2021-01-31", "2023-02-01"],
    ["1963-02-01", "2021-02-01", "unlimited"],
    // 29 February has its anniversary on 28 February in common years.
    ["2000-02-29", "2021-01-01", "2025-02-28"],
    ["2020-02-29", "2024-08-01", "2034-02-28"],
  ])("born %s, issued %s: %s", (birthDate, issueDate, expiry) => {
    expect(expectedExpiry(birthDate, issueDate)).toBe(expiry);
  });

  it("is not known of a card from before the birth", () => {
    expect(expectedExpiry("2025-01-02", "2025-01-01")).toBeUndefined();
  });

  it("is always a birthday at least two years on, or never", () => {
    const day = fc
      .date({ min: new Date("1920-01-01T00:00:00Z"), max: new Date("2060-01-01T00:00:00Z"), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10));
    fc.assert(
      fc.property(day, day, (birthDate, issueDate) => {
        const expiry = expectedExpiry(birthDate, issueDate);
        if (expiry === undefined) expect(issueDate < birthDate).toBe(true);
        else if (expiry === "unlimited") expect(issueDate >= yearsLater(birthDate, 58)).toBe(true);
        else {
          const age = Number(expiry.slice(0, 4)) - Number(birthDate.slice(0, 4));
          expect([14, 25, 40, 60]).toContain(age);
          expect(expiry).toBe(yearsLater(birthDate, age));
          expect(issueDate < yearsLater(birthDate, age - 2)).toBe(true);
        }
      }),
    );
  });
});

describe("whether a card has expired", () => {
  it("is asked of the calendar in Vietnam: the last day counts whole", () => {
    expect(isExpired("2030-02-01", Date.parse("2030-02-01T16:59:59.999Z"))).toBe(false);
    expect(isExpired("2030-02-01", Date.parse("2030-02-01T17:00:00Z"))).toBe(true);
    expect(isExpired("unlimited", Date.parse("2999-01-01T00:00:00Z"))).toBe(false);
    expect(vietnamToday(Date.parse("2025-12-31T17:00:00Z"))).toBe("2026-01-01");
  });
});

it("dates are days of the calendar", () => {
  expect(isoDate("2000", "02", "29")).toBe("2000-02-29");
  for (const [year, month, day] of [
    ["1900", "02", "29"],
    ["2021", "04", "31"],
    ["2021", "13", "01"],
    ["21", "01", "01"],
    ["2021", "1", "1"],
    ["", "", ""],
  ] as const) {
    expect(isoDate(year, month, day)).toBeUndefined();
  }
});
