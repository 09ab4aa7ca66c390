import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { documentScanner } from "../../../../simulators/document-scanner/index.js";
import { serveTcp } from "../../../../simulators/serve.js";
import type { Simulator } from "../../../../simulators/simulator.js";
import { faultRow } from "../../../../test/support/fault.js";
import { systemClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import { seededRandom } from "../../../kernel/random.js";
import { never, openRig, type Rig } from "./rig.test.support.js";

/** Pages are drawn by threads that know no clock of ours: here time is the machine's, and hurries. */
const HASTE = 10;
const SMALL = { resolutionDpi: 75 } as const;

interface Bench extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly rig: Rig;
  act(name: string, params?: object): Promise<void>;
}

async function bench(options: object = {}, config: object = {}): Promise<Bench> {
  const clock = systemClock(HASTE);
  const parsed = documentScanner.options.parse({ pageMs: 0, ...options });
  const simulator = documentScanner.create(parsed, { clock, random: seededRandom(1), changed() {} });
  const served = await serveTcp(simulator, { host: "127.0.0.1", port: 0 });
  // The machine may be slow: no deadline of ours may be what ends a scan that is not about deadlines.
  const rig = await openRig(served.port, { answerMs: 60_000, pageMs: 300_000, startMs: 300_000, ...config }, undefined, never, clock);
  return {
    simulator,
    rig,
    async act(name, params = {}) {
      const action = simulator.actions[name];
      if (!action) throw new RangeError(`no action ${name}`);
      await action.act(action.params.parse(params));
    },
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await simulator.close();
      await served.close();
    },
  };
}

const sheets = (count: number): object[] => Array.from({ length: count }, () => ({}));

describe("with the simulated scanner", () => {
  it("says what that can do", async () => {
    await using on = await bench({ resolutions: [100, 300] });
    expect(on.rig.device.capabilities).toMatchObject({
      sources: ["flatbed", "feeder", "feeder_duplex"],
      flatbed: { modes: ["color", "gray", "black_white"], resolutionsDpi: [100, 300] },
    });
    await using glass = await bench({ feeder: false });
    expect(glass.rig.device.capabilities).toMatchObject({ sources: ["flatbed"], duplex: false });
  });

  it("scans the glass, and a stack of ten", async () => {
    await using on = await bench();
    expect(await on.rig.scan(SMALL)).toEqual({ state: "done" });
    await on.act("loadFeeder", { sheets: sheets(10) });
    expect(await on.rig.scan({ ...SMALL, mode: "gray" })).toEqual({ state: "done" });
    expect(on.rig.pages).toHaveLength(11);
    for (const [at, { bytes, mediaType }] of on.rig.pages.entries()) {
      const { format, width, height, channels } = await sharp(bytes).metadata();
      expect({ format, width, height, channels, mediaType }).toEqual({
        ...{ format: "jpeg", width: 620, height: 877, channels: at === 0 ? 3 : 1, mediaType: "image/jpeg" },
      });
    }
    expect(on.simulator.state()).toMatchObject({ sheets: 0, pagesScanned: 11 });
  });

  it("scans both sides, and leaves what is more than was asked for", async () => {
    await using on = await bench({ sheets: sheets(3) });
    expect(await on.rig.scan({ ...SMALL, source: "feeder_duplex", maxPages: 4 })).toEqual({ state: "done" });
    expect(on.rig.pages).toHaveLength(4);
    expect(on.simulator.state()).toMatchObject({ sheets: 1 });
    expect(await on.rig.scan({ ...SMALL, source: "feeder_duplex" })).toEqual({ state: "done" });
    expect(on.rig.pages).toHaveLength(6);
    await expect(on.rig.scan({ ...SMALL, source: "feeder" })).rejects.toMatchObject({ kind: "feeder_empty" });
  });

  faultRow({
    device: "documents",
    fault: "A scanned page comes too short, or is no picture",
    knobs: ["document-scanner.short-length", "document-scanner.garbage-page"],
    sees: "`device_fault`; after the first page it is `broken_off`, with the good pages",
    does: "takes no half page for a page",
    back: "the next scan",
    case: ["short-length"],
  });
  faultRow({
    device: "documents",
    fault: "A scanned page has no end",
    knobs: ["document-scanner.huge-body"],
    sees: "`too_large`",
    does: "stops reading at its limit",
    back: "the next scan",
    case: ["huge-body"],
  });
  faultRow({
    device: "documents",
    fault: "The scanner forgets the scan, or answers with an error",
    knobs: ["document-scanner.gone", "document-scanner.error"],
    sees: "`device_fault`; after the first page it is `broken_off`, with the good pages",
    does: "takes no stack for whole that is not",
    back: "the next scan",
    case: ["gone"],
  });
  it.each([
    ["jam", {}, "document_jam"],
    ["cut", {}, "device_fault"],
    ["short-length", {}, "device_fault"],
    ["huge-body", {}, "too_large"],
    ["garbage-page", {}, "device_fault"],
    ["gone", {}, "device_fault"],
    ["error", { code: 500 }, "device_fault"],
  ])("knows %s, before and after the first page", async (fault, more, kind) => {
    for (const page of [1, 2]) {
      await using on = await bench({ sheets: sheets(3), faults: [{ fault, page, ...more }] });
      const end = await on.rig.scan({ ...SMALL, source: "feeder" }).catch((thrown: unknown) => thrown);
      if (page === 1) expect(end).toMatchObject({ kind });
      else expect(end).toMatchObject({ state: "broken_off", reason: { kind } });
      expect(on.rig.pages).toHaveLength(page - 1);
      // It is over on the scanner, too, and the glass works.
      await on.act("clearFaults");
      expect(await on.rig.scan({ ...SMALL, source: "flatbed" })).toEqual({ state: "done" });
      await on.rig.device.close();
      expect(on.simulator.state()).toMatchObject({ scanning: null });
    }
  });

  faultRow({
    device: "documents",
    fault: "The scanner is busy for a moment, slow, not ready, or names another host",
    knobs: ["document-scanner.busy", "document-scanner.unavailable", "document-scanner.slow", "document-scanner.foreign-location"],
    sees: "nothing of it: `done`",
    does: "asks again, and never asks another host",
    back: "at once",
  });
  it("passes over what passes by", async () => {
    const faults = [
      { fault: "busy", times: 2 },
      { fault: "foreign-location" },
      { fault: "unavailable", page: 1, times: 3 },
      { fault: "slow", page: 2, ms: 10 },
    ];
    await using on = await bench({ sheets: sheets(2), faults });
    expect(await on.rig.scan({ ...SMALL, source: "feeder" })).toEqual({ state: "done" });
    expect(on.rig.pages).toHaveLength(2);
    expect(on.rig.progress.filter((fraction) => fraction !== undefined && fraction < 1).length).toBeGreaterThan(0);
  });

  faultRow({
    device: "documents",
    fault: "Somebody else scans, and does not end",
    knobs: ["document-scanner.busy"],
    sees: "`busy`",
    does: "asks again for a while, then says so",
    bounds: ["esclBusy"],
  });
  faultRow({
    device: "documents",
    fault: "The scanner hangs",
    knobs: ["document-scanner.hang"],
    sees: "`device_fault`",
    does: "gives the scan up",
    bounds: ["esclPage"],
  });
  faultRow({
    device: "documents",
    fault: "The scanner's answer is nonsense",
    knobs: ["document-scanner.garbage-xml", "document-scanner.no-location"],
    sees: "`device_fault`",
    does: "refuses it within bounds",
    back: "the next scan",
  });
  it.each([
    [{ fault: "busy", times: 1_000 }, "busy"],
    [{ fault: "no-location" }, "device_fault"],
    [{ fault: "hang", on: "page" }, "device_fault"],
    [{ fault: "garbage-xml", on: "status" }, "device_fault"],
    [{ fault: "error", on: "job" }, "device_fault"],
  ])("names %j", async (fault, kind) => {
    await using on = await bench({}, { pageMs: 3_000, busyMs: 2_000 });
    await on.act("inject", fault);
    await expect(on.rig.scan(SMALL)).rejects.toMatchObject({ kind });
  });

  faultRow({
    device: "documents",
    fault: "The feeder never gets empty",
    knobs: ["document-scanner.endless"],
    sees: "as many pages as were asked for: `done`",
    does: "ends the scan there",
    back: "at once",
  });
  it("takes no more of an endless stack than was asked for", async () => {
    await using on = await bench({ sheets: sheets(1), faults: [{ fault: "endless", times: 1_000 }] });
    expect(await on.rig.scan({ ...SMALL, source: "feeder", maxPages: 5 })).toEqual({ state: "done" });
    expect(on.rig.pages).toHaveLength(5);
  });

  faultRow({
    device: "documents",
    fault: "Cover open, or a sheet jammed before the scan",
    knobs: ["document-scanner.openCover", "document-scanner.jam"],
    sees: "`cover_open` or `document_jam`, then `ready`",
    does: "tells it before anything moves, and when it was put right",
    bounds: ["esclPoll"],
  });
  it.each(["ScannerAdfHatchOpen", "ScannerAdfDoorOpen"])(
    "sees the cover (%s) and the jam, and that they are put right",
    async (hatchWord) => {
      await using on = await bench({ hatchWord, sheets: sheets(1) });
      await on.act("openCover");
      await expect(on.rig.scan(SMALL)).rejects.toMatchObject({ kind: "cover_open" });
      await on.act("jam");
      await on.act("closeCover");
      await expect(on.rig.scan(SMALL)).rejects.toMatchObject({ kind: "document_jam" });
      await on.act("clearJam");
      expect(await on.rig.scan(SMALL)).toEqual({ state: "done" });
      const told = on.rig.conditions.map((condition) => (condition.state === "ready" ? "ready" : condition.reason.kind));
      expect(told).toEqual(["ready", "cover_open", "document_jam", "ready"]);
    },
  );

  faultRow({
    device: "documents",
    fault: "The citizen gives up while the scanner hangs",
    knobs: ["document-scanner.hang"],
    sees: "`canceled`",
    does: "answers at once, and ends the scan on the scanner when that can be told",
    back: "at once",
  });
  it("is stopped while a page hangs, and scans again", async () => {
    await using on = await bench({ faults: [{ fault: "hang" }] });
    const reason = new DeviceError("canceled");
    const caller = new AbortController();
    const scanning = on.rig.scan(SMALL, caller.signal);
    const stopped = expect(scanning).rejects.toBe(reason);
    while (on.simulator.state().faultsPending !== 0) await on.rig.clock.sleep(10);
    caller.abort(reason);
    await stopped;
    expect(await on.rig.scan(SMALL)).toEqual({ state: "done" });
  });

  faultRow({
    device: "documents",
    fault: "Network cable pulled",
    knobs: ["document-scanner.unplug"],
    sees: "`device_absent`",
    does: "looks for the scanner",
    back: "it answers",
    bounds: ["esclPoll", "tryAgain"],
  });
  it("is lost when the wire is pulled", async () => {
    await using on = await bench({}, { pollMs: 1_000 });
    await on.act("unplug");
    expect(await on.rig.device.lost).toMatchObject({ kind: "device_absent" });
  });
});
