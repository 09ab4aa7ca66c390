import type { Camera, CameraFrame } from "../../../contracts/camera.js";
import type { DriverContext } from "../../../contracts/driver.js";
import { deadline, raceSignal } from "../../../kernel/deadline.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { ProgramLink } from "../../../kernel/program.js";
import type { z } from "../../../kernel/schema.js";
import type { NodeWebcamConfig } from "./config.js";

const MAX_PICTURE_BYTES = 16 * 1024 * 1024;
const FILE = "still.jpg";
/** How soon it is noticed that an idle camera was pulled out. */
const IDLE_LOOK_MS = 1_500;

export async function open(config: z.output<typeof NodeWebcamConfig>, context: DriverContext<ProgramLink>): Promise<Camera> {
  const { clock, device, connect } = context;
  const ending = new AbortController();
  let frames = 0;
  let broken = 0;

  const take = async (signal: AbortSignal): Promise<CameraFrame> => {
    // A link for each picture: nothing of it stays in the folder, and the device is found again by its stable name.
    const link = await connect(signal);
    try {
      const said: string[] = [];
      const stderr = (line: string): void => {
        if (said.length < 20) said.push(line);
      };
      const { stopped } = await link.run([FILE, String(config.delaySeconds)], { stderr }, signal);
      if (stopped) throw signal.reason;
      // How it ended says nothing: fswebcam ends well without a camera, too.
      const jpeg = await link.take(FILE, MAX_PICTURE_BYTES).catch(() => undefined);
      if (!jpeg) throw noPicture(said.join(" "));
      if (!isJpeg(jpeg)) {
        broken += 1;
        throw new DeviceError("device_fault", { message: "the camera's picture is damaged" });
      }
      frames += 1;
      return { jpeg, capturedAt: clock.now() };
    } finally {
      await link.close();
    }
  };

  /** One after the other: the camera serves one program at a time. */
  let queue: Promise<unknown> = Promise.resolve();
  const still = async (signal: AbortSignal): Promise<CameraFrame> => {
    ending.signal.throwIfAborted();
    const turn = queue.then(async () => {
      signal.throwIfAborted();
      ending.signal.throwIfAborted();
      const stop = new AbortController();
      const onEnd = (): void => stop.abort(signal.aborted ? signal.reason : ending.signal.reason);
      for (const one of [signal, ending.signal]) one.addEventListener("abort", onEnd, { once: true });
      using limit = deadline(clock, config.withinMs + 1_000 * config.delaySeconds, stop.signal, "the camera gave no picture in time");
      try {
        const frame = await take(limit.signal);
        context.report({ state: "ready" });
        return frame;
      } catch (thrown) {
        if (stop.signal.aborted) throw stop.signal.reason;
        const reason = lost(asDeviceError(thrown, "device_fault"));
        context.report({ state: "attention", reason });
        throw reason;
      } finally {
        for (const one of [signal, ending.signal]) one.removeEventListener("abort", onEnd);
      }
    });
    queue = turn.catch(() => {});
    return await raceSignal(turn, signal);
  };
  const lost = (cause: DeviceError): DeviceError =>
    new DeviceError("camera_lost", { device, message: cause.message, hint: cause.hint, details: { reason: cause.kind }, cause });

  let tellGone = (_reason: DeviceError): void => {};
  const gone = new Promise<DeviceError>((resolve) => {
    tellGone = resolve;
  });
  let idleLook: Disposable | undefined;
  /** It is held for the moment of a picture only, and says nothing of itself: connecting looks whether it is there. */
  const lookWhileIdle = (): void => {
    idleLook = clock.timer(IDLE_LOOK_MS, async () => {
      try {
        await (await connect(ending.signal)).close();
      } catch (thrown) {
        if (!ending.signal.aborted) tellGone(asDeviceError(thrown, "device_absent", { device }));
        return;
      }
      if (!ending.signal.aborted) lookWhileIdle();
    });
  };

  const close = async (): Promise<void> => {
    context.signal.removeEventListener("abort", onAbort);
    idleLook?.[Symbol.dispose]();
    ending.abort(new DeviceError("device_absent", { device, message: "the device was closed" }));
    await queue;
  };
  const onAbort = (): void => void close();
  context.signal.addEventListener("abort", onAbort, { once: true });
  context.signal.throwIfAborted();

  const link = await connect(context.signal);
  await link.close();
  context.report({ state: "ready" });
  lookWhileIdle();
  return {
    identity: {},
    capabilities: { version: 1, preview: false, snapshot: true },
    lost: gone,
    view() {
      throw new DeviceError("unsupported", {
        device,
        message: "this camera gives stills only",
        hint: "Use the driver ffmpeg for a live picture",
      });
    },
    still,
    stats: () => ({ frames, broken, restarts: 0, viewers: 0, framesPerSecond: 0 }),
    async selfTest(signal) {
      try {
        await still(signal);
        return [{ check: "gives a picture", ok: true }];
      } catch (thrown) {
        if (signal.aborted || ending.signal.aborted) throw thrown;
        const { message, hint } = asDeviceError(thrown);
        return [{ check: "gives a picture", ok: false, note: message, hint }];
      }
    },
    close,
  };
}

/** SOI and EOI (ITU T.81 §B.1.1.3). */
function isJpeg(bytes: Uint8Array): boolean {
  const last = bytes.length - 2;
  return bytes.length > 4 && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[last] === 0xff && bytes[last + 1] === 0xd9;
}

/** Why fswebcam left no file, from what it said. */
function noPicture(said: string): DeviceError {
  if (/busy/i.test(said)) {
    return new DeviceError("busy", { message: "the camera is in use", hint: "Another program holds the camera: a browser, a video call" });
  }
  if (/failed to execute|not found/i.test(said)) {
    return new DeviceError("device_fault", { message: "fswebcam cannot be started", hint: "Install fswebcam" });
  }
  if (/permission/i.test(said)) {
    return new DeviceError("device_fault", {
      message: "the camera may not be opened",
      hint: "Put the agent's user into the group `video`, or install the udev rules",
    });
  }
  return new DeviceError("device_absent", { message: "the camera gave no picture" });
}
