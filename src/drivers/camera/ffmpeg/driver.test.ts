import { describe, expect, it } from "vitest";
import { faultRow } from "../../../../test/support/fault.js";
import { asciiBytes } from "../../../kernel/bytes.js";
import { manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import { camera, jpeg, socket, watching } from "./rig.test.support.js";

const never = new AbortController().signal;

describe("who looks", () => {
  it("opening only looks whether the camera is there; it runs from the first viewer to a moment after the last", async () => {
    const { device, plug, clock, conditions } = await camera({ lingerMs: 1_000 });
    expect([plug.links.length, plug.open]).toEqual([1, 0]);
    expect(conditions).toEqual([{ state: "ready" }]);

    const viewer = watching();
    const view = device.view(viewer);
    await clock.advance(0);
    expect(plug.open).toBe(1);
    plug.frame(jpeg(1));
    await clock.advance(0);
    expect(viewer.seen).toEqual([{ jpeg: jpeg(1), capturedAt: clock.now() }]);

    view[Symbol.dispose]();
    plug.frame(jpeg(2));
    await clock.advance(999);
    expect([viewer.seen.length, plug.open]).toEqual([1, 1]);
    await clock.advance(1);
    expect([plug.open, plug.links.length]).toEqual([0, 2]);
    expect(viewer.losses).toEqual([]);
  });

  it("who comes back within the moment finds the camera running", async () => {
    const { device, plug, clock } = await camera({ lingerMs: 1_000 });
    device.view(watching())[Symbol.dispose]();
    await clock.advance(900);
    const viewer = watching();
    device.view(viewer);
    await clock.advance(500);
    plug.frame(jpeg(1));
    await clock.advance(0);
    expect([viewer.seen.length, plug.links.length]).toEqual([1, 2]);
  });

  it("many look through one connection, each until it looks away", async () => {
    const { device, plug, clock } = await camera();
    const [one, two] = [watching(), watching()];
    const first = device.view(one);
    device.view(two);
    await clock.advance(0);
    plug.frame(jpeg(1));
    await clock.advance(0);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    plug.frame(jpeg(2));
    await clock.advance(0);
    expect([one.seen.length, two.seen.length, plug.links.length]).toEqual([1, 2, 2]);
    expect(device.stats()).toMatchObject({ frames: 2, broken: 0, restarts: 0, viewers: 1 });
  });

  it("counts pictures a second", async () => {
    const { device, plug, clock } = await camera();
    device.view(watching());
    for (let count = 0; count < 60; count++) {
      await clock.advance(50);
      plug.frame(jpeg(1));
    }
    await clock.advance(0);
    expect(device.stats().framesPerSecond).toBeCloseTo(20, 0);
  });
});

describe("a camera that is lost", () => {
  it("broken pictures are skipped and counted", async () => {
    const { device, plug, clock } = await camera();
    const viewer = watching();
    device.view(viewer);
    await clock.advance(0);
    plug.last.send(asciiBytes("Content-length: 3\r\n\r\nabc\r\n--stationd\r\n"));
    plug.frame(jpeg(1));
    await clock.advance(0);
    expect([viewer.seen.length, viewer.losses.length]).toEqual([1, 0]);
    expect(device.stats()).toMatchObject({ frames: 1, broken: 1 });
  });

  it.each([
    ["falls silent", () => {}],
    [
      "sends broken pictures only",
      (send: (bytes: Uint8Array) => void) => send(asciiBytes("Content-length: 3\r\n\r\nabc\r\n--stationd\r\n")),
    ],
  ])("that %s is let go, its viewers hear it once, and it is started anew", async (_, meanwhile) => {
    const { device, plug, clock, conditions } = await camera();
    const viewer = watching();
    device.view(viewer);
    await clock.advance(0);
    plug.frame(jpeg(1));
    await clock.advance(0);
    const silent = plug.last;
    for (let step = 0; step < 19; step++) {
      await clock.advance(100);
      meanwhile(silent.send);
    }
    expect(viewer.losses).toEqual([]);
    await clock.advance(100);
    expect(viewer.losses).toMatchObject([{ kind: "camera_lost", device: "face", details: { reason: "camera_lost" } }]);
    expect(silent.open).toBe(false);
    expect(conditions.at(-1)).toMatchObject({ state: "attention", reason: { kind: "camera_lost" } });
    // Nobody looks, and it is tried all the same until it is in order.
    await clock.advance(100);
    expect(plug.last).not.toBe(silent);
    plug.frame(jpeg(2));
    await clock.advance(0);
    expect(conditions.at(-1)).toEqual({ state: "ready" });
    await clock.advance(2_000);
    expect(plug.open).toBe(0);
    expect([viewer.seen.length, viewer.losses.length]).toEqual([1, 1]);
    expect(device.stats()).toMatchObject({ restarts: 1, viewers: 0, framesPerSecond: 0 });
  });

  it("is lost two seconds after its last picture, however many there were", async () => {
    const { device, plug, clock } = await camera();
    const viewer = watching();
    device.view(viewer);
    await clock.advance(0);
    for (let count = 0; count < 5; count++) {
      plug.frame(jpeg(count));
      await clock.advance(700);
    }
    await clock.advance(1_299);
    expect(viewer.losses).toEqual([]);
    await clock.advance(1);
    expect(viewer.losses).toMatchObject([{ kind: "camera_lost" }]);
  });

  faultRow({
    device: "camera",
    fault: "Another program has the camera",
    sees: "`camera_lost`, with `busy` as its reason",
    does: "tries again; the hint says what to close",
    bounds: ["cameraAgain"],
    case: ["busy"],
  });
  it.each(["device_absent", "busy", "device_fault"] as const)(
    "that cannot be opened (%s) is lost to who looks, with the reason's hint",
    async (kind) => {
      const { device, plug, clock } = await camera();
      plug.refuse(new DeviceError(kind, { hint: "do this" }));
      const viewer = watching();
      device.view(viewer);
      await clock.advance(0);
      expect(viewer.losses).toMatchObject([{ kind: "camera_lost", hint: "do this", details: { reason: kind } }]);
    },
  );

  it("is back within three seconds, however long it was gone", async () => {
    const { device, plug, clock, conditions } = await camera();
    const gone = new DeviceError("device_absent");
    device.view(watching());
    await clock.advance(0);
    plug.frame(jpeg(1));
    await clock.advance(0);
    plug.refuse(gone);
    plug.last.cut();
    await clock.advance(3_600_000);
    const tries = device.stats().restarts;
    expect(tries).toBeGreaterThan(3_000);
    expect(tries).toBeLessThan(3_700);
    const again = watching();
    device.view(again);
    plug.refuse(undefined);
    await clock.advance(1_000);
    plug.frame(jpeg(2));
    await clock.advance(0);
    expect(again.seen.length).toBe(1);
    expect(conditions.at(-1)).toEqual({ state: "ready" });
  });

  it("that never gives a first picture is lost, too", async () => {
    const { device, plug, clock } = await camera({ startWithinMs: 1_500 });
    const viewer = watching();
    device.view(viewer);
    await clock.advance(1_499);
    expect([viewer.losses.length, plug.open]).toEqual([0, 1]);
    await clock.advance(1);
    expect([viewer.losses.length, plug.open]).toEqual([1, 0]);
  });
});

describe("opening and closing", () => {
  it("a camera that is not there does not open", async () => {
    const plug = socket();
    plug.refuse(new DeviceError("device_absent"));
    await expect(camera({}, manualClock(), plug)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("with `probe` it opens when a picture was there, and not where none comes", async () => {
    const [clock, plug] = [manualClock(), socket()];
    const opening = camera({ probe: true, lingerMs: 0 }, clock, plug);
    await clock.advance(0);
    plug.frame(jpeg(1));
    const { device } = await opening;
    await clock.advance(0);
    expect([device.stats().frames, plug.open]).toEqual([1, 0]);

    const silentClock = manualClock();
    const silent = socket();
    const failing = expect(camera({ probe: true }, silentClock, silent)).rejects.toMatchObject({ kind: "camera_lost" });
    await silentClock.advance(3_000);
    await failing;
    await silentClock.advance(10_000);
    expect([silent.links.length, silent.open]).toEqual([2, 0]);
  });

  it("closing tells the viewers, lets the camera go and ends the search for it", async () => {
    for (const how of ["close", "abort"] as const) {
      const { device, plug, clock, controller } = await camera();
      const viewer = watching();
      device.view(viewer);
      await clock.advance(0);
      if (how === "abort") controller.abort(new DeviceError("device_absent"));
      await device.close();
      expect(viewer.losses).toMatchObject([{ kind: "device_absent" }]);
      expect(() => device.view(viewer)).toThrow(DeviceError);
      plug.refuse(new DeviceError("device_absent"));
      await clock.advance(60_000);
      expect([plug.links.length, plug.open]).toEqual([2, 0]);
    }
  });

  it("the self-test takes a picture", async () => {
    const { device, plug, clock } = await camera();
    const good = device.selfTest(never);
    await clock.advance(0);
    plug.frame(jpeg(1));
    expect(await good).toEqual([{ check: "gives pictures", ok: true }]);
    plug.last.cut();
    plug.refuse(new DeviceError("busy", { hint: "close the browser" }));
    await clock.advance(5_000);
    const bad = device.selfTest(never);
    await clock.advance(5_000);
    expect(await bad).toMatchObject([{ ok: false, hint: "close the browser" }]);
  });
});

faultRow({
  device: "camera",
  fault: "Pulled out while nobody looks",
  sees: "`attention`, `camera_lost`",
  does: "looks for it without starting it",
  bounds: ["cameraIdle"],
  measured: ["lab: camera, pulled idle"],
});
it("a camera of this machine that nobody looks at is missed when it is pulled out, and in order when it is there again", async () => {
  const plug = socket("camera /dev/video0");
  const { device, clock, conditions } = await camera({}, manualClock(), plug);
  await clock.advance(10_000);
  expect(conditions).toEqual([{ state: "ready" }]);
  plug.refuse(new DeviceError("device_absent", { message: "gone" }));
  await clock.advance(1_000);
  expect(conditions.at(-1)).toMatchObject({ state: "attention", reason: { kind: "camera_lost", details: { reason: "device_absent" } } });
  plug.refuse(undefined);
  await clock.advance(1_000);
  expect(conditions.at(-1)).toEqual({ state: "ready" });
  // It was only looked for: nothing runs.
  expect(plug.open).toBe(0);
  await device.close();
});
