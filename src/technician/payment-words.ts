import type { PaymentState } from "../protocol/payment-terminal.js";

/** How a payment stands, for a technician. */
export const PAYMENT_WORDS: Readonly<Record<PaymentState, string>> = {
  queued: "is waiting for the terminal",
  in_progress: "is under way",
  unknown: "not known yet; the terminal will be asked",
  resolving: "not known yet; the terminal is being asked",
  reversing: "approved; is being taken back",
  reversal_unknown: "approved; not known yet whether it was taken back",
  approved: "approved",
  declined: "declined",
  cancelled: "cancelled",
  not_charged: "not charged, by the terminal's own proof",
  expired: "expired",
  reversed: "taken back",
  manual_review: "for a person to review: compare with the terminal's journal",
  not_started: "not started; nothing was charged",
};
