import { expect, it } from "vitest";
import { seededRandom } from "../../src/kernel/random.js";
import { fuzzPrinter } from "./fuzz.js";

/** Many more with STATIOND_PRINTER_COMMANDS, as the nightly run has it. */
const COMMANDS = Number(process.env.STATIOND_PRINTER_COMMANDS ?? 1_000_000);

it(`survives ${COMMANDS} random commands with its paper, cover and power misbehaving`, async () => {
  const result = await fuzzPrinter(seededRandom(COMMANDS), COMMANDS);
  expect(result.commands).toBe(COMMANDS);
  expect(result.rowsPrinted).toBeGreaterThan(0);
  expect(result.unknownCommands).toBeGreaterThan(0);
}, 1_800_000);
