import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { faultRow } from "../../../../test/support/fault.js";
import type { ScannedCode } from "../../../contracts/barcode-scanner.js";
import type { Condition } from "../../../contracts/driver.js";
import { asciiBytes, concatBytes } from "../../../kernel/bytes.js";
import { type ManualClock, manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import { createInbox, type Link } from "../../../kernel/link.js";
import { silentLog } from "../../../kernel/log.js";
import { seededRandom } from "../../../kernel/random.js";
import { serialScanner } from "./driver.js";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const never = new AbortController().signal;

/** A link whose far end is the test. */
function wire() {
  const inbox = createInbox();
  const written: Uint8Array[] = [];
  let onWrite: (bytes: Uint8Array) => void = () => {};
  let stalled = false;
  let end: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    end = resolve;
  });
  let open = true;
  const cutOff = (): void => {
    open = false;
    inbox.end(new DeviceError("device_absent", { message: "gone" }));
    end();
  };
  const link: Link = {
    description: "test",
    read: (signal) => inbox.read(signal),
    async write(bytes, signal) {
      if (!open) throw new DeviceError("device_absent");
      if (stalled) {
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })).finally(cutOff);
      }
      written.push(bytes);
      onWrite(bytes);
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
    send: (bytes: Uint8Array) => inbox.push(bytes),
    onWrite: (listener: (bytes: Uint8Array) => void) => {
      onWrite = listener;
    },
    stall: () => {
      stalled = true;
    },
    get open() {
      return open;
    },
  };
}

async function scanner(settings: Record<string, unknown> = {}, clock: ManualClock = manualClock()) {
  const far = wire();
  const conditions: Condition[] = [];
  const controller = new AbortController();
  const device = await serialScanner.open(serialScanner.config.parse(settings), {
    device: "scanner",
    connect: async () => far.link,
    clock,
    random: seededRandom(1),
    log: silentLog,
    signal: controller.signal,
    imaging: { draw: async () => [], png: async () => new Uint8Array() },
    simulated: false,
    report: (condition) => conditions.push(condition),
  });
  const codes: ScannedCode[] = [];
  device.onScan((code) => codes.push(code));
  return { far, device, codes, conditions, clock, controller, texts: () => codes.map((code) => code.text) };
}

const newlandAnswer = (command: string, status = "\x06"): Uint8Array => asciiBytes(`\x02\x010000#${command}${status};\x03`);

describe("codes", () => {
  it("come out whole, however the bytes arrive", async () => {
    const { far, texts, clock, conditions } = await scanner();
    const card = utf8("001234567890||Nguyễn Thị Ánh|01021990|Nữ|Hà Nội|03042021\r");
    for (const byte of card) far.send(Uint8Array.of(byte));
    far.send(utf8("HS-1\rHS-2\r"));
    await clock.advance(0);
    expect(texts()).toEqual(["001234567890||Nguyễn Thị Ánh|01021990|Nữ|Hà Nội|03042021", "HS-1", "HS-2"]);
    expect(conditions).toEqual([{ state: "ready" }]);
  });

  it("end with silence where no terminator is set", async () => {
    const { far, texts, clock } = await scanner({ terminator: "none", silenceMs: 100 });
    far.send(utf8("HS"));
    await clock.advance(99);
    far.send(utf8("-1"));
    await clock.advance(99);
    expect(texts()).toEqual([]);
    await clock.advance(1);
    expect(texts()).toEqual(["HS-1"]);
    far.send(utf8("HS-2"));
    await clock.advance(100);
    expect(texts()).toEqual(["HS-1", "HS-2"]);
  });

  it("carry the AIM identifier where the scanner sends one", async () => {
    const { far, codes, clock, device } = await scanner({ symbology: "aim" });
    far.send(utf8("]d2\x1d01041234\r"));
    await clock.advance(0);
    expect(codes).toEqual([{ bytes: utf8("\x1d01041234"), text: "\x1d01041234", symbology: "]d2", encoding: "utf-8" }]);
    expect(device.capabilities).toMatchObject({ symbology: true, trigger: false });
  });

  it("repeat as often as they are read, unless told otherwise", async () => {
    const every = await scanner();
    every.far.send(utf8("A\rA\rA\r"));
    await every.clock.advance(0);
    expect(every.texts()).toEqual(["A", "A", "A"]);

    const once = await scanner({ ignoreRepeatMs: 1_000 });
    for (let sighting = 0; sighting < 5; sighting++) {
      once.far.send(utf8("A\r"));
      await once.clock.advance(900);
    }
    expect(once.texts()).toEqual(["A"]);
    once.far.send(utf8("B\rA\r"));
    await once.clock.advance(1_000);
    once.far.send(utf8("A\r"));
    await once.clock.advance(0);
    expect(once.texts()).toEqual(["A", "B", "A", "A"]);
  });
});

describe("what is no code", () => {
  faultRow({
    device: "scanner",
    fault: "Half a code comes (a cable pulled in mid-code), or one without end",
    sees: "no code; `ready`, with the warning `code_unterminated` or `code_too_long`",
    does: "drops it whole: half a code is none",
    back: "the next code",
    measured: ["lab: scanner-acm, pulled in mid-code", "lab: scanner-hid, pulled in mid-code"],
  });
  it("is dropped with a warning that the next code clears", async () => {
    const { far, texts, clock, conditions } = await scanner({ maxCodeBytes: 1_024 });
    far.send(utf8("x".repeat(3_000)));
    await clock.advance(0);
    expect(conditions.at(-1)).toEqual({ state: "ready", warnings: ["code_too_long"] });
    far.send(utf8("\rHS-1\r"));
    await clock.advance(0);
    expect(conditions.at(-1)).toEqual({ state: "ready" });
    far.send(utf8("half"));
    await clock.advance(2_000);
    expect(conditions.at(-1)).toEqual({ state: "ready", warnings: ["code_unterminated"] });
    far.send(utf8("HS-2\r"));
    await clock.advance(0);
    expect(texts()).toEqual(["HS-1", "HS-2"]);
    expect(conditions).toHaveLength(5);
  });

  faultRow({
    device: "scanner",
    fault: "Sends codes faster than any hand",
    sees: "`ready`, with the warning `too_many_codes`",
    does: "drops what is too much, and goes on with the next second",
    back: "at once",
  });
  it("does not flood whoever listens", async () => {
    const { far, codes, clock, conditions } = await scanner();
    far.send(utf8("A\r".repeat(10_000)));
    await clock.advance(999);
    expect(codes).toHaveLength(50);
    expect(conditions).toEqual([{ state: "ready" }, { state: "ready", warnings: ["too_many_codes"] }]);
    await clock.advance(1);
    far.send(utf8("B\r"));
    await clock.advance(0);
    expect(codes.at(-1)?.text).toBe("B");
    expect(conditions.at(-1)).toEqual({ state: "ready" });
  });

  it("never breaks the driver, whatever the bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 }), { maxLength: 8 }), async (chunks) => {
        const { far, texts, clock, device } = await scanner({ dialect: "newland", terminator: "crlf" });
        for (const chunk of chunks) far.send(chunk);
        await clock.advance(2_000);
        far.send(utf8("\r\nGOOD\r\n"));
        await clock.advance(0);
        expect(texts().at(-1)).toBe("GOOD");
        await device.close();
      }),
      { numRuns: 25 },
    );
  });
});

describe("trigger", () => {
  it("writes nothing to a plain scanner", async () => {
    const { far, device } = await scanner();
    await device.trigger(true, never);
    await device.trigger(false, never);
    expect(far.written).toEqual([]);
  });

  it("starts and stops a Honeywell, which answers nothing", async () => {
    const { far, device } = await scanner({ dialect: "honeywell" });
    await device.trigger(true, never);
    await device.trigger(false, never);
    expect(concatBytes(far.written)).toEqual(Uint8Array.of(0x16, 0x54, 0x0d, 0x16, 0x55, 0x0d));
  });

  it("waits for a Newland's answer, one command at a time, and keeps answers out of codes", async () => {
    const { far, device, texts, clock } = await scanner({ dialect: "newland" });
    const order: string[] = [];
    const on = device.trigger(true, never).then(() => order.push("on"));
    const off = device.trigger(false, never).then(() => order.push("off"));
    await clock.advance(0);
    expect(far.written).toHaveLength(1);
    far.send(concatBytes([utf8("HS-1\r"), newlandAnswer("SCNTRG1"), utf8("HS-2\r")]));
    await on;
    await clock.advance(0);
    expect(far.written).toHaveLength(2);
    // A late answer to an earlier command ends nothing.
    far.send(newlandAnswer("SCNTRG1"));
    await clock.advance(0);
    expect(order).toEqual(["on"]);
    far.send(newlandAnswer("SCNTRG0"));
    await off;
    expect(order).toEqual(["on", "off"]);
    expect(texts()).toEqual(["HS-1", "HS-2"]);
  });

  faultRow({
    device: "scanner",
    fault: "Does not take the trigger command",
    sees: "`device_fault`!",
    does: "tells it, with the settings to compare in the hint; the next trigger is tried anew",
    back: "the settings agree",
  });
  it("is a device fault where the scanner refuses or keeps silent", async () => {
    const { far, device, clock } = await scanner({ dialect: "newland" });
    far.onWrite(() => far.send(newlandAnswer("SCNTRG1", "\x15")));
    await expect(device.trigger(true, never)).rejects.toMatchObject({ kind: "device_fault", retryable: false });
    far.onWrite(() => {});
    const silent = expect(device.trigger(false, never)).rejects.toMatchObject({
      kind: "device_fault",
      hint: expect.stringContaining("baudRate"),
    });
    await clock.advance(1_000);
    await silent;
    far.onWrite(() => far.send(newlandAnswer("SCNTRG1")));
    await device.trigger(true, never);
  });

  it("obeys its caller's signal without giving up the link", async () => {
    const { far, device, clock } = await scanner({ dialect: "newland" });
    const caller = new AbortController();
    const waiting = expect(device.trigger(true, caller.signal)).rejects.toMatchObject({ kind: "canceled" });
    await clock.advance(0);
    caller.abort(new DeviceError("canceled"));
    await waiting;
    expect(far.open).toBe(true);
    far.send(newlandAnswer("SCNTRG1"));
    far.onWrite(() => far.send(newlandAnswer("SCNTRG0")));
    await device.trigger(false, never);
    expect(far.written).toHaveLength(2);
  });

  faultRow({
    device: "scanner",
    fault: "Its line takes no byte any more",
    sees: "`timeout`, then `device_absent`",
    does: "gives the line up and opens it anew",
    back: "the line works",
    bounds: ["tryAgain"],
  });
  it("loses the device where the line takes no byte", async () => {
    const { far, device, clock } = await scanner({ dialect: "honeywell" });
    far.stall();
    const stuck = expect(device.trigger(true, never)).rejects.toMatchObject({ kind: "timeout" });
    await clock.advance(2_000);
    await stuck;
    expect((await device.lost).kind).toBe("device_absent");
  });
});

describe("self-test", () => {
  it("asks where the dialect has a question", async () => {
    const plain = await scanner();
    expect(await plain.device.selfTest(never)).toMatchObject([{ ok: true }]);
    const { far, device, clock, texts } = await scanner({ dialect: "newland" });
    far.onWrite(() => far.send(asciiBytes("\x02\x010000#QRYSYSModel: X\r\nSerial: 1\r\n\x06;\x03")));
    expect(await device.selfTest(never)).toEqual([{ check: "answers", ok: true }]);
    far.onWrite(() => {});
    const deaf = device.selfTest(never);
    await clock.advance(1_000);
    expect(await deaf).toMatchObject([{ check: "answers", ok: false, hint: expect.stringContaining("dialect") }]);
    expect(texts()).toEqual([]);
  });
});

describe("the end", () => {
  it("of the link resolves lost, and what is under way rejects", async () => {
    const { far, device, clock } = await scanner({ dialect: "newland" });
    const waiting = expect(device.trigger(true, never)).rejects.toMatchObject({ kind: "device_absent" });
    await clock.advance(0);
    far.cutOff();
    expect((await device.lost).kind).toBe("device_absent");
    await waiting;
    await expect(device.trigger(true, never)).rejects.toMatchObject({ kind: "device_absent" });
    await device.close();
  });

  it("by close is idempotent, and nothing comes after it", async () => {
    const { far, device, clock, codes } = await scanner({ terminator: "none", dialect: "newland" });
    far.send(utf8("half"));
    const waiting = expect(device.trigger(true, never)).rejects.toMatchObject({ kind: "device_absent" });
    await clock.advance(0);
    await Promise.all([device.close(), device.close()]);
    await waiting;
    await clock.advance(60_000);
    expect(codes).toEqual([]);
    expect(far.open).toBe(false);
  });

  it("comes with the signal of the opening", async () => {
    const { far, controller, clock } = await scanner();
    controller.abort(new DeviceError("shutting_down"));
    await clock.advance(0);
    expect(far.open).toBe(false);
  });
});
