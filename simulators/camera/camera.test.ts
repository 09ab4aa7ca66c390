import { setTimeout as pause } from "node:timers/promises";
import { loadImage } from "@napi-rs/canvas";
import { expect, it } from "vitest";
import { type ManualClock, manualClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { createHost, type Host } from "../testing.js";
import { camera } from "./index.js";

function plugged(options: object = {}) {
  const clock = manualClock();
  const simulator = camera.create(camera.options.parse({ widthPx: 320, heightPx: 180, framesPerSecond: 10, ...options }), {
    clock,
    random: seededRandom(1),
    changed() {},
  });
  const host = createHost();
  const act = async (name: string, params: unknown = {}) =>
    await simulator.actions[name]?.act(simulator.actions[name]?.params.parse(params));
  return { simulator, clock, host, act, text: "" };
}

/** The reading of the stream by hand: each part with what its head tells and the bytes that came. */
function parts(stream: Uint8Array, boundary = "stationd"): { readonly told: number; readonly body: Buffer }[] {
  return Buffer.from(stream)
    .toString("latin1")
    .split(`--${boundary}\r\n`)
    .filter((part) => part !== "" && part !== "\r\n")
    .map((part) => {
      const [head = "", ...rest] = part.split("\r\n\r\n");
      expect(head).toMatch(/^Content-type: image\/jpeg\r\nContent-length: \d+$/);
      return { told: Number(/\d+$/.exec(head)?.[0]), body: Buffer.from(rest.join("\r\n\r\n").replace(/\r\n$/, ""), "latin1") };
    });
}

/** Drawing takes real time, which the simulator's clock knows nothing of. */
async function collect(
  host: Host,
  clock: ManualClock,
  simulator: ReturnType<typeof plugged>["simulator"],
  count: number,
): Promise<Uint8Array> {
  const before = Number(simulator.state().framesSent);
  while (Number(simulator.state().framesSent) < before + count) {
    await clock.advance(10);
    await pause(1);
  }
  return host.take();
}
/** Mean lightness of the picture, and how much neighbours in a row differ, both 0 to 255. */
async function measured(jpeg: Buffer): Promise<{ light: number; edges: number; width: number; height: number }> {
  const { createCanvas } = await import("@napi-rs/canvas");
  const image = await loadImage(jpeg);
  const context = createCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  let [light, edges] = [0, 0];
  for (let at = 4; at < data.length; at += 4) {
    light += data[at] ?? 0;
    edges += Math.abs((data[at] ?? 0) - (data[at - 4] ?? 0));
  }
  const pixels = data.length / 4;
  return { light: light / pixels, edges: edges / pixels, width: image.width, height: image.height };
}

it("sends JPEGs in parts with their length, each picture another one, and again the same after its loop", async () => {
  const { simulator, host, clock } = plugged({ boundary: "part" });
  simulator.attach(host.farEnd);
  const stream = parts(await collect(host, clock, simulator, 51), "part");
  expect(stream.length).toBe(51);
  for (const { told, body } of stream) {
    expect(body.length).toBe(told);
    expect([body.subarray(0, 2).toString("hex"), body.subarray(-2).toString("hex")]).toEqual(["ffd8", "ffd9"]);
  }
  const pictures = stream.map(({ body }) => body.toString("base64"));
  expect(new Set(pictures).size).toBe(50);
  expect(pictures[50]).toBe(pictures[0]);
  expect(await measured(stream[3]?.body ?? Buffer.alloc(0))).toMatchObject({ width: 320, height: 180 });
  await simulator.close();
});

it("keeps its rate by the clock, and can be made slower", async () => {
  const { simulator, host, clock, act } = plugged();
  simulator.attach(host.farEnd);
  // Its whole loop is drawn.
  await collect(host, clock, simulator, 50);
  const sentIn = async (ms: number): Promise<number> => {
    const before = Number(simulator.state().framesSent);
    for (let at = 0; at < ms; at += 50) {
      await clock.advance(50);
    }
    return Number(simulator.state().framesSent) - before;
  };
  await clock.advance(100);
  expect(await sentIn(3_000)).toBe(30);
  await act("slow", { framesPerSecond: 2 });
  await clock.advance(500);
  expect(await sentIn(3_000)).toBe(6);
  await act("freeze");
  await clock.advance(500);
  expect(await sentIn(3_000)).toBe(0);
  expect(host.ended).toBe(false);
  await act("freeze", { on: false });
  await act("drop", { frames: 2 });
  expect(await sentIn(3_000)).toBe(4);
  await simulator.close();
});

it("damages pictures on their way, and only so many", async () => {
  for (const how of ["cut", "no_end", "garbage", "wrong_length"]) {
    const { simulator, host, clock, act } = plugged();
    simulator.attach(host.farEnd);
    await act("corrupt", { frames: 1, how });
    const [bad, good] = parts(await collect(host, clock, simulator, 2));
    const whole = (part: typeof bad): boolean =>
      part !== undefined &&
      part.told === part.body.length &&
      part.body.readUInt16BE(0) === 0xffd8 &&
      part.body.readUInt16BE(part.told - 2) === 0xffd9;
    expect([how, whole(bad), whole(good)]).toEqual([how, false, true]);
    await simulator.close();
  }
});

it("sees less in the dark and nothing sharp out of focus", async () => {
  const { simulator, host, clock, act } = plugged();
  simulator.attach(host.farEnd);
  const seen = async () => measured(parts(await collect(host, clock, simulator, 3)).at(-1)?.body ?? Buffer.alloc(0));
  const usual = await seen();
  await act("dark");
  const dark = await seen();
  await act("dark", { on: false });
  await act("blurred");
  const blurred = await seen();
  expect(dark.light).toBeLessThan(usual.light / 5);
  expect(blurred.edges).toBeLessThan(usual.edges / 2);
  expect(Math.abs(blurred.light - usual.light)).toBeLessThan(25);
  simulator.reset();
  expect((await seen()).edges).toBeGreaterThan(usual.edges / 2);
  const shown = await act("picture");
  expect(
    Buffer.from(shown?.png ?? [])
      .subarray(1, 4)
      .toString(),
  ).toBe("PNG");
  await simulator.close();
});

it("a pulled wire ends, and none is let in before it is plugged in again", async () => {
  const { simulator, host, clock, act } = plugged();
  simulator.attach(host.farEnd);
  await collect(host, clock, simulator, 1);
  await act("unplug");
  expect([host.ended, simulator.state().attached]).toEqual([true, false]);
  const refused = createHost();
  simulator.attach(refused.farEnd);
  expect(refused.ended).toBe(true);
  await act("plug");
  const next = createHost();
  simulator.attach(next.farEnd);
  expect(parts(await collect(next, clock, simulator, 1)).length).toBe(1);
  await simulator.close();
  expect(next.ended).toBe(true);
});
