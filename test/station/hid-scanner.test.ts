import { afterAll, beforeAll, expect, test } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { faultRow } from "../support/fault.js";

const CARD =
  "079203004567|234567890|Nguyễn Thị Thuỳ Dương|01022003|Nữ|Số 7, hẻm Cầu Đá, phường Vĩnh Nguyên, thành phố Nha Trang, tỉnh Khánh Hoà|03042021";

let station: TestStation;
let page: StationClient;
beforeAll(async () => {
  const link = (more: Record<string, string>) => ({ kind: "simulator", simulator: "hid-scanner", ...more });
  station = await startStation({
    seed: 5,
    scenario: {
      devices: {
        scanner: { driver: "hid-pos", link: link({ model: "honeywell", mode: "triggered" }) },
        newland: { driver: "hid-pos", link: link({ model: "newland" }) },
        wedge: { driver: "hid-pos", link: link({ model: "keyboard" }) },
        typing: { driver: "hid-pos", acceptKeyboard: true, link: link({ model: "keyboard" }) },
      },
    },
  });
  page = await station.connect();
});
afterAll(() => station.stop());

test("a card's code comes whole over three reports, when the page asks for it and the scanner is told to read", async () => {
  expect(Buffer.byteLength(CARD)).toBeGreaterThan(150);
  await station.act("scanner", "scan", { text: CARD, fragments: [56, 19] });
  expect(await page.call("barcodeScanner.scan", { device: "scanner" })).toMatchObject({
    device: "scanner",
    text: CARD,
    symbology: "]Q1",
    encoding: "utf-8",
    simulated: true,
    parsed: { kind: "citizenCard", idNumber: "079203004567", name: "Nguyễn Thị Thuỳ Dương" },
  });
  const capabilities = await page.call("devices.capabilities", { device: "scanner" });
  expect(capabilities).toMatchObject({ capabilities: { trigger: true, symbology: true } });
});

test("another maker's scanner, which reads all the time and has no AIM identifier", async () => {
  const waiting = page.call(
    "barcodeScanner.scan",
    { device: "newland" },
    { onProgress: () => void station.act("newland", "scan", { text: CARD, fragments: new Array(60).fill(7) }) },
  );
  const scan = await waiting;
  expect(scan).toMatchObject({ text: CARD, encoding: "utf-8" });
  expect(scan.symbology).toBeUndefined();
});

faultRow({
  device: "scanner",
  fault: "Set to type like a keyboard",
  sees: "`unsupported`; its codes are `lossy` where the setting takes it all the same",
  does: "does not use it: diacritics were lost before they came; the hint says how to set the scanner",
  back: "the scanner is set to HID POS",
});
test("a keyboard is not ready, and says what to do; one that is taken all the same is marked", async () => {
  const wedge = await page.call("devices.get", { device: "wedge" });
  expect(wedge.state).not.toBe("ready");
  expect(wedge.reason).toMatchObject({ kind: "unsupported", hint: expect.stringContaining("HID POS") });
  const waiting = page.call(
    "barcodeScanner.scan",
    { device: "typing" },
    { onProgress: () => void station.act("typing", "scan", { text: "Hồ sơ HS-1" }) },
  );
  expect(await waiting).toMatchObject({ text: "H s HS-1", encoding: "lossy" });
});

faultRow({
  device: "scanner",
  fault: "Cable pulled while a page waits for a code (USB HID)",
  knobs: ["hid-scanner.unplug"],
  sees: "`device_absent`",
  does: "ends the wait with the scanner's name, and looks for it; nobody presses anything",
  bounds: ["tryAgain"],
  measured: ["lab: scanner-hid, pulled idle"],
});
test("a scanner that is pulled while a page waits ends the wait with its name, and is found again", async () => {
  const pulled = page.call("barcodeScanner.scan", { device: "newland" }, { onProgress: () => void station.act("newland", "unplug") });
  await expect(pulled).rejects.toMatchObject({ kind: "device_absent", device: "newland" });
  await station.act("newland", "plug");
  while ((await page.call("devices.get", { device: "newland" })).state !== "ready") await new Promise((resolve) => setTimeout(resolve, 20));
  const back = page.call(
    "barcodeScanner.scan",
    { device: "newland" },
    { onProgress: () => void station.act("newland", "scan", { text: "BACK" }) },
  );
  expect((await back).text).toBe("BACK");
});
