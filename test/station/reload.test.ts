import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Agent, startAgent } from "../../src/agent.js";
import { connectStation, type StationClient } from "../../src/client/node.js";
import { parseConfig } from "../../src/config/load.js";
import type { StationConfig } from "../../src/config/types.js";
import { drivers } from "../../src/drivers/index.js";
import { silentLog } from "../../src/kernel/log.js";
import { faultRow } from "../support/fault.js";

let folder: string;
let agent: Agent;
let client: StationClient;

function config(devices: Record<string, unknown>, mode = "test"): StationConfig {
  const sockets = { serviceSocket: join(folder, "s.sock"), technicianSocket: false };
  return parseConfig(stringify({ agent: { mode, stateDir: folder }, server: { port: 0, ...sockets }, devices }), "reload", drivers);
}
const printer = (port: number) => ({ driver: "escpos", link: { kind: "tcp", host: "127.0.0.1", port } });
const scanner = (more: Record<string, unknown> = {}) => ({
  driver: "serial-scanner",
  ...more,
  link: { kind: "simulator", simulator: "barcode-scanner" },
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-reload-"));
});
afterEach(async () => {
  client?.close();
  await agent.stop();
  await rm(folder, { recursive: true });
});
const run = async (first: StationConfig): Promise<void> => {
  agent = await startAgent({ config: first, log: silentLog });
  client = await connectStation({
    url: `ws+unix:${join(folder, "s.sock")}:/v1`,
    client: { name: "t", version: "1" },
    allowSimulated: true,
  });
};

faultRow({
  device: "agent",
  fault: "A broken configuration at a reload",
  sees: "nothing of it",
  does: "keeps the old one in force, whole",
  back: "at once",
});
test("a config that is refused changes nothing, and the corrected one is taken over whole", async () => {
  await run(config({ receipt: printer(9) }, "production"));
  await expect(agent.reload(config({ receipt: printer(10), scanner: scanner() }))).rejects.toMatchObject({ kind: "unsupported" });
  expect((await client.call("devices.list", {})).devices.map(({ id }) => id)).toEqual(["receipt"]);
  expect(await agent.reload(config({ receipt: printer(10) }, "production"))).toMatchObject({ restarted: ["receipt"] });
});

test("a page keeps the scanner that it enabled, and its claim, when the scanner's settings change", async () => {
  await run(config({ scanner: scanner() }));
  await client.call("barcodeScanner.enable", {});
  await client.call("devices.claim", { device: "scanner", ttlMs: 60_000 });
  const seen = new Promise<string>((resolve) => {
    void client.subscribe(["barcodeScanner"], (update) => {
      if (update.kind === "event") resolve(update.data.scanned.text);
    });
  });
  expect(await agent.reload(config({ scanner: scanner({ ignoreRepeatMs: 100 }) }))).toMatchObject({ restarted: ["scanner"] });
  let heard = false;
  void seen.then(() => {
    heard = true;
  });
  while (!heard) {
    await agent.simulation?.act("scanner", "scan", { text: "STILL-MINE" });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await seen).toBe("STILL-MINE");
  expect((await client.call("devices.get", { device: "scanner" })).claim).toMatchObject({ client: "t 1" });
});
