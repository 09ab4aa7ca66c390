import fc from "fast-check";
import { expect, it } from "vitest";
import { bestFit, type Step, stepsFrom } from "./document-fit.js";

it("steps go down in quality, then in resolution, and never below the floor", () => {
  const text = (steps: readonly Step[]): string => steps.map(({ quality, resolutionDpi }) => `${quality}@${resolutionDpi}`).join(" ");
  expect(text(stepsFrom(300, true))).toBe("85@300 75@300 65@300 55@300 65@200 55@200 65@150 55@150");
  expect(text(stepsFrom(600, false))).toBe("85@600 85@300 85@200 85@150");
  expect(text(stepsFrom(150, true))).toBe("85@150 75@150 65@150 55@150");
  expect(text(stepsFrom(100, false))).toBe("85@100");
});

it("whatever pages weigh, the best step that fits is found, nothing is tried twice, and few steps are tried", async () => {
  const sizes = fc.array(fc.double({ min: 0.4, max: 0.98, noNaN: true }), { minLength: 7, maxLength: 7 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 10, max: 2_000_000 }), async (shrinks, maxBytes) => {
      const steps = stepsFrom(300, true);
      const bytes = [1_000_000];
      for (const shrink of shrinks) bytes.push(Math.floor((bytes.at(-1) ?? 0) * shrink));
      const tried: number[] = [];
      const attempt = async (step: Step) => {
        tried.push(steps.indexOf(step));
        return { totalBytes: bytes[steps.indexOf(step)] ?? 0 };
      };
      const best = bytes.findIndex((size) => size <= maxBytes);
      if (best < 0) {
        await expect(bestFit(steps, maxBytes, attempt)).rejects.toMatchObject({ kind: "too_large", details: { leastBytes: bytes.at(-1) } });
      } else {
        expect((await bestFit(steps, maxBytes, attempt)).step).toBe(steps[best]);
      }
      expect(new Set(tried).size).toBe(tried.length);
      if (best === 0) expect(tried).toEqual([0]);
    }),
  );
  // Pages like most: as guessed, so that two or three attempts do.
  const usual = [1, 0.78, 0.67, 0.58, 0.38, 0.33, 0.25, 0.21];
  for (const maxBytes of [900_000, 700_000, 600_000, 350_000, 230_000]) {
    let attempts = 0;
    const steps = stepsFrom(300, true);
    await bestFit(steps, maxBytes, async (step) => {
      attempts += 1;
      return { totalBytes: 1_000_000 * (usual[steps.indexOf(step)] ?? 0) };
    });
    expect(attempts).toBeLessThanOrEqual(3);
  }
});
