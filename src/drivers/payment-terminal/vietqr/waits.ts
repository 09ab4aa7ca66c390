import type { PaymentFacts, PaymentOutcome, Transfer } from "../../../contracts/payment-terminal.js";
import type { Clock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";

type Came = { readonly facts: PaymentFacts } | { readonly state: "expired" | "cancelled"; readonly reason: DeviceError };

/** Payments whose code is out. Each ends by one thing only: its transfer, its time, or whoever withdraws it. */
export interface Waits {
  /** Rejects where the wait ends and the code can still be paid: with the agent, or with the device. */
  open(purpose: string, expiresAt: number, stop: AbortSignal): Promise<Came>;
  deliver(transfer: Transfer, purpose: unknown): boolean;
  close(reason: DeviceError): void;
}

/** Longer than any code can be paid: a wall clock that was far behind would make the timer wrap and ring at once. */
const LONGEST_MS = 3_600_000;

export function createWaits(clock: Clock, device: string): Waits {
  const open = new Map<string, { take(transfer: Transfer): void; drop(reason: unknown): void }>();
  return {
    open: (purpose, expiresAt, stop) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void): void => {
          open.delete(purpose);
          timer[Symbol.dispose]();
          stop.removeEventListener("abort", onStop);
          act();
        };
        const expired = (): Came => ({
          state: "expired",
          reason: new DeviceError("timeout", { device, message: "nobody paid in time", hint: "Begin again with a new code" }),
        });
        const onStop = (): void => {
          const { reason } = stop;
          const kind = reason instanceof DeviceError ? reason.kind : undefined;
          if (kind === "canceled") settle(() => resolve({ state: "cancelled", reason }));
          else if (kind === "timeout") settle(() => resolve(expired()));
          else settle(() => reject(reason));
        };
        const timer = clock.timer(Math.min(Math.max(0, expiresAt - clock.now()), LONGEST_MS), () => settle(() => resolve(expired())));
        open.set(purpose, {
          take: ({ transactionId, amountVnd }) =>
            settle(() => {
              const approvedAt = new Date(clock.now()).toISOString();
              resolve({ facts: { bankTransactionId: transactionId, paidVnd: amountVnd, approvedAt } });
            }),
          drop: (reason) => settle(() => reject(reason)),
        });
        stop.addEventListener("abort", onStop, { once: true });
        if (stop.aborted) onStop();
      }),
    deliver(transfer, purpose) {
      const waiting = typeof purpose === "string" ? open.get(purpose) : undefined;
      waiting?.take(transfer);
      return waiting !== undefined;
    },
    close(reason) {
      for (const { drop } of [...open.values()]) drop(reason);
    },
  };
}

/** What the money that came makes of a payment. */
export function paidWith(facts: PaymentFacts, amountVnd: number, device: string): PaymentOutcome {
  if (facts.paidVnd === amountVnd) return { state: "approved", facts };
  const hint = "Compare with the bank's statement; collect the rest or give it back, then: stationd payments resolve";
  const reason = new DeviceError("payment_unresolved", { device, message: "another amount came than was asked for", hint });
  return { state: "manual_review", reason, facts };
}
