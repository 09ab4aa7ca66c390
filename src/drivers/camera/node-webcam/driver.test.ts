import { expect, it } from "vitest";
import { faultRow } from "../../../../test/support/fault.js";
import type { Condition } from "../../../contracts/driver.js";
import { manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import { silentLog } from "../../../kernel/log.js";
import type { ProgramLink, ProgramOutput } from "../../../kernel/program.js";
import { seededRandom } from "../../../kernel/random.js";
import { nodeWebcam } from "./driver.js";

const never = new AbortController().signal;
const JPEG = Uint8Array.of(0xff, 0xd8, 1, 2, 0xff, 0xd9);

/** A program whose doings are the test's. */
async function camera(settings: object = {}) {
  const clock = manualClock();
  const log: string[] = [];
  const conditions: Condition[] = [];
  let work: (output: ProgramOutput, signal: AbortSignal) => Promise<Uint8Array | undefined> = async () => JPEG;
  let there = true;
  const connect = async (): Promise<ProgramLink> => {
    if (!there) throw new DeviceError("device_absent", { message: "gone" });
    let file: Uint8Array | undefined;
    log.push("connect");
    return {
      description: "test",
      folder: "/none",
      async run(args, output, signal) {
        log.push(`run ${args.join(" ")}`);
        const stopped = new Promise<"stopped">((resolve) => signal.addEventListener("abort", () => resolve("stopped"), { once: true }));
        const made = await Promise.race([work(output, signal), stopped]);
        if (made === "stopped") return { code: undefined, stopped: true };
        file = made;
        return { code: 0, stopped: false };
      },
      async take(name) {
        if (!file || name !== "still.jpg") throw new DeviceError("device_fault");
        return file;
      },
      async close() {
        log.push("close");
      },
    };
  };
  const device = await nodeWebcam.open(nodeWebcam.config.parse(settings), {
    device: "face",
    connect,
    clock,
    random: seededRandom(1),
    log: silentLog,
    signal: never,
    imaging: { draw: async () => [], png: async () => new Uint8Array() },
    simulated: false,
    report: (condition) => conditions.push(condition),
  });
  const still = (signal = never) => device.still?.(signal) ?? Promise.reject(new DeviceError("internal"));
  const does = (next: typeof work): void => {
    work = next;
  };
  const pull = (): void => {
    there = false;
  };
  return { device, still, clock, log, conditions, does, pull };
}

it("takes a picture with a link of its own, one after the other", async () => {
  const { device, still, log, clock } = await camera({ delaySeconds: 2 });
  expect(await Promise.all([still(), still()])).toEqual([
    { jpeg: JPEG, capturedAt: clock.now() },
    { jpeg: JPEG, capturedAt: clock.now() },
  ]);
  const one = ["connect", "run still.jpg 2", "close"];
  expect(log).toEqual(["connect", "close", ...one, ...one]);
  expect(device.stats()).toMatchObject({ frames: 2, broken: 0 });
});

it.each([
  ["stat: No such file or directory", "device_absent"],
  ["VIDIOC_S_FMT: Device or resource busy", "busy"],
  ["open: Permission denied", "device_fault"],
])("a program that ends well without a picture lost the camera: %s", async (said, reason) => {
  const { still, does, conditions } = await camera();
  does(async (output) => {
    output.stderr?.(said);
    return undefined;
  });
  await expect(still()).rejects.toMatchObject({ kind: "camera_lost", details: { reason } });
  expect(conditions.at(-1)).toMatchObject({ state: "attention" });
  does(async () => JPEG);
  await still();
  expect(conditions.at(-1)).toEqual({ state: "ready" });
});

it("what is no JPEG is no picture, and is counted", async () => {
  const { device, still, does } = await camera();
  for (const bytes of [new Uint8Array(), Uint8Array.of(1, 2, 3), JPEG.slice(0, 5)]) {
    does(async () => bytes);
    await expect(still()).rejects.toMatchObject({ kind: "camera_lost" });
  }
  expect(device.stats().broken).toBe(3);
});

faultRow({
  device: "camera",
  fault: "The program for stills hangs",
  sees: "`camera_lost`",
  does: "ends all its processes",
  back: "the next picture",
  bounds: ["webcam"],
});
it("a program that hangs is ended: by its deadline, by the caller, by closing", async () => {
  const { device, still, does, clock, log } = await camera({ withinMs: 5_000 });
  does(() => new Promise(() => {}));
  const late = still();
  const lost = expect(late).rejects.toMatchObject({ kind: "camera_lost", details: { reason: "timeout" } });
  await clock.advance(5_000);
  await lost;

  const caller = new AbortController();
  const canceled = still(caller.signal);
  await clock.advance(0);
  caller.abort(new DeviceError("canceled"));
  await expect(canceled).rejects.toMatchObject({ kind: "canceled" });

  const closed = still();
  const absent = expect(closed).rejects.toMatchObject({ kind: "device_absent" });
  await clock.advance(0);
  await device.close();
  await absent;
  expect(log.filter((line) => line === "connect").length).toBe(log.filter((line) => line === "close").length);
});

it("has no live picture", async () => {
  const { device, still } = await camera();
  expect(() => device.view({ frame() {}, lost() {} })).toThrow(expect.objectContaining({ kind: "unsupported" }));
  expect(await device.selfTest(never)).toEqual([{ check: "gives a picture", ok: true }]);
  expect((await still()).jpeg).toEqual(JPEG);
});

faultRow({
  device: "camera",
  fault: "A camera for stills is pulled out",
  sees: "`device_absent`",
  does: "looks for it without starting it",
  bounds: ["tryAgain"],
  measured: ["lab: webcam, pulled idle"],
});
it("is lost when it is pulled out while nobody takes a picture", async () => {
  const { device, clock, pull } = await camera();
  let reason: DeviceError | undefined;
  void device.lost.then((lost) => {
    reason = lost;
  });
  await clock.advance(10_000);
  expect(reason).toBeUndefined();
  pull();
  await clock.advance(1_500);
  expect(reason).toMatchObject({ kind: "device_absent" });
  await device.close();
});
