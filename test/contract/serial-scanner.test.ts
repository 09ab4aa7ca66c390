import { describe, expect, it } from "vitest";
import { barcodeScanner } from "../../simulators/barcode-scanner/index.js";
import { parseScan } from "../../src/citizen-id/scan.js";
import type { ScannedCode } from "../../src/contracts/barcode-scanner.js";
import { serialScanner } from "../../src/drivers/barcode-scanner/serial-scanner/driver.js";
import { manualClock } from "../../src/kernel/clock.js";
import { DeviceError } from "../../src/kernel/errors.js";
import { silentLog } from "../../src/kernel/log.js";
import { seededRandom } from "../../src/kernel/random.js";
import { memoryPair } from "../../src/transports/index.js";
import { faultRow } from "../support/fault.js";

const never = new AbortController().signal;
const CARD = "001190000001|012345678|Nguyễn Thị Mẫu|01021990|Nữ|Số 1 Đường Mẫu, Hà Nội|03042021";

/** The driver and the simulated scanner, two readings of the same manuals, on one wire and one clock. */
async function pair(driverSettings: Record<string, unknown>, scannerOptions: Record<string, unknown>) {
  const clock = manualClock();
  const random = seededRandom(3);
  const scanner = barcodeScanner.create(barcodeScanner.options.parse(scannerOptions), { clock, random, changed() {} });
  const [near, far] = memoryPair();
  scanner.attach(far);
  const device = await serialScanner.open(serialScanner.config.parse(driverSettings), {
    device: "scanner",
    connect: async () => near,
    clock,
    random,
    log: silentLog,
    signal: never,
    imaging: { draw: () => Promise.reject(new DeviceError("unsupported")), png: () => Promise.reject(new DeviceError("unsupported")) },
    simulated: true,
    report() {},
  });
  const codes: ScannedCode[] = [];
  device.onScan((code) => codes.push(code));
  const act = async (action: string, params: unknown = {}): Promise<void> => {
    const chosen = scanner.actions[action];
    void chosen?.act(chosen.params.parse(params));
    await clock.advance(0);
  };
  return {
    clock,
    device,
    codes,
    act,
    texts: () => codes.map(({ text }) => text),
    close: () => Promise.all([device.close(), scanner.close()]),
  };
}

describe("driver and simulated scanner", () => {
  it.each(["cr", "lf", "crlf", "none", "hex:0304"])("agree on a card's code with terminator %s, a byte at a time", async (terminator) => {
    const { clock, act, texts, close } = await pair({ terminator }, { terminator });
    await act("scan", { text: CARD, chunks: new Array(200).fill(1), gapMs: 2 });
    await clock.advance(2_000);
    expect(texts()).toEqual([CARD]);
    expect(parseScan(CARD)).toMatchObject({ kind: "citizenCard", name: "Nguyễn Thị Mẫu" });
    await close();
  });

  it("agree on the AIM identifier", async () => {
    const { codes, act, close } = await pair({ symbology: "aim" }, { aimPrefix: true });
    await act("scan", { text: "\x1d0104912345123459", symbology: "]d2" });
    expect(codes).toMatchObject([{ text: "\x1d0104912345123459", symbology: "]d2", encoding: "utf-8" }]);
    await close();
  });

  it.each(["honeywell", "newland"])("agree on the trigger of a %s", async (dialect) => {
    const { clock, device, act, texts, close } = await pair({ dialect }, { mode: "triggered" });
    await act("hold", { text: "HS-1" });
    expect(texts()).toEqual([]);
    await device.trigger(true, never);
    await clock.advance(0);
    expect(texts()).toEqual(["HS-1"]);
    await device.trigger(false, never);
    await act("scan", { text: "HS-2" });
    expect(texts()).toEqual(["HS-1"]);
    await device.trigger(true, never);
    await clock.advance(0);
    expect(texts()).toEqual(["HS-1", "HS-2"]);
    await close();
  });

  faultRow({
    device: "scanner",
    fault: "Garbage on a serial line; the same code over and over",
    knobs: ["barcode-scanner.garbage", "barcode-scanner.duplicate"],
    sees: "at worst a code of nonsense; each repetition, unless a setting leaves them out",
    does: "is in step again at the next end of a code",
    back: "the next code",
  });
  it("come together again after garbage", async () => {
    const { clock, act, texts, close } = await pair({ maxCodeBytes: 1_024 }, {});
    await act("garbage", { bytes: 30_000 });
    await clock.advance(2_000);
    await act("scan", { text: "HS-1" });
    expect(texts().at(-1)).toBe("HS-1");
    await act("duplicate", { times: 2 });
    expect(texts().slice(-3)).toEqual(["HS-1", "HS-1", "HS-1"]);
    await close();
  });

  it("part when the wire is pulled", async () => {
    const { device, act, close } = await pair({}, {});
    await act("unplug");
    expect((await device.lost).kind).toBe("device_absent");
    await close();
  });
});
