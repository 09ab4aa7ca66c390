import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import { TEST_CODE } from "../../src/technician/test-page.js";
import { startStation, type TestStation } from "../../src/testing.js";

const COMMAND = fileURLToPath(new URL("../../bundle/stationd.js", import.meta.url));
// Some tests start several commands, each a process of its own.
vi.setConfig({ testTimeout: 120_000 });
let station: TestStation;
let folder: string;
let technician: StationClient;

beforeAll(async () => {
  const backEnd = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();
  const simulated = (simulator: string, more: object = {}) => ({ kind: "simulator", simulator, ...more });
  station = await startStation({
    seed: 31,
    scenario: {
      devices: {
        receipt: { driver: "escpos", link: simulated("receipt-printer") },
        scanner: { driver: "serial-scanner", link: simulated("barcode-scanner") },
        "id-reader": { driver: "pcsc", link: simulated("chip-card") },
        documents: { driver: "escl", link: simulated("document-scanner") },
        camera: { driver: "ffmpeg", link: simulated("camera") },
        terminal: { driver: "zvt", password: "123456", t3Ms: 30_000, link: simulated("zvt-terminal", { t3Ms: 30_000 }) },
        vietqr: { driver: "vietqr", bankBin: "999999", account: "0000000000", confirmationKeys: [backEnd], link: { kind: "none" } },
      },
    },
  });
  folder = await mkdtemp(join(tmpdir(), "stationd-try-"));
  await writeFile(join(folder, "token"), station.tokens.technician);
  technician = await station.connect("technician");
});
afterAll(async () => {
  await station.stop();
  await rm(folder, { recursive: true, force: true });
});

const line = (...args: string[]): string[] => [COMMAND, "test", ...args, "--url", station.url, "--token-file", join(folder, "token")];

function start(...args: string[]) {
  const child = spawn(process.execPath, line(...args), { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const said = { out: "", note: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.note += text;
  });
  return { child, said, ended: once(child, "close").then(([code]) => ({ code: code as number | null, ...said })) };
}
const tried = (...args: string[]) => start(...args).ended;
const inService = async (): Promise<boolean> => !(await technician.call("agent.describe", {})).maintenance;

test("printer: a test page out of service, and back in service; nobody there to ask is no yes", async () => {
  expect(await tried("receipt")).toMatchObject({ code: 130, out: "", note: expect.stringContaining("Add --yes") });
  expect(await tried("receipt", "--yes", "--json")).toMatchObject({ code: 0, out: expect.stringContaining('"result": "unseen"') });
  expect(await inService()).toBe(true);
  await station.act("receipt", "paperOut");
  expect(await tried("receipt", "--yes", "-t", "2")).toMatchObject({
    code: 4,
    out: expect.stringMatching(/DOES NOT WORK[\s\S]*Load paper/),
  });
  await station.act("receipt", "refill");
  expect(await inService()).toBe(true);
  const page = await station.connect();
  await page.call("devices.claim", { device: "camera", ttlMs: 1_000 });
  // A citizen stands there: nothing is tried.
  expect(await tried("receipt", "--yes")).toMatchObject({ code: 1, note: expect.stringContaining("citizen") });
  await page.call("session.endCitizen", {});
});

test("printer: guided, on a terminal of 80 columns", async ({ skip }) => {
  if (!existsSync("/usr/bin/script")) skip("needs script(1) of Debian's bsdutils");
  const command = line("receipt")
    .map((word) => `'${word}'`)
    .join(" ");
  const child = spawn("script", ["-qec", `stty cols 80 rows 24 -echo; '${process.execPath}' ${command}`, "/dev/null"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
  });
  const until = async (wanted: string): Promise<void> => {
    while (!shown.includes(wanted)) {
      await Promise.race([once(child.stdout, "data"), once(child, "close")]);
      expect(shown.includes(wanted) || child.exitCode === null, shown).toBe(true);
    }
  };
  await until("Go on? [y/n]");
  expect(await inService()).toBe(true);
  child.stdin.write("y\n");
  await until("Does it look right? [y/n]");
  expect(await inService()).toBe(false);
  child.stdin.write("n\n");
  const [code] = (await once(child, "close")) as [number];
  expect(code).toBe(1);
  expect(shown).toContain("DOES NOT WORK");
  expect(await inService()).toBe(true);
});

test.each(["SIGINT", "SIGHUP", "SIGTERM"] as const)("%s in the middle leaves the station in service", async (signal) => {
  await station.act("receipt", "openCover");
  const { child, ended } = start("receipt", "--yes");
  while (await inService()) await new Promise((resolve) => setImmediate(resolve));
  child.kill(signal);
  child.kill(signal);
  await ended;
  expect(await inService()).toBe(true);
  await station.act("receipt", "closeCover");
});

test("scanner: the code that is shown, another one, and one without its letters", async () => {
  const shown = async (text: string) => {
    const run = start("scanner", "--json");
    while (!run.said.note.includes("Show this code")) await once(run.child.stderr, "data");
    let over = false;
    void run.ended.then(() => {
      over = true;
    });
    // Codes that nobody waits for are dropped, so it is shown until somebody does.
    while (!over) {
      await station.act("scanner", "scan", { text });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return await run.ended;
  };
  expect(await shown(TEST_CODE)).toMatchObject({ code: 0, out: expect.stringContaining('"result": "passed"') });
  const other = await shown("079203004567|234567890|Nguyễn Thị Thuỳ|01022003|Nữ|Số 7|03042021");
  expect(other).toMatchObject({ code: 1, out: expect.stringContaining('"result": "failed"') });
  expect(other.out + other.note).not.toMatch(/Nguyễn|079203004567/);
  expect(await shown(TEST_CODE.replace("Đ", "?"))).toMatchObject({ code: 1 });
  expect(await tried("scanner", "-t", "1")).toMatchObject({ code: 4 });
});

test("chip reader: what kind of card it is; of its number the end", async () => {
  await station.act("id-reader", "insert", { person: "A" });
  expect(await tried("id-reader")).toMatchObject({ code: 0, out: expect.stringContaining("as ID cards have") });
  const opened = await tried("id-reader", "--can", "412345");
  expect(opened).toMatchObject({ code: 0, out: expect.stringContaining("number *********345, opened with PACE") });
  expect(opened.out + opened.note).not.toContain("001190412345");
  expect(await tried("id-reader", "--can", "999999")).toMatchObject({ code: 4 });
  await station.act("id-reader", "card", { uidOnly: true });
  expect((await tried("id-reader", "--json")).out).toContain('"fixed-uid"');
  await station.act("id-reader", "reset");
  expect(await tried("id-reader", "-t", "1")).toMatchObject({ code: 4 });
});

test("document scanner and camera: size and sharpness; nothing is kept unless it is named", async () => {
  await station.act("documents", "layOnGlass", { page: {} });
  expect(await tried("documents")).toMatchObject({ code: 0, out: expect.stringContaining("1240 × 1754 pixels") });
  expect(await tried("documents", "--out", "page.gif")).toMatchObject({ code: 1 });
  expect(await tried("camera", "--json")).toMatchObject({ code: 0, out: expect.stringContaining('"sharpness"') });
  expect(await readdir(folder)).toEqual(["token"]);
  expect(await tried("camera", "--out", "picture.jpg")).toMatchObject({ code: 0, out: expect.stringContaining("Kept in picture.jpg") });
  expect(await readdir(folder)).toEqual(["picture.jpg", "token"]);
  await station.act("camera", "blurred", { on: true });
  expect(await tried("camera")).toMatchObject({ code: 1, out: expect.stringContaining("blurred") });
});

test("payment terminal: charged and taken back, and never charged where it could not be", async () => {
  expect(await tried("terminal")).toMatchObject({ code: 130, note: expect.stringContaining("Add --yes") });
  expect(await tried("vietqr", "--yes")).toMatchObject({ code: 1, note: expect.stringContaining("cannot give money back") });
  const before = (await technician.call("jobs.list", {})).jobs.length;
  const unnamed = spawn(process.execPath, [COMMAND, "test", "terminal", "--yes", "--url", station.url], { stdio: "ignore" });
  expect(await once(unnamed, "close")).toEqual([6, null]);
  expect((await technician.call("jobs.list", {})).jobs).toHaveLength(before);
  const done = await tried("terminal", "--yes", "--json");
  expect(done.code).toBe(0);
  expect(JSON.parse(done.out)).toMatchObject({ result: "passed", payment: { state: "approved" }, reversal: { state: "reversed" } });
  expect(await inService()).toBe(true);
});
