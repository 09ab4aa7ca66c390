import { expect, it } from "vitest";
import { linePath, roundTop } from "./chart.js";

it("draws from the left edge to the right, the newest on the right, and breaks where nothing was measured", () => {
  expect(linePath([0, 5, 10], 3, 10)).toBe("M0.0 64.0L120.0 32.0L240.0 0.0");
  expect(linePath([10], 3, 10)).toBe("M240.0 0.0h0.1");
  expect(linePath([10, undefined, 0, 0], 4, 10)).toBe("M0.0 0.0h0.1M160.0 64.0L240.0 64.0");
  expect(linePath([], 3, 1)).toBe("");
  // Nothing is drawn above the edge.
  expect(linePath([20, 20], 2, 10)).toBe("M0.0 0.0L240.0 0.0");
});

it("ends the scale at a number that one can read", () => {
  expect([0, 0.3, 1, 1.1, 7, 80, 142, 1_000].map(roundTop)).toEqual([1, 0.5, 1, 2, 10, 100, 200, 1_000]);
});
