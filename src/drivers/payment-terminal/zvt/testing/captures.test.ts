import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CAPTURES } from "./captures.js";

const SHARED = "../shared/vectors/zvt";

test.skipIf(!existsSync(SHARED))("the copies of the captures are still the same", () => {
  const names = readdirSync(SHARED).filter((name) => name.endsWith(".blob"));
  expect(Object.fromEntries(names.map((name) => [name, readFileSync(`${SHARED}/${name}`, "hex")]))).toEqual(CAPTURES);
});
