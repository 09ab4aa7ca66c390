import type { PrintJob } from "../protocol/jobs.js";
import type { ParamsInput } from "../protocol/methods.js";
import type { Progress } from "./connection.js";
import { isLost, pause } from "./following.js";
import type { Platform } from "./platform.js";
import type { StationClient } from "./station.js";

export interface PrintOptions {
  /** Asks to stop. What is under way on paper is not stopped by it: the answer is the job as it then stands. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** The job each time it was asked for and had not ended yet. */
  readonly onJob?: (job: PrintJob) => void;
}

interface PrintNeeds {
  readonly platform: Platform;
  readonly call: StationClient["call"];
  /** @throws StationError when the client is closed, refused, or the signal aborts */
  whenOpen(signal?: AbortSignal): Promise<void>;
}

/**
 * Prints once and stays with the job until it has ended, over lost connections and restarts of the agent.
 * The key is the caller's and never changes: to send the same request again with it is safe, the agent then answers
 * with the job it has, and prints only what it never received.
 * @returns the job; `final` is false only where the signal ended the wait
 * @throws StationError other than `connection_lost`; `canceled` where the signal aborts before anything is known
 */
export function followPrint({ platform, call, whenOpen }: PrintNeeds) {
  return async (request: ParamsInput<"printer.print">, options: PrintOptions = {}): Promise<PrintJob> => {
    const { signal, onProgress, onJob } = options;
    const asking = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
    let job: PrintJob | undefined;
    for (;;) {
      try {
        await whenOpen(signal);
      } catch (error) {
        if (job) return job;
        throw error;
      }
      try {
        if (job) {
          const found = await call("jobs.get", { idempotencyKey: request.idempotencyKey });
          if (found.kind === "print") job = found; // the key is this print's, and no payment's
        } else job = await call("printer.print", request, asking);
      } catch (error) {
        if (!isLost(error)) throw error;
      }
      if (job && (job.final || signal?.aborted)) return job;
      if (job) onJob?.(job);
      await pause(platform, signal);
    }
  };
}
