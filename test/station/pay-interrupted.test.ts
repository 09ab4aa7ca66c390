import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PaymentJob } from "../../src/protocol/payment-terminal.js";
import { startStation, type TestStation } from "../../src/testing.js";

const COMMAND = fileURLToPath(new URL("../../src/cli.js", import.meta.url));
let station: TestStation;
let folder: string;

beforeAll(async () => {
  const terminal = {
    driver: "zvt",
    password: "123456",
    t3Ms: 60_000,
    // Whoever stands there does nothing: the payment lasts until it is stopped.
    link: { kind: "simulator", simulator: "zvt-terminal", cardholder: "manual", cardTimeoutMs: 600_000, t3Ms: 60_000 },
  };
  station = await startStation({ seed: 72, scenario: { devices: { terminal } } });
  folder = await mkdtemp(join(tmpdir(), "stationd-stop-"));
  await writeFile(join(folder, "token"), station.tokens.technician);
});
afterAll(async () => {
  await station.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The command with a payment that is under way at the terminal. */
async function paying(key: string, ...args: string[]) {
  const client = await station.connect("technician");
  const begun = new Promise<void>((resolve) => {
    void client.subscribe(["jobs"], (update) => {
      const jobs = update.kind === "state" ? update.state : [update.data];
      if (jobs.some(({ idempotencyKey, state }) => idempotencyKey === key && state === "in_progress")) resolve();
    });
  });
  const access = ["--url", station.url, "--token-file", join(folder, "token")];
  const child = spawn(process.execPath, [COMMAND, "pay", "1000", "--yes", "--key", key, ...access, ...args], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", note: "" };
  let heard = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.note += text;
    heard();
  });
  const ended = once(child, "close").then(([code, signal]) => ({ code: code as number | null, signal: signal as string | null }));
  await Promise.race([begun, ended.then(() => expect.fail(`it ended: ${said.note}`))]);
  const noted = async (text: string): Promise<void> => {
    const gone = ended.then(() => expect.fail(`it ended: ${said.note}`));
    while (!said.note.includes(text)) {
      const more = new Promise<void>((resolve) => {
        heard = resolve;
      });
      await Promise.race([more, gone]);
    }
    gone.catch(() => {});
  };
  const how = async (): Promise<PaymentJob> => (await client.call("jobs.get", { idempotencyKey: key })) as PaymentJob;
  return { child, said, ended, noted, how };
}

test("the first Ctrl-C asks the terminal to stop, and how it ended is told", async () => {
  const { child, said, ended, how } = await paying("stop-00000001");
  child.kill("SIGINT");
  expect(await ended).toEqual({ code: 130, signal: null });
  expect(said.note).toContain("Asking the terminal to stop");
  expect(said.out).toContain("payment of 1000 VND (TEST): cancelled");
  expect(said.note).not.toContain("connection");
  expect(await how()).toMatchObject({ state: "cancelled", final: true });
});

test("the second one leaves, and says under which key it goes on", async () => {
  await station.act("terminal", "inject", { fault: "abort-ignored" });
  const { child, said, ended, noted, how } = await paying("stop-00000002");
  child.kill("SIGINT");
  await noted("Ctrl-C again leaves");
  child.kill("SIGINT");
  expect(await ended).toEqual({ code: 5, signal: null });
  expect(said.note).toContain("Its key: stop-00000002");
  expect(said.note).toContain("  Ask with: stationd jobs get stop-00000002\n");
  expect(said.out).toBe("");
  expect(await how()).toMatchObject({ idempotencyKey: "stop-00000002" });
  // It went on, and ends by the hand of who stands there.
  await station.act("terminal", "cancelByCustomer");
});
