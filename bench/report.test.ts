import { expect, it } from "vitest";
import { asJson, asMarkdown, atMost, type BenchRow, ratioAtLeast, ratioAtMost, tableOf } from "./report.js";

const floor = { value: 100, is: "the floor" };
const row = (figures: Partial<BenchRow>): BenchRow => ({ what: "it", unit: "ms", ours: 150, ...figures });
const last = (figures: Partial<BenchRow>): string | undefined => tableOf([{ name: "a", rows: [row(figures)] }])[1]?.at(-1);

it("says which targets are missed, and meets none with a figure that could not be taken", () => {
  expect(last({ floor, target: ratioAtMost(1.5) })).toBe("≤ 1.5");
  expect(last({ floor, target: ratioAtMost(1.4) })).toBe("≤ 1.4: missed");
  expect(last({ floor, target: ratioAtLeast(1.6) })).toBe("≥ 1.6: missed");
  expect(last({ target: atMost(150) })).toBe("≤ 150 ms");
  expect(last({ ours: Number.NaN, target: atMost(150) })).toBe("≤ 150 ms: missed");
  expect(last({ target: ratioAtMost(2) })).toBe("≤ 2: missed");
  expect(last({})).toBe("");
});

it("shows a figure, its floor and their ratio on one line", () => {
  expect(tableOf([{ name: "a", rows: [row({ floor, ours: 52_700.4, unit: "/s" })] }])[1]).toEqual([
    "a",
    "it",
    "52,700/s",
    "100/s, the floor",
    "527.00",
    "",
  ]);
  expect(asMarkdown([{ name: "a", rows: [row({ what: "a | b" })] }])).toContain("| a | a \\| b | 150 ms |  |  |  |");
  expect(JSON.parse(asJson({ name: "a", rows: [row({ floor, target: ratioAtMost(2) })] }))).toMatchObject({
    rows: [{ ratio: 1.5, met: true }],
  });
});
