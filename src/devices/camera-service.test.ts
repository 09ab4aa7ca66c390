import { beforeEach, describe, expect, it } from "vitest";
import type { Camera, CameraFrame, CameraViewer } from "../contracts/camera.js";
import { defineDriver } from "../contracts/driver.js";
import type { Documents, Picture } from "../contracts/imaging.js";
import { type ManualClock, manualClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import { z } from "../kernel/schema.js";
import type { Params } from "../protocol/methods.js";
import { Bay } from "./bay.js";
import { CameraService } from "./camera-service.js";
import { bayContext, settle } from "./testing/devices.js";
import { call, caller } from "./testing/fakes.js";

const good = { sharpness: 900, brightness: 120, darkShare: 0.01, brightShare: 0.02 };

let clock: ManualClock;
let viewers: Set<CameraViewer>;
let bay: Bay<"camera">;
let service: CameraService;
let judged: { jpeg: Uint8Array; box: object }[];
/** What each picture, by its first byte, is found to be; undefined: damaged. */
let judge: (jpeg: Uint8Array) => Picture["quality"] | undefined;
let still: Camera["still"] | undefined;

function fakeCamera() {
  return defineDriver({
    class: "camera",
    id: "scripted",
    summary: "",
    config: z.strictObject({}),
    links: ["tcp"],
    open: async () => ({
      identity: {},
      capabilities: {},
      lost: new Promise<DeviceError>(() => {}),
      selfTest: async () => [],
      close: async () => {},
      view(viewer) {
        viewers.add(viewer);
        return { [Symbol.dispose]: () => void viewers.delete(viewer) };
      },
      stats: () => ({ frames: 7, broken: 1, restarts: 2, viewers: viewers.size, framesPerSecond: 30 }),
      ...(still ? { still } : {}),
    }),
  });
}

const documents: Documents = {
  prepare: () => Promise.reject(new DeviceError("internal")),
  assemble: () => Promise.reject(new DeviceError("internal")),
  async picture(jpeg, box) {
    judged.push({ jpeg, box });
    const quality = judge(jpeg);
    if (!quality) throw new DeviceError("device_fault", { message: "damaged" });
    return { bytes: Uint8Array.of(...jpeg, 99), widthPx: 640, heightPx: 360, quality };
  },
};

beforeEach(async () => {
  clock = manualClock();
  viewers = new Set();
  judged = [];
  judge = () => good;
  still = undefined;
  await open();
});

async function open(): Promise<void> {
  const spec = {
    id: "face",
    driver: fakeCamera(),
    settings: {},
    connect: () => Promise.reject(new DeviceError("device_absent")),
    simulated: true,
    enabled: true,
  };
  bay = new Bay<"camera">(spec, bayContext(clock), () => {});
  bay.start();
  await settle();
  service = new CameraService({ clock, documents });
}

async function show(number: number): Promise<void> {
  const frame: CameraFrame = { jpeg: Uint8Array.of(number), capturedAt: clock.now() };
  for (const viewer of [...viewers]) viewer.frame(frame);
  await settle();
}
async function lose(): Promise<void> {
  const told = [...viewers];
  viewers.clear();
  for (const viewer of told) viewer.lost(new DeviceError("camera_lost"));
  await settle();
}
const shot = (params: Partial<Params<"camera.snapshot">> = {}): Params<"camera.snapshot"> => ({ timeoutMs: 10_000, ...params });
const wanted = (params: Partial<Params<"camera.startPreview">> = {}): Params<"camera.startPreview"> => ({ maxFps: 30, ...params });

describe("a snapshot", () => {
  it("is a picture from after it was asked for, fitted into the box and measured", async () => {
    await show(1);
    const asking = call();
    const answer = service.snapshot(bay, shot({ maxWidthPx: 640 }), asking);
    await settle();
    await clock.advance(50);
    await show(2);
    expect(await answer).toEqual({
      device: "face",
      simulated: true,
      image: { channel: 1, mediaType: "image/jpeg", byteLength: 2, sha256: "" },
      widthPx: 640,
      heightPx: 360,
      capturedAt: clock.now(),
      quality: good,
    });
    expect(judged).toEqual([{ jpeg: Uint8Array.of(2), box: { maxWidthPx: 640 } }]);
    expect(asking.blobs).toEqual([Uint8Array.of(2, 99)]);
    expect(asking.stages).toEqual(["waiting", "judging"]);
    expect(viewers.size).toBe(0);
  });

  it.each([
    [{ minSharpness: 100 }, { sharpness: 99 }],
    [{ minBrightness: 60 }, { brightness: 59 }],
    [{ maxBrightness: 200 }, { brightness: 201 }],
    [{ maxDarkShare: 0.3 }, { darkShare: 0.4 }],
    [{ maxBrightShare: 0.3 }, { brightShare: 0.4 }],
  ])("waits for a picture that passes %j", async (quality, bad) => {
    judge = ([number]) => (number === 3 ? good : { ...good, ...bad });
    const asking = call();
    const answer = service.snapshot(bay, shot({ quality }), asking);
    await settle();
    for (const number of [1, 2, 3]) await show(number);
    expect(await answer).toMatchObject({ quality: good });
    expect(asking.blobs).toEqual([Uint8Array.of(3, 99)]);
  });

  it("that is never good enough tells before the time is over what was measured and what it lacks", async () => {
    const dark = { sharpness: 40, brightness: 9, darkShare: 0.9, brightShare: 0 };
    judge = () => dark;
    const rejected = expect(
      service.snapshot(bay, shot({ quality: { minSharpness: 100, minBrightness: 60, maxDarkShare: 0.95 } }), call()),
    ).rejects.toMatchObject({
      kind: "quality_rejected",
      device: "face",
      details: { measured: dark, lacks: ["minSharpness", "minBrightness"] },
    });
    await settle();
    await show(1);
    await clock.advance(9_000);
    await rejected;
    expect(viewers.size).toBe(0);
  });

  it("passes over damaged pictures, and names the fault where there are no others", async () => {
    judge = ([number]) => (number === 2 ? good : undefined);
    const answer = service.snapshot(bay, shot(), call());
    await settle();
    await show(1);
    await show(2);
    expect(await answer).toMatchObject({ quality: good });

    const failing = expect(service.snapshot(bay, shot(), call())).rejects.toMatchObject({ kind: "device_fault", message: "damaged" });
    await settle();
    await show(1);
    await clock.advance(9_000);
    await failing;
  });

  it("fails with the camera, with its caller, and with its time", async () => {
    const lost = expect(service.snapshot(bay, shot(), call())).rejects.toMatchObject({ kind: "camera_lost", device: "face" });
    await settle();
    await lose();
    await lost;
    const asking = call();
    const canceled = expect(service.snapshot(bay, shot(), asking)).rejects.toMatchObject({ kind: "canceled" });
    await settle();
    asking.abort();
    await canceled;
    const late = expect(service.snapshot(bay, shot(), call())).rejects.toMatchObject({ kind: "timeout" });
    await settle();
    await clock.advance(10_000);
    await late;
    expect(viewers.size).toBe(0);
  });

  it("comes from a camera of stills, too, which has no preview", async () => {
    let taken = 0;
    still = async () => ({ jpeg: Uint8Array.of(++taken), capturedAt: 5 });
    await open();
    judge = ([number]) => (number === 2 ? good : { ...good, sharpness: 1 });
    expect(await service.snapshot(bay, shot({ quality: { minSharpness: 100 } }), call())).toMatchObject({ capturedAt: 5 });
    expect(taken).toBe(2);
    await expect(service.startPreview(bay, wanted(), call())).rejects.toMatchObject({ kind: "unsupported" });
  });
});

describe("a preview", () => {
  it("shows several clients what they want, each at its own rate and size, and costs a slow one nothing but pictures", async () => {
    // Each channel is one of the process.
    const client = (by: string, channel: number) => {
      const asking = call(caller(by));
      while (asking.streams.length < channel - 1) asking.stream();
      return asking;
    };
    const [fast, few, small, slow] = [client("one", 1), client("two", 2), client("three", 3), client("four", 4)];
    for (const [asking, params] of [
      [fast, {}],
      [few, { maxFps: 10 }],
      [small, { maxWidthPx: 320 }],
      [slow, {}],
    ] as const) {
      expect(await service.startPreview(bay, wanted(params), asking)).toMatchObject({
        device: "face",
        mediaType: "image/jpeg",
        simulated: true,
      });
    }
    await settle();
    if (slow.streams[3]) slow.streams[3].slow = true;
    for (let number = 0; number < 30; number++) {
      await show(number);
      await clock.advance(1_000 / 30);
    }
    const sent = (asking: typeof fast): number | undefined => asking.streams.at(-1)?.frames.length;
    expect(sent(fast)).toBe(30);
    expect(sent(few)).toBeGreaterThanOrEqual(10);
    // A quarter of a second may be made up for.
    expect(sent(few)).toBeLessThanOrEqual(13);
    expect(sent(small)).toBe(30);
    expect(small.streams.at(-1)?.frames[4]).toEqual(Uint8Array.of(4, 99));
    expect(judged.every(({ box }) => JSON.stringify(box) === '{"maxWidthPx":320}')).toBe(true);
    expect(sent(slow)).toBe(0);
    expect(await service.stats(bay, call())).toEqual({
      device: "face",
      simulated: true,
      frames: 7,
      broken: 1,
      restarts: 2,
      viewers: 4,
      framesPerSecond: 30,
      previews: [
        { client: "client-one 1", sent: 30, dropped: 0 },
        { client: "client-two 1", sent: sent(few), dropped: 30 - (sent(few) ?? 0) },
        { client: "client-three 1", sent: 30, dropped: 0 },
        { client: "client-four 1", sent: 0, dropped: 30 },
      ],
    });
  });

  it("whose pictures take long to make smaller misses those in between, and the damaged ones", async () => {
    let finish = (): void => {};
    const slowly: Documents = {
      ...documents,
      picture: async (jpeg, ...rest) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return await documents.picture(jpeg, ...rest);
      },
    };
    service = new CameraService({ clock, documents: slowly });
    judge = ([number]) => (number === 3 ? undefined : good);
    const asking = call();
    await service.startPreview(bay, wanted({ maxWidthPx: 320, maxFps: 60 }), asking);
    await settle();
    for (const number of [1, 2, 3, 4, 5]) {
      await show(number);
      await clock.advance(100);
      if (number !== 1) {
        finish();
        await settle();
      }
    }
    // 1 was under way when 2 came; 3 was damaged.
    expect(asking.streams[0]?.frames).toEqual([Uint8Array.of(1, 99), Uint8Array.of(4, 99), Uint8Array.of(5, 99)]);
    expect((await service.stats(bay, call())).previews).toEqual([{ client: "client-one 1", sent: 3, dropped: 2 }]);
  });

  it("goes on when the camera was lost and is back, as often as that happens", async () => {
    const asking = call();
    await service.startPreview(bay, wanted(), asking);
    await settle();
    for (let round = 1; round <= 3; round++) {
      await show(round);
      await lose();
      expect(viewers.size).toBe(0);
      await clock.advance(200);
      expect(viewers.size).toBe(1);
    }
    bay.reset();
    await settle();
    await lose();
    await clock.advance(1_000);
    await show(4);
    expect(asking.streams[0]?.frames.map(([number]) => number)).toEqual([1, 2, 3, 4]);
  });

  it("goes on with a camera whose settings changed, lost or not", async () => {
    for (const state of ["looking", "lost"] as const) {
      const asking = call();
      await service.startPreview(bay, wanted(), asking);
      await settle();
      const [former, kept] = [bay, service];
      await former.stop();
      if (state === "looking") await lose();
      else {
        await lose();
        await clock.advance(1_000);
      }
      await open();
      service = kept;
      service.adopt(bay, former);
      await clock.advance(1_000);
      await show(7);
      expect(asking.streams[0]?.frames.map(([number]) => number)).toEqual([7]);
      service.sessionEnded(caller("one"));
      await settle();
    }
  });

  it("ends by its own session only, by the session's end, and by the connection's; lost or not", async () => {
    for (const state of ["looking", "lost"] as const) {
      for (const how of ["stop", "session", "connection"] as const) {
        const asking = call();
        const { channel } = await service.startPreview(bay, wanted(), asking);
        await settle();
        if (state === "lost") await lose();
        expect(service.stopPreview(channel, caller("two"))).toBe(false);
        service.sessionEnded(caller("two"));
        expect(asking.streams[0]?.closed.aborted).toBe(false);
        if (how === "stop") expect(service.stopPreview(channel, caller("one"))).toBe(true);
        else if (how === "session") service.sessionEnded(caller("one"));
        else asking.streams[0]?.close();
        await clock.advance(1_000);
        expect(asking.streams[0]?.closed.aborted).toBe(true);
        expect(viewers.size).toBe(0);
        expect(service.stopPreview(channel, caller("one"))).toBe(false);
        expect((await service.stats(bay, call())).previews).toEqual([]);
      }
    }
  });

  it("needs an open camera", async () => {
    await bay.stop();
    await expect(service.startPreview(bay, wanted(), call())).rejects.toMatchObject({ kind: "device_absent" });
    await expect(service.snapshot(bay, shot(), call())).rejects.toMatchObject({ kind: "device_absent" });
  });
});
