import type { ParamsInput, Result } from "../protocol/methods.js";
import type { PaymentJob } from "../protocol/payment-terminal.js";
import type { Progress } from "./connection.js";
import { isLost, pause } from "./following.js";
import type { Platform } from "./platform.js";
import type { StationClient } from "./station.js";
import { asStationError, canceled, StationError } from "./station-error.js";

/** A payment as it stands. `receiptLines`: the terminal's own receipt, to who asked while it was printed. */
export type Payment = Result<"paymentTerminal.pay">;

export interface PayOptions {
  /** Asks the terminal to stop. The terminal decides, and the payment is followed to its end all the same. */
  readonly cancel?: AbortSignal;
  /** Ends the following and nothing else: the payment goes on. The answer is the payment as it then stands. */
  readonly signal?: AbortSignal;
  /** For a page that was loaded again: follows what the agent has under this key, and begins nothing. */
  readonly resume?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** The payment each time it has changed and not ended: `unknown`, `resolving`, a code to scan … */
  readonly onJob?: (job: PaymentJob) => void;
}

interface PayNeeds {
  readonly platform: Platform;
  readonly client: Pick<StationClient, "call" | "subscribe">;
  /** @throws StationError when the client is closed, refused, or the signal aborts */
  whenOpen(signal?: AbortSignal): Promise<void>;
}

/** The agent knows no payment of this key, or the key is something else's. */
const NONE: ReadonlySet<string> = new Set(["job_not_found", "idempotency_conflict", "unauthorized", "protocol_mismatch"]);

/**
 * Takes one payment and stays with it until it has ended, over lost connections and restarts of the agent. The key is the caller's and
 * never changes, so nothing is charged twice: the agent answers with the payment it has, and begins only what it never received.
 * @returns the payment; `final` is false only where `signal` ended the wait
 * @throws StationError where the agent has no such payment: nothing was begun, and nothing charged. `job_not_found` with `resume`;
 *   `canceled` where a signal aborts before anything is known; `connection_lost` only when the client is closed; `internal` where the agent
 *   has lost a payment that was begun: whether it was charged is not known
 */
export function followPayment({ platform, client, whenOpen }: PayNeeds) {
  return async (request: ParamsInput<"paymentTerminal.pay">, options: PayOptions = {}): Promise<Payment> => {
    const { cancel, signal, onProgress, onJob } = options;
    const { idempotencyKey } = request;
    const following = new AbortController();
    let payment: Payment | undefined;
    /** The agent may have it. */
    let asked = options.resume === true;
    let toldToStop = false;

    const heard = (job: PaymentJob): void => {
      if (following.signal.aborted || job.idempotencyKey !== idempotencyKey) return;
      payment = job;
      if (!job.final) onJob?.(job);
    };

    const lookUp = async (): Promise<Payment> => {
      const found = await client.call("jobs.get", { idempotencyKey });
      if (found.kind === "payment") return found;
      throw new StationError("idempotency_conflict", "the key belongs to a print job");
    };

    /** Also of a payment that is under way: one that asks again is told how it goes on. */
    const pay = async (): Promise<Payment> => {
      asked = true;
      const stop = new AbortController();
      const onCancel = (): void => stop.abort();
      const answer = client.call("paymentTerminal.pay", request, { signal: stop.signal, ...(onProgress && { onProgress }) });
      if (!toldToStop) cancel?.addEventListener("abort", onCancel, { once: true });
      if (!toldToStop && cancel?.aborted) onCancel();
      try {
        const payment = await unlessAborted(following.signal, answer);
        toldToStop ||= stop.signal.aborted;
        return payment;
      } finally {
        cancel?.removeEventListener("abort", onCancel);
      }
    };

    /** Undefined: the agent cannot say now, and is asked again. */
    const ask = async (): Promise<Payment | undefined> => {
      if (cancel?.aborted && !asked) throw canceled();
      if (asked) {
        try {
          const found = await lookUp();
          if (found.final) return found;
          heard(found);
        } catch (error) {
          const { kind } = asStationError(error);
          if (!NONE.has(kind)) return undefined;
          // No word for "nothing was charged": it was begun, and whoever follows it has seen it.
          if (kind === "job_not_found" && payment) throw new StationError("internal", "the agent has forgotten a payment that was begun");
          // What never arrived is begun now, unless nobody wants it any more.
          if (kind !== "job_not_found" || options.resume) throw error;
          if (cancel?.aborted) throw canceled();
        }
      }
      try {
        return await pay();
      } catch (error) {
        if (following.signal.aborted || isLost(error) || NONE.has(asStationError(error).kind)) throw error;
        // Refused, or only not told how it goes on: the agent's own record decides which.
        return await lookUp().catch((unknown) => {
          if (isLost(unknown)) throw unknown;
          if (payment) return undefined;
          throw error;
        });
      }
    };

    const stop = (): void => following.abort();
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    client
      .subscribe(
        ["jobs"],
        (update) => {
          for (const job of update.kind === "state" ? update.state : [update.data]) if (job.kind === "payment") heard(job);
        },
        { signal: following.signal },
      )
      .catch(() => {}); // the answers alone will do
    try {
      for (;;) {
        try {
          await whenOpen(following.signal);
        } catch (error) {
          if (payment) return payment;
          throw error;
        }
        try {
          const answer = await ask();
          if (answer?.final) return answer;
          if (answer) heard(answer);
        } catch (error) {
          if (!following.signal.aborted && !isLost(error)) throw error;
        }
        await pause(platform, following.signal);
      }
    } finally {
      signal?.removeEventListener("abort", stop);
      following.abort();
    }
  };
}

/** Of many answers of one payment none leaves a listener behind. */
function unlessAborted<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const tell = (): void => reject(canceled());
    const release = (): void => signal.removeEventListener("abort", tell);
    if (signal.aborted) tell();
    signal.addEventListener("abort", tell, { once: true });
    answer.then(resolve, reject).finally(release);
  });
}
