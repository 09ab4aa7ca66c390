import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startStation } from "../../src/testing.js";

test("a scenario file sets devices and how they stand, at the start and after each reset", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stationd-scenario-"));
  const scenario = join(folder, "cheap.toml");
  await writeFile(
    scenario,
    `[devices.receipt]
driver = "escpos"
link = { kind = "simulator", simulator = "receipt-printer", model = "clone" }
[[start]]
simulator = "receipt"
action = "openCover"
`,
  );
  await using station = await startStation({ scenario });
  const client = await station.connect();
  expect((await client.call("devices.list", {})).devices).toHaveLength(1);
  const document = { blocks: [{ type: "text" as const, text: "x" }] };
  const print = (key: string) => client.call("printer.print", { document, idempotencyKey: key });
  expect(await print("scenario-1")).toMatchObject({ state: "not_started", reason: { kind: "cover_open" } });
  await station.act("receipt", "closeCover");
  while ((await client.call("devices.get", { device: "receipt" })).state !== "ready")
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await print("scenario-2")).toMatchObject({ state: "printed", confirmation: "inferred" });
  await station.reset();
  expect((await station.act("receipt", "paperNearEnd", { on: false })).state).toMatchObject({ cover: "open", receipts: 0 });
  await rm(folder, { recursive: true });
});

test("stations run side by side, each with its own port and folder, and leave neither behind", async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "stationd-side-"));
  const stations = await Promise.all([startStation({ seed: 1 }), startStation({ seed: 1 }), startStation({ seed: 1, stateDir })]);
  expect(new Set(stations.map(({ url }) => url)).size).toBe(3);
  await Promise.all(
    stations.map(async (station, index) => {
      const client = await station.connect();
      const document = { blocks: [{ type: "text" as const, text: `trạm ${index}` }] };
      expect(await client.call("printer.print", { document, idempotencyKey: "side-by-side" })).toMatchObject({ state: "printed" });
    }),
  );
  await Promise.all(stations.map((station) => station.stop()));
  for (const { httpUrl } of stations) await expect(fetch(`${httpUrl}/healthz`)).rejects.toThrow();
  expect(existsSync(join(stateDir, "journal.sqlite"))).toBe(true);
  await rm(stateDir, { recursive: true });
});

test.each([
  ["an unknown table", { device: {} }, /device/],
  [
    "an unknown driver",
    { devices: { receipt: { driver: "escops", link: { kind: "simulator", simulator: "receipt-printer" } } } },
    /escops.*escpos/s,
  ],
  ["an unknown simulator", { devices: { receipt: { driver: "escpos", link: { kind: "simulator", simulator: "toaster" } } } }, /toaster/],
  [
    "an unknown knob",
    { devices: { receipt: { driver: "escpos", link: { kind: "simulator", simulator: "receipt-printer", speed: 1 } } } },
    /speed|link/,
  ],
  ["an unknown action", { start: [{ simulator: "receipt", action: "sing" }] }, /sing/],
])("%s is a clear error, and nothing is left running", async (_what, scenario, words) => {
  await expect(startStation({ scenario: scenario as never })).rejects.toThrow(words);
});

test("production never has a simulated device, whoever composes it", async () => {
  const { startAgent } = await import("../../src/agent.js");
  const { parseConfig } = await import("../../src/config/load.js");
  const { drivers } = await import("../../src/drivers/index.js");
  const text =
    '[agent]\nstateDir = "/nonexistent"\n[devices.receipt]\ndriver = "escpos"\nlink = { kind = "simulator", simulator = "receipt-printer" }\n';
  expect(() => parseConfig(text, "x", drivers)).toThrow(
    expect.objectContaining({ problems: [expect.objectContaining({ message: expect.stringMatching(/production|simulat/i) })] }),
  );
  const smuggled = parseConfig(text.replace("stateDir", 'mode = "test"\nstateDir'), "x", drivers);
  await expect(startAgent({ config: { ...smuggled, agent: { ...smuggled.agent, mode: "production" } } })).rejects.toMatchObject({
    kind: "invalid_params",
  });
});
