import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ICAO_EXAMPLES } from "./icao-examples.js";

const SHARED = "../shared/vectors/icao9303-part11.json";

test.skipIf(!existsSync(SHARED))("the copy of the published figures is still the same", () => {
  expect(JSON.parse(readFileSync(SHARED, "utf8"))).toEqual(ICAO_EXAMPLES);
});
