import { expect, test } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import { startStation } from "../../src/testing.js";
import { faultRow } from "../support/fault.js";

const scenario = {
  devices: { face: { driver: "ffmpeg", lingerMs: 100, link: { kind: "simulator", simulator: "camera", widthPx: 640, heightPx: 360 } } },
};

/** Live pictures, kept in order; `next` is the first that comes from now on. */
function watch(client: StationClient, options: Parameters<StationClient["preview"]>[0] = {}) {
  const leave = new AbortController();
  let wake = (_jpeg: Blob): void => {};
  const ended = client.preview(options, (jpeg) => wake(jpeg), { signal: leave.signal });
  return {
    next: () =>
      new Promise<Blob>((resolve) => {
        wake = resolve;
      }),
    async stop() {
      leave.abort();
      await ended;
    },
  };
}
const bytes = async (jpeg: Blob): Promise<Buffer> => Buffer.from(await jpeg.arrayBuffer());

/** Height and width in the JPEG's frame header (ITU T.81 §B.2.2). */
function sizeOf(jpeg: Buffer): { width: number; height: number } {
  for (let at = 2; at < jpeg.length; at += 2 + jpeg.readUInt16BE(at + 2)) {
    const marker = jpeg.readUInt16BE(at);
    if (marker === 0xffc0 || marker === 0xffc2) return { width: jpeg.readUInt16BE(at + 7), height: jpeg.readUInt16BE(at + 5) };
  }
  throw new RangeError("no frame header");
}

test("a face is seen live by several pages, each in its size, and photographed", async () => {
  await using station = await startStation({ scenario });
  const [kiosk, technician] = [await station.connect(), await station.connect("technician")];
  const [large, small] = [watch(kiosk), watch(technician, { maxWidthPx: 320, maxFps: 5 })];
  expect(sizeOf(await bytes(await large.next()))).toEqual({ width: 640, height: 360 });
  expect(sizeOf(await bytes(await small.next()))).toEqual({ width: 320, height: 180 });

  const shot = await kiosk.call("camera.snapshot", { quality: { minSharpness: 50, maxDarkShare: 0.5 } });
  expect(shot).toMatchObject({ device: "face", simulated: true, widthPx: 640, heightPx: 360 });
  expect(sizeOf(await bytes(kiosk.blob(shot.image)))).toEqual({ width: 640, height: 360 });

  const stats = await technician.call("camera.stats", {});
  expect(stats).toMatchObject({ device: "face", broken: 0, restarts: 0, viewers: 2 });
  expect(stats.previews.length).toBe(2);
  await large.stop();
  await small.stop();
  while ((await technician.call("camera.stats", {})).viewers > 0);
});

faultRow({
  device: "camera",
  fault: "Too dark, or out of focus",
  knobs: ["camera.dark", "camera.blurred"],
  sees: "`quality_rejected`, with what was measured and what it lacks",
  does: "waits for a better picture until the page's time is over",
  back: "light, a clean lens",
});
test("a picture that is too dark or out of focus is refused with what was measured", async () => {
  await using station = await startStation({ scenario });
  const kiosk = await station.connect();
  /**
   * On a busy machine not even one picture may have been judged in so short a time, or one from before is still under way: then it is
   * asked again.
   */
  const refused = async (quality: object): Promise<unknown> => {
    for (;;) {
      const thrown: unknown = await kiosk.call("camera.snapshot", { quality, timeoutMs: 1_000 }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (thrown !== undefined && (thrown as { kind?: string }).kind !== "timeout") return thrown;
    }
  };
  await station.act("face", "dark");
  expect(await refused({ minBrightness: 40 })).toMatchObject({
    kind: "quality_rejected",
    details: { lacks: ["minBrightness"], measured: { brightness: expect.any(Number), sharpness: expect.any(Number) } },
  });
  await station.act("face", "dark", { on: false });
  const { quality: sharp } = await kiosk.call("camera.snapshot", { quality: { minBrightness: 40 } });
  await station.act("face", "blurred");
  expect(await refused({ minSharpness: sharp.sharpness / 2 })).toMatchObject({
    kind: "quality_rejected",
    details: { lacks: ["minSharpness"] },
  });
});

faultRow({
  device: "camera",
  fault: "Pulled out while somebody looks",
  knobs: ["camera.unplug"],
  sees: "`attention`, `camera_lost`; the live picture goes on when it is back",
  does: "lets the program go and looks for the camera",
  bounds: ["cameraSilence", "cameraAgain"],
  measured: ["lab: camera, pulled while looked at"],
});
test("a camera that is pulled out is lost by name, and the live picture goes on when it is back", async () => {
  await using station = await startStation({ scenario });
  const kiosk = await station.connect();
  const live = watch(kiosk);
  await live.next();
  await station.act("face", "unplug");
  while ((await kiosk.call("devices.get", { device: "face" })).state !== "attention");
  expect(await kiosk.call("devices.get", { device: "face" })).toMatchObject({ state: "attention", reason: { kind: "camera_lost" } });
  await expect(kiosk.call("camera.snapshot", {})).rejects.toMatchObject({ kind: "camera_lost" });
  await station.act("face", "plug");
  await live.next();
  expect((await kiosk.call("devices.get", { device: "face" })).state).toBe("ready");
  await live.stop();
});
