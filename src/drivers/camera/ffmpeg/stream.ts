import type { CameraFrame } from "../../../contracts/camera.js";
import type { Clock } from "../../../kernel/clock.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { Connect } from "../../../kernel/link.js";
import { createMultipartReader } from "./codec.js";

export interface StreamOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly boundary: string;
  readonly startWithinMs: number;
  readonly frameWithinMs: number;
  frame(frame: CameraFrame): void;
  broken(): void;
}

/**
 * One run of the camera, from connecting until the signal ends it. Resolves when it was ended so; the camera is let go by then.
 * Only good pictures count as a sign of life: a camera that sends rubbish is as lost as a silent one.
 * @throws DeviceError of the link; `camera_lost` where it fell silent
 */
export async function runStream({ connect, clock, ...options }: StreamOptions, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const stop = (): void => over.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  let watchdog: Disposable | undefined;
  let dueMs = Number.POSITIVE_INFINITY;
  const look = (): void => {
    const leftMs = dueMs - clock.monotonicMs();
    if (leftMs > 0) watchdog = clock.timer(leftMs, look);
    else over.abort(silent());
  };
  /** A picture only moves the time on, and the timer sees that when it fires: a new timer each would cost as much as the picture. */
  const watch = (ms: number): void => {
    const untilMs = clock.monotonicMs() + ms;
    const isSooner = untilMs < dueMs;
    dueMs = untilMs;
    if (!isSooner) return;
    watchdog?.[Symbol.dispose]();
    look();
  };
  watch(options.startWithinMs);
  try {
    const link = await connect(over.signal);
    try {
      const reader = createMultipartReader(options.boundary);
      for (;;) {
        for (const part of reader.push(await link.read(over.signal))) {
          if (part.type === "broken") options.broken();
          else {
            watch(options.frameWithinMs);
            options.frame({ jpeg: part.jpeg, capturedAt: clock.now() });
          }
        }
      }
    } finally {
      await link.close();
    }
  } catch (thrown) {
    if (signal.aborted) return;
    throw asDeviceError(over.signal.aborted ? over.signal.reason : thrown, "device_fault");
  } finally {
    watchdog?.[Symbol.dispose]();
    signal.removeEventListener("abort", stop);
  }
}

function silent(): DeviceError {
  return new DeviceError("camera_lost", {
    message: "no good picture came in time",
    hint: "Unplug the camera and plug it in again; if it repeats, try another socket or cable",
  });
}
