import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { startAgent } from "../../src/agent.js";
import { parseConfig } from "../../src/config/load.js";
import { drivers } from "../../src/drivers/index.js";
import { silentLog } from "../../src/kernel/log.js";
import type { MethodName } from "../../src/protocol/methods.js";
import { binaryOf, HELLO, kindOf, type Message, type TestClient, testClient } from "../../src/server/fixture.js";
import { startStation, type TestStation } from "../../src/testing.js";

let station: TestStation;
const opened: TestClient[] = [];

beforeAll(async () => {
  const simulated = (simulator: string, more: object = {}) => ({ kind: "simulator", simulator, ...more });
  station = await startStation({
    seed: 8,
    console: true,
    scenario: {
      devices: {
        receipt: { driver: "escpos", link: simulated("receipt-printer") },
        scanner: { driver: "serial-scanner", link: simulated("barcode-scanner") },
        "id-reader": { driver: "pcsc", link: simulated("chip-card") },
        documents: { driver: "escl", link: simulated("document-scanner") },
        camera: { driver: "ffmpeg", lingerMs: 100, link: simulated("camera", { widthPx: 640, heightPx: 360 }) },
        terminal: { driver: "zvt", password: "123456", link: simulated("zvt-terminal") },
      },
    },
  });
});
afterAll(() => station.stop());
afterEach(() => {
  for (const { ws } of opened.splice(0)) ws.terminate();
});

/** The console as a browser connects it, signed in as a technician. */
async function consolePage(): Promise<TestClient> {
  const ws = new WebSocket(station.url, ["station.v1"], { origin: station.httpUrl });
  const page = testClient(ws);
  opened.push(page);
  await once(ws, "open");
  const { result } = await page.request("session.hello", { ...HELLO, token: station.tokens.technician });
  expect(result?.role).toBe("technician");
  return page;
}

const document = { blocks: [{ type: "text", text: "Xin chào" }] };
const USES: readonly (readonly [method: MethodName, params: object])[] = [
  ["camera.snapshot", {}],
  ["camera.startPreview", {}],
  ["printer.preview", { document }],
  ["printer.print", { document, idempotencyKey: "console-0001" }],
  ["barcodeScanner.scan", { timeoutMs: 1_000 }],
  ["barcodeScanner.enable", {}],
  ["chipReader.waitForCard", { timeoutMs: 1_000 }],
  ["chipReader.readUid", { timeoutMs: 1_000 }],
  ["documentScanner.scan", { timeoutMs: 1_000 }],
  ["paymentTerminal.pay", { amountVnd: 1_000, reference: "TEST", idempotencyKey: "console-0002" }],
  ["devices.claim", { device: "camera", ttlMs: 1_000 }],
];

test("the console uses no device while the station is in service: no picture, no paper, no code, no card", async () => {
  const page = await consolePage();
  for (const [method, params] of USES) expect([method, kindOf(await page.request(method, params))]).toEqual([method, "maintenance"]);
  // What it may look at all the same.
  for (const method of ["devices.list", "jobs.list", "diagnostics.run", "agent.describe"]) {
    expect((await page.request(method, {})).result, method).toBeDefined();
  }
});

test("maintenance does not begin while a citizen is at the station, and then the console sees a picture and the paper", async () => {
  const page = await consolePage();
  const kiosk = await station.connect();
  await kiosk.call("printer.preview", { document: { blocks: [{ type: "text", text: "Xin chào" }] } });
  expect(kindOf(await page.request("agent.maintenance", { on: true }))).toBe("busy");
  expect(kindOf(await page.request("camera.snapshot", {}))).toBe("maintenance");
  await kiosk.call("session.endCitizen", {});
  expect((await page.request("agent.maintenance", { on: true })).result).toBeDefined();
  expect((await page.request("camera.snapshot", {})).result).toMatchObject({ device: "camera", widthPx: 640 });
  expect((await page.request("printer.preview", { document })).result).toMatchObject({ device: "receipt" });
  await expect(kiosk.call("camera.snapshot", {})).rejects.toMatchObject({ kind: "maintenance" });
  expect((await page.request("agent.maintenance", { on: false })).result).toBeDefined();
});

test("when maintenance ends, the console's live picture stops, and the next code is not its own", async () => {
  const page = await consolePage();
  await page.request("agent.maintenance", { on: true });
  const { result } = await page.request("camera.startPreview", { maxFps: 15 });
  const channel = Number(result?.channel);
  const ofPreview = (message: Message): boolean => binaryOf(message)?.readUInt32BE(4) === channel;
  await page.next(ofPreview);
  page.send({ jsonrpc: "2.0", id: "scan", method: "barcodeScanner.scan", params: { timeoutMs: 60_000 } });
  await page.next(({ id, method }) => (method as unknown) === "rpc.progress" || (id as unknown) === "scan");
  // Somebody else, by another way.
  const technician = await station.connect("technician");
  await technician.call("agent.maintenance", { on: false });
  expect(kindOf(await page.next(({ id }) => (id as unknown) === "scan"))).toBe("canceled");
  expect((await page.request("camera.stopPreview", { channel })).result).toMatchObject({ stopped: false });
  const viewers = await technician.call("camera.stats", {});
  expect(viewers.previews).toEqual([]);

  const kiosk = await station.connect();
  const scanned = kiosk.call(
    "barcodeScanner.scan",
    {},
    { onProgress: () => void station.act("scanner", "scan", { text: "HS-2026-000777" }) },
  );
  expect((await scanned).text).toBe("HS-2026-000777");
  await page.request("devices.list", {});
  expect(JSON.stringify(page.received.filter((message) => binaryOf(message) === undefined))).not.toContain("HS-2026-000777");
  await kiosk.call("session.endCitizen", {});
});

test("a reload of the configuration switches the console on and off", async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "stationd-console-"));
  const config = (enabled: boolean) =>
    parseConfig(
      stringify({ agent: { stateDir }, server: { port: 0, serviceSocket: false, technicianSocket: false }, console: { enabled } }),
      "station.toml",
      drivers,
    );
  const agent = await startAgent({ config: config(false), log: silentLog });
  try {
    const status = async (): Promise<number> => (await fetch(`${agent.httpUrl}/console/`)).status;
    expect(await status()).toBe(404);
    expect(await agent.reload(config(true))).toEqual({ restarted: [], ignored: [] });
    expect(await status()).toBe(200);
    await agent.reload(config(false));
    expect(await status()).toBe(404);
  } finally {
    await agent.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
});
