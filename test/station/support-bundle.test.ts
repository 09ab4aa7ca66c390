import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { SECRETS } from "../../simulators/zvt-terminal/indiscreet.js";
import { createLogger } from "../../src/observability/log.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { leaks } from "../support/canary.js";

const COMMAND = fileURLToPath(new URL("../../bundle/stationd.js", import.meta.url));

/** Nobody's: invented for this test. */
const citizen = {
  idNumber: "001190412345",
  scannedName: "Trần Thị Kim Yến",
  address: "Số 9 ngõ Hoàng Yến, phường Chim Sẻ",
  receiptText: "Kết quả: thử máu dương tính",
  jobKey: "ho-so-canary-4711-yen",
  reference: "HD-CANARY-99117",
  paid: "Viện phí của bà Yến",
  pan: SECRETS.pan.slice(0, 12),
  track2: SECRETS.track2.slice(-19),
  dyingWords: "Error: cannot read the card of Lê Văn Hoàng Oanh",
  comment: "goi co Oanh 0912345678 khi hong",
};
const secrets = {
  passphrase: "correct canary battery staple",
  inUrl: "canary-url-password",
  tokenHash: `${"c0ffee".repeat(10)}beef`,
  userOfUrl: "canary-user-name",
};
const ZVT_PASSWORD = "739184";

vi.setConfig({ testTimeout: 120_000 });
let folder: string;
let station: TestStation;
const logged: Buffer[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-bundle-"));
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(Buffer.from(chunk));
      done();
    },
  });
  const simulated = (simulator: string, more: object = {}) => ({ kind: "simulator", simulator, ...more });
  station = await startStation({
    seed: 21,
    log: createLogger({ level: "debug", destination }),
    scenario: {
      devices: {
        receipt: { driver: "escpos", link: simulated("receipt-printer") },
        scanner: { driver: "serial-scanner", link: simulated("barcode-scanner") },
        "id-reader": { driver: "pcsc", link: simulated("chip-card") },
        documents: { driver: "escl", link: simulated("document-scanner") },
        camera: { driver: "ffmpeg", link: simulated("camera") },
        terminal: {
          driver: "zvt",
          password: ZVT_PASSWORD,
          printReceipts: true,
          t3Ms: 20_000,
          link: simulated("zvt-terminal", { password: ZVT_PASSWORD, t3Ms: 20_000, faults: [{ fault: "indiscreet", times: 1_000_000 }] }),
        },
      },
    },
  });
  await writeFile(join(folder, "token"), station.tokens.technician);
});
afterAll(async () => {
  await station.stop();
  await rm(folder, { recursive: true, force: true });
});

async function bundle(name: string, ...args: string[]): Promise<{ code: number; out: string; note: string }> {
  const child = spawn(process.execPath, [COMMAND, "support-bundle", join(folder, name), ...args], {
    env: { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, note] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    note += text;
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, out, note };
}

/** Everything that a citizen leaves behind in a day, and failures with it. */
async function day(): Promise<void> {
  const page = await station.connect();
  const card = `${citizen.idNumber}|234567890|${citizen.scannedName}|01011990|Nữ|${citizen.address}|03042021`;
  const waiting = page.call("barcodeScanner.scan", { timeoutMs: 60_000 });
  await station.act("scanner", "scan", { text: card });
  expect((await waiting).text).toBe(card);
  const document = {
    title: citizen.scannedName,
    blocks: [
      { type: "text" as const, text: citizen.receiptText },
      { type: "qr" as const, data: card },
    ],
  };
  expect(await page.call("printer.print", { document, idempotencyKey: citizen.jobKey })).toMatchObject({ state: "printed" });
  await station.act("receipt", "paperOut");
  await page.call("printer.print", { document, idempotencyKey: `${citizen.jobKey}-2`, timeoutMs: 2_000 });
  await station.act("receipt", "refill");
  await station.act("id-reader", "insert", { person: "A" });
  const { details } = await page.call("chipReader.readCard", { access: { idNumber: citizen.idNumber } });
  Object.assign(citizen, { cardName: details?.name, residence: details?.residence });
  await page.call("chipReader.readCard", { access: { qr: card } }).catch(() => {});
  await page.call("documentScanner.scan", { resolutionDpi: 75, format: "jpeg" }).catch(() => {});
  await page.call("camera.snapshot", { timeoutMs: 60_000 });
  const order = { amountVnd: 41_000, reference: citizen.reference, description: citizen.paid, idempotencyKey: `${citizen.jobKey}-3` };
  expect(await page.call("paymentTerminal.pay", order)).toMatchObject({ state: "approved" });
}

const config = `# ${citizen.comment}
[agent]
name = "desk"
mode = "test"
[server]
serviceSocket = false
technicianSocket = false
[[server.tokens]]
name = "monitoring"
role = "technician"
sha256 = "${secrets.tokenHash}"
[devices.terminal]
driver = "zvt"
password = "${ZVT_PASSWORD}"
link = { kind = "tcp", host = "127.0.0.1", port = 9 }
[devices.other-terminal]
driver = "nexo"
poiId = "P"
saleId = "S"
keyIdentifier = "K"
keyVersion = 1
passphrase = "${secrets.passphrase}"
link = { kind = "simulator", simulator = "nexo-terminal", passphrase = "${secrets.passphrase}" }
[devices.documents]
driver = "sane"
link = { kind = "sane", network = [{ name = "desk", url = "http://${secrets.userOfUrl}:${secrets.inUrl}@127.0.0.1/eSCL" }] }
`;

test("a support bundle holds what support needs, and nothing of a citizen, no token and no password", async () => {
  await day();
  const log = join(folder, "agent.log");
  const foreign = [
    JSON.stringify({ MESSAGE: citizen.dyingWords, PRIORITY: "3", __REALTIME_TIMESTAMP: "1795474800000000" }),
    `${citizen.dyingWords}\n    at read (file:///usr/lib/stationd/dist/bundle/stationd.js:10:20)`,
    JSON.stringify({ level: "info", time: 1, msg: "agent started", device: "receipt", patient: citizen.scannedName }),
  ];
  await writeFile(log, `${Buffer.concat(logged).toString("utf8")}${foreign.join("\n")}\n`);
  await writeFile(join(folder, "stationd.toml"), config);
  const flags = ["--config", join(folder, "stationd.toml"), "--log-file", log];
  const said = await bundle("b.tar.gz", ...flags, "--url", station.url, "--token-file", join(folder, "token"));
  expect(said).toMatchObject({ code: 0, note: "" });

  const planted = { ...citizen, ...secrets, token: station.tokens.technician, kiosk: station.tokens.kiosk };
  expect(Object.values(planted).every((value) => typeof value === "string" && value.length >= 12)).toBe(true);
  const packed = await readFile(join(folder, "b.tar.gz"));
  expect((await stat(join(folder, "b.tar.gz"))).mode & 0o077).toBe(0);
  expect(leaks(packed, planted)).toEqual([]);
  expect(leaks(gunzipSync(packed), planted)).toEqual([]);
  expect(leaks(Buffer.from(said.out), planted)).toEqual([]);
  // Read by the tar of the system, file by file.
  await promisify(execFile)("tar", ["xzf", join(folder, "b.tar.gz"), "-C", folder]);
  const names = await readdir(join(folder, "stationd-support"));
  const files = new Map<string, string>();
  for (const name of names) files.set(name, await readFile(join(folder, "stationd-support", name), "utf8"));
  for (const [name, text] of files) expect(leaks(Buffer.from(text), planted), name).toEqual([]);

  // What support needs is there.
  expect(files.get("config.toml")).toContain('passphrase = "[secret]"');
  expect(files.get("config.toml")).toContain("http://[secret]@127.0.0.1/eSCL");
  expect(files.get("config.toml")).not.toContain(ZVT_PASSWORD);
  expect(files.get("devices.json")).toContain('"id-reader"');
  const jobs = JSON.parse(files.get("jobs.json") ?? "") as { kind: string; state: string; reason?: { kind: string } }[];
  expect(jobs.map(({ kind, state }) => `${kind} ${state}`).sort()).toEqual(["payment approved", "print not_started", "print printed"]);
  expect(jobs.some(({ reason }) => reason?.kind === "paper_out")).toBe(true);
  expect(files.get("metrics.txt")).toContain("stationd_requests_total");
  expect(files.get("log.jsonl")).toContain('"event":"agent started"');
  expect(files.get("log.jsonl")).toContain("characters, left out)");
  expect(files.get("log.jsonl")).toContain("stationd.js:10:20");
  expect(JSON.parse(files.get("versions.json") ?? "")).toMatchObject({ node: { node: process.versions.node } });
  expect(files.get("contents.json")).toContain('"kernel.txt"');

  // The search would have found them: they are in what went in.
  expect(leaks(await readFile(log), planted).join()).toContain("dyingWords");
  expect(leaks(Buffer.from(config), planted).join()).toMatch(/comment.*passphrase/);
});

test("a dead agent and a broken configuration leave a bundle that says so, and no file is written over", async () => {
  await writeFile(join(folder, "broken.toml"), `[server]\nprot = "${secrets.inUrl}"\n`);
  const args = ["--config", join(folder, "broken.toml"), "--log-file", join(folder, "none.log"), "--socket", join(folder, "none.sock")];
  const said = await bundle("dead.tar.gz", ...args);
  expect(said).toMatchObject({ code: 0, note: "" });
  expect(said.out).toMatch(/without devices\.json: the agent cannot be reached/);
  expect(said.out).toContain("without log.jsonl: system error ENOENT");
  const text = gunzipSync(await readFile(join(folder, "dead.tar.gz"))).toString("utf8");
  expect(text).toContain("server.prot: unknown key");
  expect(text).not.toContain(secrets.inUrl);
  const again = await bundle("dead.tar.gz", ...args);
  expect(again).toMatchObject({ code: 1, out: "" });
  expect(again.note).toContain("there already is such a file");
});
