import { describe, expect, it } from "vitest";
import { HONEYWELL_KEYBOARD_DESCRIPTOR, KEYBOARD_DESCRIPTOR, MODELS, type Model } from "../../../../simulators/hid-scanner/models.js";
import type { ScannedCode } from "../../../contracts/barcode-scanner.js";
import type { Condition } from "../../../contracts/driver.js";
import { fromHex, toHex } from "../../../kernel/bytes.js";
import { manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { HidLink } from "../../../kernel/hid.js";
import { createInbox } from "../../../kernel/link.js";
import { silentLog } from "../../../kernel/log.js";
import { seededRandom } from "../../../kernel/random.js";
import { hidPos } from "./driver.js";

const never = new AbortController().signal;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const { honeywell } = MODELS;

/** A HID link whose far end is the test. */
function wire(reportDescriptor: Uint8Array = honeywell.descriptor) {
  const inbox = createInbox();
  const written: string[] = [];
  let open = true;
  let stalled = false;
  let onFeature: (report: string) => void = () => {};
  let end = (): void => {};
  const closed = new Promise<void>((resolve) => {
    end = resolve;
  });
  const cutOff = (): void => {
    open = false;
    inbox.end(new DeviceError("device_absent", { message: "gone" }));
    end();
  };
  const link: HidLink = {
    description: "test",
    reportDescriptor,
    read: (signal) => inbox.read(signal),
    async write(report, signal) {
      if (!open) throw new DeviceError("device_absent");
      written.push(toHex(report));
      if (stalled) {
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })).finally(cutOff);
      }
    },
    async sendFeature(report) {
      written.push(`feature ${toHex(report)}`);
      onFeature(toHex(report));
    },
    async close() {
      cutOff();
    },
    closed,
  };
  return {
    link,
    written,
    cutOff,
    send: (report: Uint8Array) => inbox.push(report),
    onFeature: (listener: (report: string) => void) => {
      onFeature = listener;
    },
    stall: () => {
      stalled = true;
    },
    get open() {
      return open;
    },
  };
}

/** Opens over these links, one after the other; `absent` for a try that finds nothing. */
function bench(links: readonly (ReturnType<typeof wire> | "absent")[], settings: Record<string, unknown> = {}) {
  const clock = manualClock();
  const conditions: Condition[] = [];
  const controller = new AbortController();
  let tries = 0;
  const opening = hidPos.open(hidPos.config.parse(settings), {
    device: "scanner",
    async connect() {
      const next = links[tries++];
      if (next === undefined || next === "absent") throw new DeviceError("device_absent");
      return next.link;
    },
    clock,
    random: seededRandom(1),
    log: silentLog,
    signal: controller.signal,
    imaging: { draw: async () => [], png: async () => new Uint8Array() },
    simulated: false,
    report: (condition) => conditions.push(condition),
  });
  return { clock, conditions, controller, opening, tries: () => tries };
}

async function scanner(settings: Record<string, unknown> = {}, descriptor?: Uint8Array) {
  const far = wire(descriptor);
  const { opening, ...rest } = bench([far], settings);
  const device = await opening;
  const codes: ScannedCode[] = [];
  device.onScan((code) => codes.push(code));
  const show = (text: string, model: Model = honeywell): void => void far.send(model.report(utf8(text), "]Q1", false));
  return { far, device, codes, show, texts: () => codes.map(({ text }) => text), ...rest };
}

describe("codes", () => {
  it("come out as they were shown, and repeat as often as they are read, unless told otherwise", async () => {
    const every = await scanner();
    for (let count = 0; count < 3; count++) every.show("Hồ sơ 1");
    await every.clock.advance(0);
    expect(every.texts()).toEqual(["Hồ sơ 1", "Hồ sơ 1", "Hồ sơ 1"]);
    expect(every.device.capabilities).toMatchObject({ trigger: true, symbology: true, lossy: false });

    const once = await scanner({ ignoreRepeatMs: 1_000 });
    for (let sighting = 0; sighting < 4; sighting++) {
      once.show("A");
      await once.clock.advance(900);
    }
    await once.clock.advance(1_000);
    once.show("A");
    await once.clock.advance(0);
    expect(once.texts()).toEqual(["A", "A"]);
  });

  it("that are none give a warning, which the next code clears", async () => {
    const { far, clock, conditions, show, texts } = await scanner();
    far.send(honeywell.report(utf8("half"), "]Q1", true));
    await clock.advance(1_000);
    far.send(Uint8Array.of(2, 1));
    await clock.advance(0);
    show("HS-1");
    await clock.advance(0);
    expect(texts()).toEqual(["HS-1"]);
    expect(conditions).toEqual([
      { state: "ready" },
      { state: "ready", warnings: ["code_unfinished"] },
      { state: "ready", warnings: ["bad_report"] },
      { state: "ready" },
    ]);
  });

  it("that fill their last report come from a scanner that marks it as continued, where the config says so", async () => {
    const { far, clock, texts } = await scanner({ fullReportMayEnd: true }, MODELS.jieli.descriptor);
    far.send(MODELS.jieli.report(utf8("Đ".repeat(28)), "]Q1", true));
    await clock.advance(100);
    expect(texts()).toEqual(["Đ".repeat(28)]);
  });

  it("do not flood whoever listens", async () => {
    const { clock, conditions, show, codes } = await scanner();
    for (let count = 0; count < 500; count++) show("A");
    await clock.advance(999);
    expect(codes).toHaveLength(50);
    expect(conditions.at(-1)).toEqual({ state: "ready", warnings: ["too_many_codes"] });
    await clock.advance(1);
    show("B");
    await clock.advance(0);
    expect(codes.at(-1)?.text).toBe("B");
  });
});

describe("trigger", () => {
  it.each([
    ["honeywell", ["0404", "0402"]],
    ["honeywell-early", ["0402", "0401"]],
    ["jieli", ["0404", "0402"]],
    ["uncounted", ["0001", "0002"]],
    ["newland", []],
    ["honeywell-remote", []],
  ] as const)("of %s is told with exactly %j", async (model, reports) => {
    const { device, far } = await scanner({}, MODELS[model].descriptor);
    await Promise.all([device.trigger(true, never), device.trigger(false, never)]);
    expect(far.written).toEqual(reports);
    expect(device.capabilities.trigger).toBe(reports.length > 0);
  });

  it("obeys its caller's signal, and loses a device that takes no report", async () => {
    const { device, far, clock } = await scanner();
    const reason = new DeviceError("canceled");
    await expect(device.trigger(true, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect([far.open, far.written]).toEqual([true, []]);
    far.stall();
    const stuck = expect(device.trigger(true, never)).rejects.toMatchObject({ kind: "timeout" });
    await clock.advance(2_000);
    await stuck;
    expect((await device.lost).kind).toBe("device_absent");
    await expect(device.trigger(false, never)).rejects.toMatchObject({ kind: "device_absent" });
  });
});

describe("a keyboard", () => {
  it.each([
    ["Datalogic", KEYBOARD_DESCRIPTOR],
    ["Honeywell", HONEYWELL_KEYBOARD_DESCRIPTOR],
  ])("(%s) is refused, with how to change the scanner", async (_maker, descriptor) => {
    const far = wire(descriptor);
    await expect(bench([far]).opening).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringContaining("keyboard"),
      hint: expect.stringMatching(/HID POS.*serial-scanner.*acceptKeyboard/s),
    });
    expect(far.open).toBe(false);
  });

  it("is taken as it is where the config says so, and says that it is lossy", async () => {
    const { device, far, clock, codes } = await scanner({ acceptKeyboard: true }, KEYBOARD_DESCRIPTOR);
    expect(device.capabilities).toMatchObject({ lossy: true, trigger: false, symbology: false });
    for (const key of [0x0b, 0, 0x16, 0]) far.send(Uint8Array.of(2, 0, key, 0, 0, 0, 0, 0));
    await clock.advance(99);
    expect(codes).toEqual([]);
    await clock.advance(1);
    expect(codes).toMatchObject([{ text: "HS", encoding: "lossy" }]);
  });

  it("is no longer refused for something else: a descriptor without codes, and one that is broken", async () => {
    // A keyboard's settings channel on the scanners' page, as some makers have it.
    const channel = wire(fromHex("05 8c 09 01 a1 01 09 02 15 00 26 ff 00 75 08 95 40 81 02 c0"));
    // A device's own bytes: a scanner that was set to a page of its maker's.
    const makers = wire(
      fromHex("06 00 ff 09 01 a1 01 19 00 29 ff 15 00 25 ff 95 01 75 08 81 02 19 00 29 ff 15 00 25 ff 95 01 75 08 91 02 c0"),
    );
    for (const far of [channel, makers]) {
      await expect(bench([far], { acceptKeyboard: true }).opening).rejects.toMatchObject({
        kind: "unsupported",
        message: expect.stringContaining("decoded data"),
      });
    }
    const broken = wire(fromHex("05 8c 09 02 a1 01"));
    await expect(bench([broken]).opening).rejects.toMatchObject({ kind: "device_fault", hint: expect.stringContaining("firmware") });
    expect([channel.open, makers.open, broken.open]).toEqual([false, false, false]);
  });
});

describe("Honeywell's mode switch", () => {
  it("is told once; a scanner that stays is used, also one that refuses", async () => {
    for (const refuses of [false, true]) {
      const far = wire();
      far.onFeature(() => {
        if (refuses) throw new DeviceError("device_fault");
      });
      const { opening, clock, tries } = bench([far], { honeywellMode: true });
      await clock.advance(1_000);
      await opening;
      expect([far.written, far.open, tries()]).toEqual([["feature fe01"], true, 1]);
    }
  });

  it("follows a scanner that leaves the bus and comes back, and tells it no second time", async () => {
    const keyboard = wire(KEYBOARD_DESCRIPTOR);
    const pos = wire();
    keyboard.onFeature(() => keyboard.cutOff());
    const { opening, clock, tries } = bench([keyboard, "absent", "absent", pos], { honeywellMode: true });
    await clock.advance(1_000);
    const device = await opening;
    expect([keyboard.written, pos.written, tries()]).toEqual([["feature fe01"], [], 4]);
    expect(device.capabilities.lossy).toBe(false);
    await device.close();
    expect(pos.open).toBe(false);
  });

  it("gives up one that does not come back, and when it is told to", async () => {
    const gone = wire();
    gone.onFeature(() => gone.cutOff());
    const waiting = bench([gone], { honeywellMode: true });
    const absent = expect(waiting.opening).rejects.toMatchObject({ kind: "device_absent" });
    await waiting.clock.advance(11_000);
    await absent;

    const far = wire();
    const { opening, clock, controller } = bench([far], { honeywellMode: true });
    const reason = new DeviceError("shutting_down");
    const aborted = expect(opening).rejects.toBe(reason);
    await clock.advance(500);
    controller.abort(reason);
    await aborted;
    expect(far.open).toBe(false);
  });

  it("is told to nobody who is not asked to", async () => {
    const { far } = await scanner();
    expect(far.written).toEqual([]);
  });
});

describe("self-test and the end", () => {
  it("a scanner that stays on the bus passes, one that leaves does not", async () => {
    const { device, far, clock } = await scanner();
    const passing = device.selfTest(never);
    await clock.advance(2_000);
    expect(await passing).toMatchObject([{ ok: true }]);
    const failing = expect(device.selfTest(never)).rejects.toMatchObject({ kind: "device_absent" });
    far.cutOff();
    await failing;
    expect((await device.lost).kind).toBe("device_absent");
  });

  it("nothing comes after close, and no code stays behind", async () => {
    const { device, far, clock, codes } = await scanner({ acceptKeyboard: true }, KEYBOARD_DESCRIPTOR);
    far.send(Uint8Array.of(0, 0, 4, 0, 0, 0, 0, 0));
    await clock.advance(0);
    await Promise.all([device.close(), device.close()]);
    await clock.advance(60_000);
    expect([codes, far.open]).toEqual([[], false]);
  });

  it("comes with the signal of the opening", async () => {
    const { far, controller, clock } = await scanner();
    controller.abort(new DeviceError("shutting_down"));
    await clock.advance(0);
    expect(far.open).toBe(false);
  });
});
