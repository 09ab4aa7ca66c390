import type { PaymentOutcome } from "../../../contracts/payment-terminal.js";
import { DeviceError, type ErrorKind } from "../../../kernel/errors.js";
import { type ResultMeaning, resultCode } from "./result-codes.js";

const REASONS: Readonly<Record<ResultMeaning, { readonly kind: ErrorKind; readonly hint: string; readonly retryable: boolean }>> = {
  approved: { kind: "device_fault", retryable: false, hint: "Look at the terminal's journal" },
  declined: { kind: "card_error", retryable: false, hint: "The bank declined: pay with another card" },
  card_refused: { kind: "card_error", retryable: true, hint: "Use another card, or the chip instead of the stripe" },
  cancelled: { kind: "canceled", retryable: true, hint: "The cardholder cancelled or was too slow: begin again" },
  communication: { kind: "device_fault", retryable: true, hint: "The terminal cannot reach its bank: check its network" },
  busy: { kind: "terminal_busy", retryable: true, hint: "Wait until the terminal is idle" },
  not_possible: {
    kind: "unsupported",
    retryable: false,
    hint: "The terminal does not allow this: check its set-up, the password and the amount",
  },
  already_reversed: { kind: "device_fault", retryable: false, hint: "Look at the terminal's journal: this payment was taken back before" },
  not_reversible: { kind: "unsupported", retryable: false, hint: "Give the money back in another way: the terminal cannot any more" },
  end_of_day_needed: { kind: "device_fault", retryable: true, hint: "Do an end of day (reconcile with close)" },
  protocol: { kind: "device_fault", retryable: false, hint: "Check the terminal's ECR settings and the password" },
  terminal_fault: { kind: "device_fault", retryable: false, hint: "Look at the terminal's display; call its service" },
  unknown: { kind: "device_fault", retryable: false, hint: "Look up the code in the terminal's manual" },
};

const hex = (code: number): string => code.toString(16).padStart(2, "0").toUpperCase();

/** A result code of the terminal as an error. */
export function reasonOf(code: number, device: string): DeviceError {
  const { meaning, text } = resultCode(code);
  return new DeviceError(REASONS[meaning].kind, {
    ...REASONS[meaning],
    device,
    message: `terminal: ${text}`,
    details: { code: hex(code), meaning },
  });
}

/** How an order ended that moved no money, by the terminal's own code. */
export function notMoved(code: number, device: string): PaymentOutcome {
  const { meaning } = resultCode(code);
  const declined = meaning === "declined" || meaning === "card_refused";
  return { state: meaning === "cancelled" ? "cancelled" : declined ? "declined" : "not_charged", reason: reasonOf(code, device) };
}

export const isBusy = (code: number): boolean => resultCode(code).meaning === "busy";

export function busyNow(device: string, message: string): DeviceError {
  return new DeviceError("terminal_busy", { device, message });
}

/** The terminal's word is missing or contradicts itself: the caller asks by `resolve`. */
export function inDoubt(device: string, message: string): DeviceError {
  return new DeviceError("timeout", { device, message, hint: "The agent asks the terminal what became of it" });
}

export function forReview(device: string, message: string): PaymentOutcome {
  const hint = "Compare the terminal's journal with the station's";
  return { state: "manual_review", reason: new DeviceError("device_fault", { device, message, hint, retryable: false }) };
}
