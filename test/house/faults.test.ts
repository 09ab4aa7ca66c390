import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { simulatorKinds } from "../../simulators/index.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { z } from "../../src/kernel/schema.js";
import { readFigures } from "../support/measured.js";
import { faultsPage } from "./faults-page.js";
import { allFaults, faultsOf } from "./faults-rows.js";

/** What simulators do that is no fault. */
const NO_FAULTS: readonly (readonly [why: string, names: readonly string[]])[] = [
  ["puts something right", ["plug", "reset", "refill", "closeCover", "clearJam", "powerOn", "clearFaults"]],
  ["hands out a picture, or takes the paper away", ["paper", "tear", "picture", "qr"]],
  ["is what people do", ["scan", "scanBytes", "hold", "insert", "loadFeeder", "layOnGlass", "takeFromGlass"]],
  ["is what a cardholder does", ["present", "approve", "removeCard", "nexo-terminal.wrongPin", "nexo-terminal.cancelByCustomer"]],
  ["takes its time only", ["nexo-terminal.slow", "chip-card.kbps", "chip-card.latencyMs"]],
  ["sets numbers", ["counters"]],
  [
    "is a kind of card, of which each is read: test/station/chip.test.ts › a sound card › opens %s",
    [
      ...["bac", "pace", "cardAccessBySfi", "selectMaster", "extendedLength", "leCap", "beyondLeCap", "chunkBytes", "chipAuthentication"],
      ...["chipCurve", "chipKeyEncoding", "chipKeyId", "activeAuthentication", "ldsHash", "signature", "image", "imageBytes", "parents"],
      ...["oldIdField", "dg13Shuffled", "qrFields"],
    ].map((name) => `chip-card.${name}`),
  ],
];
const noFaults = new Set(NO_FAULTS.flatMap(([, names]) => names));

interface Property {
  readonly enum?: readonly string[];
}
const propertiesOf = (schema: z.ZodType): Readonly<Record<string, Property>> =>
  (z.toJSONSchema(schema, { io: "input" }) as { properties?: Readonly<Record<string, Property>> }).properties ?? {};

/** Whatever a simulator can be told to do: its actions, and in the place of `inject` and `card` what these can. */
const knobs = simulatorKinds.flatMap((kind) => {
  const { actions } = kind.create(kind.options.parse({}), { clock: systemClock(), random: seededRandom(1), changed() {} });
  const names = Object.entries(actions).flatMap(([name, { params }]) => {
    if (name === "inject") return [...(propertiesOf(params).fault?.enum ?? [])];
    return name === "card" ? Object.keys(propertiesOf(params)) : [name];
  });
  return names.map((name) => ({ id: `${kind.kind}.${name}`, name }));
});
const rows = allFaults();

test("whatever a simulator can do to the agent has a row", () => {
  expect(knobs.length).toBeGreaterThan(150);
  const shown = new Set(rows.flatMap((row) => row.knobs ?? []));
  const without = knobs.filter(({ id, name }) => !shown.has(id) && !noFaults.has(id) && !noFaults.has(name)).map(({ id }) => id);
  expect(without).toEqual([]);
  const known = new Set(knobs.flatMap(({ id, name }) => [id, name]));
  expect([...shown, ...noFaults].filter((name) => !known.has(name))).toEqual([]);
});

describe("each row", () => {
  test("is one only, and stands above a test of a file that has what the row says: knobs, states, kinds of errors, its case", () => {
    expect(rows.length).toBeGreaterThan(90);
    expect(new Set(rows.map(({ device, fault }) => `${device} ${fault}`)).size).toBe(rows.length);
    const missing = rows.flatMap(({ file, fault, source, sees, knobs = [], case: chosen = [] }) => {
      const words = [...sees.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
      return [...words, ...knobs.map((knob) => knob.slice(knob.indexOf(".") + 1)), ...chosen]
        .filter((word) => !source.includes(word))
        .map((word) => `${file}, “${fault}”: no ${word}`);
    });
    expect(missing).toEqual([]);
  });

  test("says when it is over, by what was measured or is set", () => {
    const silent = rows.filter(({ back, bounds = [], measured = [] }) => back === undefined && bounds.length + measured.length === 0);
    expect(silent.map(({ fault }) => fault)).toEqual([]);
    const figures = readFigures();
    expect(rows.flatMap(({ measured = [] }) => measured).filter((name) => figures[name] === undefined)).toEqual([]);
  });

  test("that stands above no test, or is not made of plain words, is refused", () => {
    const row = 'faultRow({ device: "agent", fault: "x", sees: "`gone`", does: "y" });';
    const told = faultsOf("a.ts", `describe("all", () => {\n${row}\nit.each([1])("goes %s", async () => {});\n});`);
    expect(told).toMatchObject([{ fault: "x", title: "all › goes %s" }]);
    expect(told[0]?.source).not.toContain("gone");
    expect(() => faultsOf("a.ts", `${row}\nconst nothing = 1;`)).toThrow("stands above no test");
    expect(() => faultsOf("a.ts", `${row.replace('"y"', "y")}\nit("z", () => {});`)).toThrow("plain words");
  });
});

test("docs/faults.md is what the rows say", () => {
  expect(existsSync("docs/faults.md") && readFileSync("docs/faults.md", "utf8") === faultsPage(), "stale: run `npm run docs`").toBe(true);
});
