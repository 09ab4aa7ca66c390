import type { TerminalTotals } from "../../../contracts/payment-terminal.js";
import { DeviceError } from "../../../kernel/errors.js";
import { TotalsResponse } from "./messages.js";
import { reasonOf } from "./reasons.js";
import type { Session } from "./session.js";

/** What counts for and against: payments, and what was taken back or given back of them. */
const SIGNS: Readonly<Record<string, number>> = { Debit: 1, CompletedDeffered: 1, ReverseDebit: -1, Credit: -1, ReverseCredit: 1 };

/** GetTotals counts since the last Reconciliation, which counts and begins anew. Both want a terminal that is logged in. */
export async function totals(session: Session, close: boolean, signal: AbortSignal): Promise<TerminalTotals> {
  const { device, config } = session;
  const answered = close
    ? await session.ask(
        // A second one would count nothing: it is sent once, and may take its time.
        {
          category: "Reconciliation",
          body: { ReconciliationType: "SaleReconciliation" },
          answer: TotalsResponse,
          withinMs: config.orderMs,
        },
        signal,
      )
    : await session.ask({ category: "GetTotals", body: {}, answer: TotalsResponse }, signal);
  if (answered.Response.Result !== "Success") throw cannotCount(answered, device);
  let [count, sumVnd] = [0, 0];
  for (const { PaymentCurrency = "VND", PaymentTotals = [] } of answered.TransactionTotals ?? []) {
    for (const { TransactionType, TransactionCount, TransactionAmount } of PaymentTotals) {
      const sign = SIGNS[TransactionType] ?? 0;
      if (sign !== 0 && PaymentCurrency !== "VND") throw notDong(device);
      count += sign * TransactionCount;
      sumVnd += sign * TransactionAmount;
    }
  }
  return { count, sumVnd };
}

function cannotCount({ Response: response }: TotalsResponse, device: string): DeviceError {
  const reason = reasonOf(response, device);
  if (reason.kind === "terminal_busy") return reason;
  const hint = "Compare with the acquirer's reports, or have the terminal log in and count";
  return new DeviceError("unsupported", { device, message: `no totals, ${reason.message}`, hint, details: reason.details ?? null });
}

function notDong(device: string): DeviceError {
  const hint = "Read the totals from the acquirer's reports";
  return new DeviceError("device_fault", { device, message: "the terminal counts in another currency", hint, retryable: false });
}
