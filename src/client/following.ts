import type { Platform } from "./platform.js";
import { StationError } from "./station-error.js";

/** How often a job that has not ended is asked for: reads of state bypass the device's queue and cost next to nothing. */
const ASK_EVERY_MS = 1_000;

/** Until a job may be asked for again, or the signal aborts. Leaves no listener behind, however often it is waited. */
export function pause(platform: Platform, signal: AbortSignal | undefined, ms = ASK_EVERY_MS): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stop();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const stop = platform.after(ms, done);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** The connection comes back, and the agent still knows the job. `shutting_down` is a connection that is about to be lost. */
export function isLost(error: unknown): boolean {
  return error instanceof StationError && (error.kind === "connection_lost" || error.kind === "shutting_down");
}
