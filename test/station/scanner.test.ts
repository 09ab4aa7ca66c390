import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { faultRow } from "../support/fault.js";

let station: TestStation;
let page: StationClient;
let other: StationClient;

beforeAll(async () => {
  station = await startStation({ seed: 5 });
});
beforeEach(async () => {
  await station.reset();
  page = await station.connect();
  other = await station.connect();
});
afterAll(() => station.stop());

const show = (text: string, more: Record<string, number[]> = {}): Promise<unknown> => station.act("scanner", "scan", { text, ...more });

test("one code, whole, decoded once, however it was cut on the wire", async () => {
  const card = "079203004567|234567890|Nguyễn Thị Thuỳ Dương|01022003|Nữ|Số 7 hẻm Cầu Đá|03042021";
  const waiting = page.call("barcodeScanner.scan", {});
  await show(card, { chunks: [1, 22, 1, 1, 3] });
  expect(await waiting).toMatchObject({
    device: "scanner",
    text: card,
    encoding: "utf-8",
    simulated: true,
    parsed: { kind: "citizenCard", idNumber: "079203004567", name: "Nguyễn Thị Thuỳ Dương", birthDate: "2003-02-01", sex: "female" },
  });
});

test("a code that was shown before anybody asked is not kept for whoever asks next", async () => {
  await show("OLD-CODE-1");
  const waiting = page.call("barcodeScanner.scan", {}, { onProgress: () => void show("NEW-CODE-2") });
  expect((await waiting).text).toBe("NEW-CODE-2");
});

test("scanned events go to the session that enabled the scanner, and to no other", async () => {
  const seen: string[] = [];
  const overheard: string[] = [];
  await other.subscribe(["barcodeScanner"], (update) => update.kind === "event" && overheard.push(update.data.scanned.text));
  const scans = page.barcodeScanner.scans();
  const first = scans.next();
  while ((await other.call("barcodeScanner.scan", { timeoutMs: 1 }).catch((error: { kind: string }) => error.kind)) !== "busy");
  await show("DOSSIER-1");
  seen.push((await first).value.text);
  await show("DOSSIER-2");
  seen.push((await scans.next()).value.text);
  await scans.return?.();
  expect(seen).toEqual(["DOSSIER-1", "DOSSIER-2"]);
  expect(overheard).toEqual([]);
});

faultRow({
  device: "scanner",
  fault: "Nobody shows a code, or the citizen leaves",
  sees: "`timeout` or `canceled`",
  does: "stops reading; the scanner is free for who comes next",
  back: "at once",
});
test("nobody shows a code: timeout; the page cancels: canceled; the citizen leaves: canceled; and the scanner is free again", async () => {
  await expect(page.call("barcodeScanner.scan", { timeoutMs: 50 })).rejects.toMatchObject({ kind: "timeout" });
  const asking = new AbortController();
  const canceled = page.call("barcodeScanner.scan", {}, { signal: asking.signal, onProgress: () => asking.abort() });
  await expect(canceled).rejects.toMatchObject({ kind: "canceled" });
  const left = page.call("barcodeScanner.scan", {}, { onProgress: () => void page.call("session.endCitizen", {}) });
  await expect(left).rejects.toMatchObject({ kind: "canceled" });
  const waiting = other.call("barcodeScanner.scan", {}, { onProgress: () => void show("FREE-AGAIN") });
  expect((await waiting).text).toBe("FREE-AGAIN");
});

test("a claim keeps the scanner for one session, says who has it, and ends with the connection", async () => {
  await page.call("devices.claim", { device: "scanner", ttlMs: 60_000 });
  await expect(other.call("barcodeScanner.scan", {})).rejects.toMatchObject({ kind: "busy", details: { client: "test 1" } });
  await expect(other.call("devices.release", { device: "scanner" })).rejects.toMatchObject({ kind: "busy" });
  const technician = await station.connect("technician");
  page.close();
  while ((await technician.call("devices.get", { device: "scanner" })).claim);
  const waiting = other.call("barcodeScanner.scan", {}, { onProgress: () => void show("MINE-NOW") });
  expect((await waiting).text).toBe("MINE-NOW");
});

test("a page that was reloaded gets the scanner that it had enabled before", async () => {
  const scans = page.barcodeScanner.scans();
  const first = scans.next();
  first.catch(() => {});
  while ((await other.call("barcodeScanner.scan", { timeoutMs: 1 }).catch((error: { kind: string }) => error.kind)) !== "busy");
  page.close();
  while ((await other.call("barcodeScanner.scan", { timeoutMs: 1 }).catch((error: { kind: string }) => error.kind)) !== "timeout");
});

test("what a page has enabled nobody claims away while the page is there", async () => {
  await page.call("barcodeScanner.enable", {});
  await expect(other.call("devices.claim", { device: "scanner", ttlMs: 5_000 })).rejects.toMatchObject({ kind: "busy" });
  await page.call("barcodeScanner.disable", {});
  await other.call("devices.claim", { device: "scanner", ttlMs: 5_000 });
});

faultRow({
  device: "scanner",
  fault: "Cable pulled while a page waits for a code (serial)",
  knobs: ["barcode-scanner.unplug"],
  sees: "`device_absent`",
  does: "ends the wait with the scanner's name, and looks for it; nobody presses anything",
  bounds: ["tryAgain"],
  measured: ["lab: scanner-acm, pulled idle"],
});
test("a scanner that is pulled while a page waits ends the wait with its name, and is found again", async () => {
  const pulled = page.call("barcodeScanner.scan", {}, { onProgress: () => void station.act("scanner", "unplug") });
  await expect(pulled).rejects.toMatchObject({ kind: "device_absent", device: "scanner", hint: expect.stringMatching(/./) });
  await station.act("scanner", "plug");
  while ((await page.call("devices.get", { device: "scanner" })).state !== "ready") await new Promise((resolve) => setTimeout(resolve, 20));
  const waiting = page.call("barcodeScanner.scan", {}, { onProgress: () => void show("BACK") });
  expect((await waiting).text).toBe("BACK");
});
