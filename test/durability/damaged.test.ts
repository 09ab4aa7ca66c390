import { mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { faultRow } from "../support/fault.js";
import { openTill, type Till } from "./rig.js";

let folder: string;
let till: Till | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stationd-damaged-"));
});
afterEach(async () => {
  await till?.close();
  till = undefined;
  rmSync(folder, { recursive: true, force: true });
});

faultRow({
  device: "agent",
  fault: "The journal is damaged",
  sees: "`journal_unavailable`",
  does: "takes no payment, changes nothing in the file; the hint says what to keep and what to move",
  back: "a person",
});
test("a damaged journal takes no payments, says why, and is left to a person", { timeout: 60_000 }, async () => {
  const state = join(folder, "state");
  const journal = join(state, "journal.sqlite");
  till = await openTill(state);
  const whole = readFileSync(journal);
  const damages: readonly (() => void)[] = [
    () => writeFileSync(journal, Buffer.from(whole).fill(0xa5, 4_096, 12_288)),
    () => truncateSync(journal, 6_000),
  ];
  for (const [n, damage] of damages.entries()) {
    writeFileSync(journal, whole);
    damage();
    const before = readFileSync(journal);
    const agent = await till.start(state);
    await expect(agent.pay(10_000 + n)).rejects.toMatchObject({
      kind: "journal_unavailable",
      hint: expect.stringMatching(/journal\.sqlite is damaged: stop the agent, move it .* aside and keep/),
    });
    expect(till.contradiction(undefined, 10_000 + n)).toBeUndefined();
    await agent.stop();
    expect(readFileSync(journal).equals(before)).toBe(true);
  }
  // As the hint says.
  renameSync(journal, join(folder, "aside.sqlite"));
  rmSync(`${journal}-wal`, { force: true });
  const agent = await till.start(state);
  expect((await agent.pay(30_000)).state).toBe("approved");
});
