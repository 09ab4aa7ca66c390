import type { Camera, CameraFrame, CameraViewer } from "../../../contracts/camera.js";
import type { DriverContext } from "../../../contracts/driver.js";
import { raceSignal } from "../../../kernel/deadline.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { Connect, Link } from "../../../kernel/link.js";
import type { z } from "../../../kernel/schema.js";
import type { FfmpegConfig } from "./config.js";
import { createRate } from "./rate.js";
import { runStream } from "./stream.js";

/** How soon it is noticed that a camera which nobody looks at was pulled out. */
export const IDLE_LOOK_MS = 1_000;
/** Doubling, so that a camera that comes back shows its picture within three seconds. */
export const BACK_OFF_MS = { first: 100, most: 1_000 };

export async function open(config: z.output<typeof FfmpegConfig>, context: DriverContext): Promise<Camera> {
  const { clock, log, device } = context;
  const connect = context.connect as Connect<Link>;
  const ending = new AbortController();
  const viewers = new Set<CameraViewer>();
  const rate = createRate();
  let frames = 0;
  let broken = 0;
  let restarts = 0;
  /** Why the camera gives no pictures; undefined while it does, or nobody looked. */
  let trouble: DeviceError | undefined;
  let looking: Promise<void> | undefined;
  /** Ends the run that is under way. */
  let run: AbortController | undefined;
  let linger: Disposable | undefined;
  let idleLook: Disposable | undefined;

  const inOrder = (): void => {
    if (!trouble) return;
    trouble = undefined;
    context.report({ state: "ready" });
  };
  const inTrouble = (cause: DeviceError): void => {
    if (!trouble) log.warn("camera lost", { device, kind: cause.kind });
    trouble = new DeviceError("camera_lost", { device, message: cause.message, hint: cause.hint, details: { reason: cause.kind }, cause });
    context.report({ state: "attention", reason: trouble });
    tell(trouble);
  };
  /** Everyone who looks, once. */
  const tell = (reason: DeviceError): void => {
    const told = [...viewers];
    viewers.clear();
    for (const viewer of told) viewer.lost(reason);
  };

  const stay = (): void => {
    linger?.[Symbol.dispose]();
    linger = undefined;
  };
  /** A camera of this machine, not one in the network. */
  let local = false;
  /** Nobody looks: the camera is let go in a while. */
  const idle = (): void => {
    linger ??= clock.timer(config.lingerMs, () => {
      linger = undefined;
      if (viewers.size === 0) run?.abort();
    });
  };
  const show = (frame: CameraFrame): void => {
    frames += 1;
    rate.count(clock.monotonicMs());
    inOrder();
    for (const viewer of viewers) viewer.frame(frame);
    if (viewers.size === 0) idle();
  };
  const onBroken = (): void => {
    broken += 1;
  };

  /** Connecting looks whether it is there, and runs nothing. */
  const lookOnce = async (): Promise<void> => {
    const link = await connect(ending.signal);
    await link.close();
    inOrder();
  };
  /** Until nobody looks and nothing is wrong: runs the camera, and when it is lost, runs it again. */
  const keepLooking = async (): Promise<void> => {
    let waitMs = BACK_OFF_MS.first;
    while (!ending.signal.aborted && (viewers.size > 0 || trouble)) {
      const before = frames;
      run = new AbortController();
      try {
        // What was pulled out and nobody looks at is in order when it is there, as at the opening.
        if (viewers.size === 0 && asDeviceError(trouble?.cause).kind === "device_absent") await lookOnce();
        else await runStream({ ...config, connect, clock, frame: show, broken: onBroken }, run.signal);
      } catch (thrown) {
        if (ending.signal.aborted) return;
        log.debug("camera run ended", { device, kind: asDeviceError(thrown).kind });
        inTrouble(asDeviceError(thrown, "device_fault", { device }));
        // Whether a camera of this machine is there costs nothing to see: whoever looks has it back at once.
        const pulledOut = local && asDeviceError(thrown).kind === "device_absent";
        if (pulledOut || frames > before) waitMs = BACK_OFF_MS.first;
        await clock.sleep(waitMs, ending.signal).catch(() => {});
        waitMs = Math.min(2 * waitMs, BACK_OFF_MS.most);
        restarts += 1;
      } finally {
        run = undefined;
      }
    }
  };
  const wake = (): void => {
    looking ??= keepLooking().finally(() => {
      looking = undefined;
      // Somebody came while it was about to end.
      if (viewers.size > 0 && !ending.signal.aborted) wake();
    });
  };
  /** Cameras of this machine only: an idle one that is pulled out says nothing. */
  const lookWhileIdle = (): void => {
    idleLook = clock.timer(IDLE_LOOK_MS, async () => {
      try {
        if (!looking) await lookOnce();
      } catch (thrown) {
        if (ending.signal.aborted) return;
        inTrouble(asDeviceError(thrown, "device_fault", { device }));
        wake();
      }
      if (!ending.signal.aborted) lookWhileIdle();
    });
  };
  const leave = (viewer: CameraViewer): void => {
    if (viewers.delete(viewer) && viewers.size === 0) idle();
  };

  const close = async (): Promise<void> => {
    context.signal.removeEventListener("abort", onAbort);
    idleLook?.[Symbol.dispose]();
    stay();
    const closed = new DeviceError("device_absent", { device, message: "the device was closed" });
    ending.abort(closed);
    run?.abort();
    tell(closed);
    await looking;
  };
  const onAbort = (): void => void close();
  context.signal.addEventListener("abort", onAbort, { once: true });

  const camera: Camera = {
    identity: {},
    capabilities: { version: 1, preview: true, snapshot: true },
    // A camera that was pulled out is looked for by ourselves, so that whoever looks has it back at once.
    lost: new Promise(() => {}),
    view(viewer) {
      ending.signal.throwIfAborted();
      // A viewer of its own, so that the same object may look twice.
      const mine: CameraViewer = { frame: (frame) => viewer.frame(frame), lost: (reason) => viewer.lost(reason) };
      viewers.add(mine);
      stay();
      wake();
      return { [Symbol.dispose]: () => leave(mine) };
    },
    stats: () => ({ frames, broken, restarts, viewers: viewers.size, framesPerSecond: run ? rate.perSecond(clock.monotonicMs()) : 0 }),
    async selfTest(signal) {
      ending.signal.throwIfAborted();
      try {
        await firstPicture(camera, signal);
        return [{ check: "gives pictures", ok: true }];
      } catch (thrown) {
        if (signal.aborted || ending.signal.aborted) throw thrown;
        const { message, hint } = asDeviceError(thrown);
        return [{ check: "gives pictures", ok: false, note: message, hint }];
      }
    },
    close,
  };

  try {
    context.signal.throwIfAborted();
    // Whether it is there can be seen without running it.
    const link = await connect(context.signal);
    await link.close();
    if (config.probe) await firstPicture(camera, context.signal);
    context.signal.throwIfAborted();
    local = link.description.startsWith("camera ");
    if (local) lookWhileIdle();
  } catch (thrown) {
    await close();
    throw thrown;
  }
  context.report({ state: "ready" });
  return camera;
}

async function firstPicture(camera: Camera, signal: AbortSignal): Promise<void> {
  let view: Disposable | undefined;
  const seen = new Promise<CameraFrame>((frame, lost) => {
    view = camera.view({ frame, lost });
  });
  try {
    await raceSignal(seen, signal);
  } finally {
    view?.[Symbol.dispose]();
  }
}
