import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import { main } from "../../src/commands/main.js";
import type { Streams } from "../../src/commands/terminal.js";
import { startStation, type TestStation } from "../../src/testing.js";

const CODE = "HS-2026-000123";
let folder: string;
let station: TestStation;
let technician: StationClient;
let connection: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-recordings-"));
  const scanner = { driver: "serial-scanner", dialect: "honeywell" };
  station = await startStation({
    seed: 6,
    scenario: {
      devices: {
        scanner: { ...scanner, link: { kind: "simulator", simulator: "barcode-scanner", mode: "triggered" } },
        wand: { driver: "hid-pos", link: { kind: "simulator", simulator: "hid-scanner", model: "honeywell", mode: "triggered" } },
        papers: { driver: "escl", pollMs: 3_600_000, link: { kind: "simulator", simulator: "document-scanner", pageMs: 0 } },
        "id-reader": { driver: "pcsc", link: { kind: "simulator", simulator: "chip-card" } },
        terminal: { driver: "zvt", password: "739184", link: { kind: "simulator", simulator: "zvt-terminal", password: "739184" } },
      },
    },
  });
  technician = await station.connect("technician");
  const token = join(folder, "token");
  await writeFile(token, station.tokens.technician);
  connection = ["--url", station.url, "--token-file", token];
});
afterAll(async () => {
  await station.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The command inside this process, with what it said so far. */
function started(...args: string[]) {
  const said = { out: "", note: "" };
  let heard = (): void => {};
  const terminal: Streams = {
    out(text) {
      said.out += text;
      heard();
    },
    note(text) {
      said.note += text;
      heard();
    },
    outIsTty: false,
    noteIsTty: false,
    colour: false,
    columns: 80,
    env: {},
  };
  const code = main(args, terminal);
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) {
      const ended = await Promise.race([new Promise<false>((resolve) => (heard = () => resolve(false))), code.then(() => true)]);
      if (ended && !done()) throw new Error(`it ended: ${said.note}`);
    }
  };
  return { said, code, until };
}
const interrupt = (): boolean => process.emit("SIGINT", "SIGINT");

async function ready(client: StationClient, device: string): Promise<void> {
  while ((await client.call("devices.get", { device })).state !== "ready") await new Promise((resolve) => setTimeout(resolve, 5));
}

async function recorded(device: string, work: () => Promise<unknown>): Promise<string> {
  const file = join(folder, `${device}.ndjson`);
  const run = started("record", device, file, ...connection);
  await run.until(() => run.said.note.includes("Ctrl-C ends it"));
  await ready(technician, device);
  await work();
  interrupt();
  expect(await run.code, run.said.note).toBe(0);
  expect(run.said.note).toContain(`RECORDING ${device}: ALL that passes, unmasked`);
  expect(run.said.out).toContain("delete it when it has served");
  return file;
}

/** The code is held there until it was read: before its trigger a scanner sees nothing. */
async function scan(on: TestStation, client: StationClient, device: string) {
  let over = false;
  const scanning = client.call("barcodeScanner.scan", { device }).finally(() => {
    over = true;
  });
  while (!over) {
    await on.act(device, "scan", { text: CODE }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return await scanning;
}

test("nothing is recorded while citizens may come, by the page, or over another's file", async () => {
  const file = join(folder, "refused.ndjson");
  const refused = started("record", "scanner", file, ...connection);
  expect(await refused.code).toBe(4);
  expect(refused.said.note).toContain("stationd maintenance on");
  await expect(stat(file)).rejects.toMatchObject({ code: "ENOENT" });
  const page = await station.connect();
  await expect(page.call("devices.startRecording", { device: "scanner" })).rejects.toMatchObject({ kind: "forbidden" });
  await writeFile(file, "mine");
  const there = started("record", "scanner", file, ...connection);
  expect(await there.code).toBe(1);
  expect(there.said.note).toContain("is there already");
  expect(await readFile(file, "utf8")).toBe("mine");
  await page.close();
});

test("a recording ends, unread, with maintenance and with its session; and is bounded", async () => {
  await technician.call("agent.maintenance", { on: true });
  const other = await station.connect("technician");
  await other.call("devices.startRecording", { device: "scanner" });
  await expect(technician.call("devices.startRecording", { device: "scanner" })).rejects.toMatchObject({ kind: "busy" });
  await expect(technician.call("devices.stopRecording", { device: "scanner" })).rejects.toMatchObject({ kind: "invalid_params" });
  await technician.call("agent.maintenance", { on: false });
  await technician.call("agent.maintenance", { on: true });
  await expect(other.call("devices.stopRecording", { device: "scanner" })).rejects.toMatchObject({ kind: "invalid_params" });
  await technician.call("devices.startRecording", { device: "wand", mostBytes: 1_024 });
  await ready(technician, "wand");
  for (let count = 0; count < 8; count++) await scan(station, technician, "wand");
  const cut = await technician.call("devices.stopRecording", { device: "wand" });
  expect(cut).toMatchObject({ truncated: true });
  expect(cut.recording.byteLength).toBeLessThanOrEqual(1_024);
});

test("what is recorded is its owner's alone, and says what it is without secrets", async () => {
  await technician.call("agent.maintenance", { on: true });
  const file = await recorded("terminal", async () => {});
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const [head = ""] = (await readFile(file, "utf8")).split("\n");
  expect(JSON.parse(head)).toMatchObject({
    recording: 1,
    device: "terminal",
    class: "paymentTerminal",
    driver: "zvt",
    link: { kind: "simulator" },
    settings: { password: "[secret]" },
  });
  expect(head).not.toContain("739184");
});

test.each([
  ["scanner", "tcp"],
  ["wand", "tcp"],
  ["papers", "http"],
])("%s is recorded, and replayed to another agent over %s with the same result", async (device, kind) => {
  await technician.call("agent.maintenance", { on: true });
  const work = async (on: TestStation, client: StationClient): Promise<unknown> => {
    if (device !== "papers") return (await scan(on, client, device)).text;
    const asked = { device, source: "flatbed", resolutionDpi: 75, format: "jpeg" } as const;
    const { pages } = await client.call("documentScanner.scan", asked);
    return pages.map(({ widthPx, heightPx, image }) => [widthPx, heightPx, image?.sha256]);
  };
  let first: unknown;
  const file = await recorded(device, async () => {
    first = await work(station, technician);
  });
  const replay = started("replay", file, "--json");
  await replay.until(() => replay.said.out.includes("\n"));
  const [, host = "", port = ""] = (JSON.parse(replay.said.out) as { listening: string }).listening.split(" ");
  const drivers = {
    scanner: { driver: "serial-scanner", dialect: "honeywell" },
    wand: { driver: "hid-pos" },
    papers: { driver: "escl", pollMs: 3_600_000 },
  };
  const settings = drivers[device as keyof typeof drivers];
  {
    await using other = await startStation({
      scenario: { devices: { [device]: { ...settings, link: { kind, host, port: Number(port) } } } },
    });
    const client = await other.connect();
    await ready(client, device);
    expect(await work(other, client)).toEqual(first);
    expect(first).toBeDefined();
  }
  interrupt();
  expect(await replay.code, replay.said.out).toBe(0);
});

test("an agent that does something else ends the replay, which says where", async () => {
  const file = join(folder, "other.ndjson");
  const lines = (await readFile(join(folder, "scanner.ndjson"), "utf8")).trim().split("\n");
  const at = lines.findIndex((line) => /"from":"agent","base64"/.test(line));
  lines[at] = (lines[at] ?? "").replace(/"base64":".*"/, '"base64":"AAAA"');
  await writeFile(file, lines.join("\n"));
  const replay = started("replay", file);
  await replay.until(() => replay.said.out.includes("link = "));
  const [, port] = /port = (\d+)/.exec(replay.said.out) ?? [];
  const link = { kind: "tcp", host: "127.0.0.1", port: Number(port) };
  await using other = await startStation({ scenario: { devices: { scanner: { driver: "serial-scanner", dialect: "honeywell", link } } } });
  const client = await other.connect();
  void client.call("barcodeScanner.scan", { device: "scanner" }).catch(() => {});
  expect(await replay.code).toBe(1);
  expect(replay.said.note).toContain(`replay, line ${at + 1}: byte 1 from the agent differs`);
});

test("what has random numbers in it is said to be for tests", async () => {
  await technician.call("agent.maintenance", { on: true });
  const replay = started("replay", await recorded("id-reader", async () => {}));
  expect(await replay.code).toBe(1);
  expect(replay.said.note).toContain("replayed in tests");
});

test("trace shows one line for each exchange, and JSON for programs", async () => {
  const run = started("trace", "scanner", "--json", ...connection);
  await technician.call("devices.get", { device: "scanner" });
  while (run.said.out === "") await scan(station, technician, "scanner");
  const [line = ""] = run.said.out.split("\n");
  expect(JSON.parse(line)).toEqual({
    time: expect.any(Number),
    device: "scanner",
    from: expect.stringMatching(/agent|device/),
    words: expect.any(String),
  });
  interrupt();
  expect(await run.code).toBe(0);
  const text = started("trace", "scanner", ...connection);
  while (text.said.out === "") await scan(station, technician, "scanner");
  interrupt();
  expect(await text.code).toBe(0);
  expect(text.said.out).toMatch(/^\d\d:\d\d:\d\d\.\d{3} [→←] .*bytes/m);
  for (const one of text.said.out.split("\n")) expect([...one].length).toBeLessThanOrEqual(80);
});
