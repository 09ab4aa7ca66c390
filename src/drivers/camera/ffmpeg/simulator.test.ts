import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { camera as cameraSimulator } from "../../../../simulators/camera/index.js";
import { faultRow } from "../../../../test/support/fault.js";
import { manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import { seededRandom } from "../../../kernel/random.js";
import { memoryPair } from "../../../transports/memory.js";
import { openCamera, watching } from "./rig.test.support.js";

/** The driver on the simulated camera, over a wire in memory, both on the test's clock. */
async function station() {
  const clock = manualClock();
  const options = cameraSimulator.options.parse({ widthPx: 64, heightPx: 64, framesPerSecond: 10 });
  const simulator = cameraSimulator.create(options, { clock, random: seededRandom(1), changed() {} });
  const connect = async (signal: AbortSignal) => {
    signal.throwIfAborted();
    if (simulator.state().unplugged) throw new DeviceError("device_absent");
    const [near, far] = memoryPair();
    simulator.attach(far);
    return near;
  };
  const { device, conditions } = await openCamera({ lingerMs: 500 }, clock, connect);
  /** The drawing takes real time, which the clock knows nothing of. */
  const until = async (condition: () => boolean): Promise<void> => {
    for (let step = 0; !condition(); step++) {
      await clock.advance(10);
      await pause(1);
      if (step > 3_000) throw new RangeError("it never came so far");
    }
  };
  return {
    clock,
    simulator,
    device,
    conditions,
    until,
    act: async (name: string, params: unknown = {}) => {
      const action = simulator.actions[name];
      await action?.act(action.params.parse(params));
    },
    async [Symbol.asyncDispose]() {
      await device.close();
      await simulator.close();
    },
  };
}

it("shows what the simulated camera sees, and lets go of it", async () => {
  await using rig = await station();
  const viewer = watching();
  const view = rig.device.view(viewer);
  await rig.until(() => viewer.seen.length >= 20);
  expect(viewer.seen.every(({ jpeg }) => jpeg[0] === 0xff && jpeg[1] === 0xd8)).toBe(true);
  view[Symbol.dispose]();
  await rig.until(() => rig.simulator.state().attached === false);
  expect(rig.device.stats()).toMatchObject({ broken: 0, restarts: 0 });
});

faultRow({
  device: "camera",
  fault: "Damaged pictures",
  knobs: ["camera.corrupt"],
  sees: "nothing of it: the next good one",
  does: "shows none of them, and counts them",
  back: "the next picture",
});
it.each(["cut", "no_end", "garbage", "wrong_length"])("of damaged pictures (%s) none is shown, and the viewers stay", async (how) => {
  await using rig = await station();
  const viewer = watching();
  rig.device.view(viewer);
  await rig.until(() => viewer.seen.length >= 1);
  await rig.act("corrupt", { frames: 3, how });
  await rig.until(() => rig.device.stats().broken >= 3);
  const seen = viewer.seen.length;
  await rig.until(() => viewer.seen.length >= seen + 3);
  expect(viewer.losses).toEqual([]);
  expect(rig.device.stats().broken).toBeLessThanOrEqual(4);
});

faultRow({
  device: "camera",
  fault: "Freezes: plugged in, and no picture comes",
  knobs: ["camera.freeze"],
  sees: "`attention`, `camera_lost`",
  does: "ends its program and starts it anew",
  bounds: ["cameraSilence", "cameraAgain"],
  case: ["freeze"],
});
it.each([
  ["freeze", {}, "freeze", { on: false }],
  ["unplug", {}, "plug", {}],
] as const)("%s: lost within three seconds, and back within three after its end", async (fault, faultParams, repair, repairParams) => {
  await using rig = await station();
  const viewer = watching();
  rig.device.view(viewer);
  await rig.until(() => viewer.seen.length >= 2);
  await rig.act(fault, faultParams);
  const faultAt = rig.clock.monotonicMs();
  await rig.until(() => viewer.losses.length > 0);
  expect(viewer.losses).toMatchObject([{ kind: "camera_lost" }]);
  expect(rig.clock.monotonicMs() - faultAt).toBeLessThanOrEqual(3_000);
  expect(rig.conditions.at(-1)).toMatchObject({ state: "attention" });

  await rig.clock.advance(10_000);
  await rig.act(repair, repairParams);
  const repairAt = rig.clock.monotonicMs();
  const again = watching();
  const look = (): void =>
    void rig.device.view({
      frame: again.frame,
      lost: ({ kind }) => {
        if (kind === "camera_lost") look();
      },
    });
  look();
  await rig.until(() => again.seen.length > 0);
  expect(rig.clock.monotonicMs() - repairAt).toBeLessThanOrEqual(3_000);
  expect(rig.conditions.at(-1)).toEqual({ state: "ready" });
});

faultRow({
  device: "camera",
  fault: "Leaves pictures out, or gives few a second",
  knobs: ["camera.drop", "camera.slow"],
  sees: "fewer pictures",
  does: "does not take it for lost while they come",
  back: "–",
});
it.each([
  ["drop", { frames: 10 }],
  ["slow", { framesPerSecond: 1 }],
] as const)("a camera that does %s shows less, and is not lost", async (fault, params) => {
  await using rig = await station();
  const viewer = watching();
  rig.device.view(viewer);
  await rig.until(() => viewer.seen.length >= 2);
  await rig.act(fault, params);
  const seen = viewer.seen.length;
  await rig.until(() => viewer.seen.length >= seen + 3);
  expect(viewer.losses).toEqual([]);
  expect(rig.device.stats()).toMatchObject({ broken: 0, restarts: 0 });
});
