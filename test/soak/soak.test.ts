import { expect, it } from "vitest";
import { seededRandom } from "../../src/kernel/random.js";
import { judgeFiles, judgeMemory, type Sample, trendOf } from "./judge.js";
import { faultOf, JOURNEY_KINDS, journeyOf, killsOf } from "./schedule.js";
import { createTroubles } from "./troubles.js";

const HOUR_MS = 3_600_000;
const CAP_MIB = 300;
/** Memory of a process that grows so fast, with the saw teeth of a garbage collector on it. */
function life(hours: number, mibPerHour: number, noiseMib = 4): Sample[] {
  const random = seededRandom(7);
  return Array.from({ length: 600 }, (_, index) => {
    const atMs = (index * hours * HOUR_MS) / 600;
    return { atMs, mib: 90 + (mibPerHour * atMs) / HOUR_MS + noiseMib * random.fraction() };
  });
}

it("a leak is told from noise, and its slope is the one it has", () => {
  expect(judgeMemory(life(0.5, 0), CAP_MIB).wrong).toBeUndefined();
  expect(judgeMemory(life(0.5, 120), CAP_MIB).wrong).toMatch(/^grew by .*MiB\/h$/);
  expect(judgeMemory(life(8, 6), CAP_MIB).wrong).toMatch(/^grew/);
  expect(judgeMemory(life(8, 1), CAP_MIB).wrong).toBeUndefined();
  const trend = trendOf(life(2, 30));
  expect(Math.abs((trend?.mibPerHour ?? 0) - 30)).toBeLessThan(trend?.plusMinus ?? 0);
  expect(trendOf(life(2, 0, 0))).toMatchObject({ mibPerHour: 0, plusMinus: 0 });
});

it("warming up is no growth, wild noise proves none, and a short life is held against the cap alone", () => {
  const warming = life(1, 0).map(({ atMs, mib }) => ({ atMs, mib: mib + Math.min(60, atMs / 20_000) }));
  expect(judgeMemory(warming, CAP_MIB).wrong).toBeUndefined();
  expect(judgeMemory(life(0.5, 40, 120), CAP_MIB).wrong).toBeUndefined();
  expect(judgeMemory(life(0.03, 3_000), CAP_MIB)).toEqual({ trend: undefined, wrong: undefined });
  expect(judgeMemory(life(0.03, 9_000), CAP_MIB).wrong).toMatch(/300 is the most/);
  expect(judgeMemory([], CAP_MIB)).toEqual({ trend: undefined, wrong: undefined });
});

it("files that stay open are wrong", () => {
  expect(judgeFiles(40, 42)).toBeUndefined();
  expect(judgeFiles(40, 44)).toBe("44 files open at rest, and 40 at the beginning");
});

it("the same seed draws the same journeys and faults, another seed others, and each kind comes", () => {
  const names = ["cable", "jam", "killed"];
  const drawn = (seed: number) => ({
    journeys: Array.from({ length: 200 }, (_, number) => journeyOf(seed, number % 4, number)),
    faults: Array.from({ length: 50 }, (_, number) => faultOf(seed, "receipt", names, number)),
    kills: killsOf(seed, HOUR_MS),
  });
  expect(drawn(1)).toEqual(drawn(1));
  expect(drawn(1).journeys).not.toEqual(drawn(2).journeys);
  expect(drawn(1).faults).not.toEqual(drawn(2).faults);
  expect(journeyOf(1, 0, 5)).not.toEqual(journeyOf(1, 1, 5));
  expect(faultOf(1, "receipt", names, 5)).not.toEqual(faultOf(1, "scanner", names, 5));
  expect(new Set(drawn(1).journeys.map(({ kind }) => kind))).toEqual(new Set(JOURNEY_KINDS));
  expect(new Set(drawn(1).faults.map(({ name }) => name))).toEqual(new Set(names));
});

it("the agent is killed at least once, and never after the first third", () => {
  for (const totalMs of [120_000, HOUR_MS / 2, 8 * HOUR_MS]) {
    const kills = killsOf(3, totalMs);
    expect(kills.length).toBeGreaterThan(0);
    expect(kills.toSorted((a, b) => a - b)).toEqual(kills);
    expect(Math.max(...kills)).toBeLessThan(totalMs / 3);
  }
});

it("an error is excused by a fault of that device at that time only", () => {
  let nowMs = 0;
  const troubles = createTroubles(() => nowMs);
  const cut = troubles.begin("scanner", "cable", ["device_absent"]);
  nowMs = 10_000;
  expect([...troubles.kinds(["scanner"], 0)]).toEqual(["device_absent"]);
  expect([...troubles.kinds(["receipt"], 0)]).toEqual([]);
  cut.end();
  nowMs = 60_000;
  expect([...troubles.kinds(["scanner"], 9_000)]).toEqual(["device_absent"]);
  expect([...troubles.kinds(["scanner"], 50_000)]).toEqual([]);
});
