import { describe, expect, it } from "vitest";
import { hidScanner } from "../../simulators/hid-scanner/index.js";
import { parseScan } from "../../src/citizen-id/scan.js";
import type { ScannedCode } from "../../src/contracts/barcode-scanner.js";
import type { Condition } from "../../src/contracts/driver.js";
import { hidPos } from "../../src/drivers/barcode-scanner/hid-pos/driver.js";
import { manualClock } from "../../src/kernel/clock.js";
import { DeviceError } from "../../src/kernel/errors.js";
import { silentLog } from "../../src/kernel/log.js";
import { seededRandom } from "../../src/kernel/random.js";
import { hidOverLink } from "../../src/transports/hid-over-link.js";
import { memoryPair } from "../../src/transports/index.js";
import { faultRow } from "../support/fault.js";

const never = new AbortController().signal;
const CARD =
  "001190000001|012345678|Nguyễn Thị Mẫu|01021990|Nữ|Số 1 Đường Mẫu, phường Dịch Vọng Hậu, quận Cầu Giấy, thành phố Hà Nội|03042021";
const MODELS = ["honeywell", "honeywell-early", "honeywell-remote", "jieli", "newland", "uncounted"];

/** The driver and the simulated scanner, two readings of the same specification, on one wire and one clock. */
async function pair(scannerOptions: Record<string, unknown>, driverSettings: Record<string, unknown> = {}) {
  const clock = manualClock();
  const random = seededRandom(3);
  const conditions: Condition[] = [];
  const scanner = hidScanner.create(hidScanner.options.parse(scannerOptions), { clock, random, changed() {} });
  const opening = hidPos.open(hidPos.config.parse(driverSettings), {
    device: "scanner",
    connect: hidOverLink(async () => {
      const [near, far] = memoryPair();
      scanner.attach(far);
      return near;
    }),
    clock,
    random,
    log: silentLog,
    signal: never,
    imaging: { draw: () => Promise.reject(new DeviceError("unsupported")), png: () => Promise.reject(new DeviceError("unsupported")) },
    simulated: true,
    report: (condition) => conditions.push(condition),
  });
  if (driverSettings.honeywellMode) for (let second = 0; second < 2; second++) await clock.advance(1_000);
  const device = await opening;
  const codes: ScannedCode[] = [];
  device.onScan((code) => codes.push(code));
  const act = async (action: string, params: unknown = {}): Promise<void> => {
    const chosen = scanner.actions[action];
    void chosen?.act(chosen.params.parse(params));
    await clock.advance(0);
  };
  const close = () => Promise.all([device.close(), scanner.close()]);
  return { clock, device, codes, conditions, act, texts: () => codes.map(({ text }) => text), close };
}

describe.each(MODELS)("driver and simulated %s", (model) => {
  it("agree on a card's code, a few bytes at a time", async () => {
    const { clock, act, texts, close } = await pair({ model });
    await act("scan", { text: CARD, fragments: new Array(100).fill(3), gapMs: 2 });
    await clock.advance(1_000);
    await act("scan", { text: CARD });
    expect(texts()).toEqual([CARD, CARD]);
    expect(parseScan(CARD)).toMatchObject({ kind: "citizenCard", name: "Nguyễn Thị Mẫu" });
    await close();
  });

  faultRow({
    device: "scanner",
    fault: "Garbage, codes without end and wrong lengths over USB",
    knobs: ["hid-scanner.garbage", "hid-scanner.endless", "hid-scanner.wrongLength"],
    sees: "no code; `ready`, with the warning `bad_report` or `code_too_long`",
    does: "drops them whole, and takes the next code",
    back: "the next code",
  });
  it("come together again after garbage, endless codes and wrong lengths", async () => {
    const { clock, act, texts, conditions, close } = await pair({ model });
    await act("garbage", { reports: 200 });
    await act("endless", { reports: 400 });
    await clock.advance(1_000);
    expect(JSON.stringify(conditions)).toContain("code_too_long");
    await act("wrongLength", { kind: "short" });
    expect(conditions.at(-1)).toEqual({ state: "ready", warnings: ["bad_report"] });
    await act("wrongLength", { kind: "count" });
    expect(conditions.at(-1)).toEqual({ state: "ready", warnings: ["bad_report"] });
    await act("wrongLength", { kind: "long" });
    await act("scan", { text: "HS-1" });
    expect(texts().slice(-2)).toEqual(["AAAAA", "HS-1"]);
    expect(conditions.at(-1)).toEqual({ state: "ready" });
    await close();
  });
});

it.each(["honeywell", "honeywell-early", "jieli", "uncounted"])("agree on the trigger of a %s", async (model) => {
  const { clock, device, act, texts, close } = await pair({ model, mode: "triggered" });
  await act("scan", { text: "HS-1" });
  expect(texts()).toEqual([]);
  await device.trigger(true, never);
  await clock.advance(0);
  expect(texts()).toEqual(["HS-1"]);
  await device.trigger(true, never);
  await device.trigger(false, never);
  await clock.advance(0);
  await act("scan", { text: "HS-2" });
  expect(texts()).toEqual(["HS-1"]);
  await close();
});

it("agree on the AIM identifier", async () => {
  const { codes, act, close } = await pair({ model: "uncounted" });
  await act("scan", { text: "\x1d0104912345123459", symbology: "]d2" });
  expect(codes).toMatchObject([{ text: "\x1d0104912345123459", symbology: "]d2", encoding: "utf-8" }]);
  await close();
});

it.each(["silent", "re-enumerate"])("agree on Honeywell's mode switch of a scanner that is %s", async (redirect) => {
  const unasked = await pair({ redirect });
  await unasked.act("scan", { text: "TO-THE-KEYBOARD" });
  expect(unasked.texts()).toEqual([]);
  await unasked.close();
  const { act, texts, close } = await pair({ redirect }, { honeywellMode: true });
  await act("scan", { text: "HS-1" });
  expect(texts()).toEqual(["HS-1"]);
  await close();
});

it("a keyboard is refused with its hint, or taken with its losses", async () => {
  await expect(pair({ model: "keyboard" })).rejects.toMatchObject({ kind: "unsupported", hint: expect.stringContaining("HID POS") });
  const { codes, act, close } = await pair({ model: "keyboard" }, { acceptKeyboard: true });
  await act("scan", { text: "001190000001||Nguyễn Thị Mẫu" });
  expect(codes).toMatchObject([{ text: "001190000001||Nguyn Th Mu", encoding: "lossy" }]);
  await close();
});

it("part when the cable is pulled", async () => {
  const { device, act, close } = await pair({});
  await act("unplug");
  expect((await device.lost).kind).toBe("device_absent");
  await close();
});
