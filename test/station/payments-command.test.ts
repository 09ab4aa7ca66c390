import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/kernel/clock.js";
import { startStation, type TestStation } from "../../src/testing.js";

const COMMAND = fileURLToPath(new URL("../../bundle/stationd.js", import.meta.url));
let station: TestStation;
let folder: string;

beforeAll(async () => {
  const terminal = {
    driver: "zvt",
    password: "123456",
    t3Ms: 30_000,
    link: { kind: "simulator", simulator: "zvt-terminal", t3Ms: 30_000 },
  };
  // Not faster: the agent's pings hurry, too, and a command needs a moment to start.
  station = await startStation({ seed: 12, scenario: { devices: { terminal } }, clock: systemClock(5) });
  folder = await mkdtemp(join(tmpdir(), "stationd-pay-"));
  await writeFile(join(folder, "token"), station.tokens.technician);
});
afterAll(async () => {
  await station.stop();
  await rm(folder, { recursive: true, force: true });
});

async function stationd(...args: string[]): Promise<{ code: number; out: string; note: string }> {
  const child = spawn(process.execPath, [COMMAND, ...args, "--url", station.url, "--token-file", join(folder, "token")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let note = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    note += text;
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, out, note };
}

test("money moves only after a yes: taken, listed, shown, taken back, and the day closed", async () => {
  expect(await stationd("pay", "1000")).toMatchObject({ out: "", note: expect.stringContaining("nobody is there to confirm") });
  const paid = await stationd("pay", "1000", "--yes", "--key", "cli-00000001", "--json");
  expect(paid.code).toBe(0);
  const { job } = JSON.parse(paid.out) as { job: string };
  expect((await stationd("payments", "list")).out).toMatch(new RegExp(`^${job.slice(0, 8)} .* 1000 +approved +TEST`, "m"));
  expect((await stationd("payments", "show", job.slice(0, 10))).out).toContain("payment of 1000 VND (TEST): approved");
  expect((await stationd("payments", "show", "ffffffff")).note).toContain("no payment has this name");
  expect((await stationd("payments", "resolve", job, "approved", "-e", "x-1", "--yes")).note).toContain("not under manual review");
  const back = await stationd("payments", "reverse", job, "--yes");
  expect(back).toMatchObject({ code: 0, out: expect.stringContaining("taken back") });
  expect((await stationd("payments", "reconcile")).note + (await stationd("payments", "reconcile", "--close")).out).toContain("they agree");
  for (const line of (await stationd("payments", "list")).out.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
});
