/**
 * How a payment may go: the table, and nothing but the table. A sale and a reversal go the same way until they end; what a reversal
 * does to the payment it takes back are the last rows.
 *
 * After `armed` only the terminal's own word ends a payment: a time-out, a cancel or a lost link never does.
 */
export const LIFE_STATES = [
  /** Nothing has left the agent. */
  "created",
  /** From here on something may be charged. Durable before the first byte. */
  "armed",
  "sent",
  "in_progress",
  /** The terminal's result is here, durable and not yet acknowledged. */
  "held",
  /** Durable before the acknowledgement that makes the result binding. */
  "answering",
  "unknown",
  "resolving",
  "approved",
  "declined",
  "cancelled",
  "not_charged",
  "expired",
  "not_started",
  "reversed",
  "manual_review",
  "reversing",
  "reversal_unknown",
] as const;
export type PaymentLife = (typeof LIFE_STATES)[number];

/** The terminal's own word on how a payment ended. */
export const TERMINAL_WORDS = ["approved", "declined", "cancelled", "not_charged", "expired", "reversed", "manual_review"] as const;
export type TerminalWord = (typeof TERMINAL_WORDS)[number];

export const LIFE_EVENTS = [
  "arm",
  "send",
  "progress",
  "hold",
  "answer",
  /** Nothing left, and nothing will. */
  "refuse",
  /** A caller cancels or its time is over. */
  "stop",
  /** The terminal's word is not to be had now: the driver gave up, the link or the process ended, or the word could not be written down. */
  "lose",
  /** The terminal is asked what became of it. */
  "ask",
  "say_approved",
  "say_declined",
  "say_cancelled",
  "say_not_charged",
  "say_expired",
  "say_reversed",
  "say_manual_review",
  /** Of a payment whose reversal is armed, lost, or has ended. */
  "reverse",
  "reversal_lost",
  "reversal_done",
  "reversal_refused",
  "reversal_in_doubt",
  /** Money came for a payment that had ended: too late, or once more. */
  "surprise",
  /** A technician's finding after review. */
  "rule_approved",
  "rule_not_charged",
  "rule_reversed",
] as const;
export type PaymentEvent = (typeof LIFE_EVENTS)[number];

type Row = { readonly [E in PaymentEvent]?: PaymentLife };

/** Words that are good at any moment after `armed`. `approved` is none of them: see `answering` and `resolving`. */
const NOT_APPROVED: Row = {
  say_declined: "declined",
  say_cancelled: "cancelled",
  say_not_charged: "not_charged",
  say_expired: "expired",
  say_reversed: "reversed",
  say_manual_review: "manual_review",
};
/** Money that nobody expects any more is for a person to look at. */
const ENDED: Row = { surprise: "manual_review" };
const REVERSAL_ENDS: Row = { reversal_done: "reversed", reversal_refused: "approved", reversal_in_doubt: "manual_review" };

const TABLE: { readonly [S in PaymentLife]: Row } = {
  created: { arm: "armed", refuse: "not_started", stop: "not_started", lose: "not_started" },
  armed: { ...NOT_APPROVED, send: "sent", progress: "in_progress", hold: "held", stop: "armed", lose: "unknown" },
  sent: { ...NOT_APPROVED, progress: "in_progress", hold: "held", stop: "sent", lose: "unknown" },
  in_progress: { ...NOT_APPROVED, send: "in_progress", progress: "in_progress", hold: "held", stop: "in_progress", lose: "unknown" },
  // Told again before it was acknowledged, the newer telling counts. What was never acknowledged is never approved by itself.
  held: { ...NOT_APPROVED, send: "held", progress: "held", hold: "held", answer: "answering", stop: "held", lose: "unknown" },
  // A duplicate may be acknowledged again, but the result that was bound stays.
  answering: {
    ...NOT_APPROVED,
    say_approved: "approved",
    send: "answering",
    progress: "answering",
    answer: "answering",
    stop: "answering",
    lose: "unknown",
  },
  unknown: { ask: "resolving", stop: "unknown", lose: "unknown" },
  resolving: { ...NOT_APPROVED, say_approved: "approved", progress: "resolving", stop: "resolving", lose: "unknown" },
  approved: { ...ENDED, reverse: "reversing" },
  reversing: { ...REVERSAL_ENDS, stop: "reversing", reversal_lost: "reversal_unknown" },
  reversal_unknown: { ...REVERSAL_ENDS, stop: "reversal_unknown", reversal_lost: "reversal_unknown" },
  manual_review: { ...ENDED, rule_approved: "approved", rule_not_charged: "not_charged", rule_reversed: "reversed" },
  declined: ENDED,
  cancelled: ENDED,
  not_charged: ENDED,
  expired: ENDED,
  not_started: {},
  reversed: ENDED,
};

const OPEN: { readonly [S in PaymentLife]?: true } = {
  created: true,
  armed: true,
  sent: true,
  in_progress: true,
  held: true,
  answering: true,
  unknown: true,
  resolving: true,
  reversing: true,
  reversal_unknown: true,
};

/** The next state, or undefined where this cannot happen in this state. */
export function nextLife(state: PaymentLife, event: PaymentEvent): PaymentLife | undefined {
  return TABLE[state][event];
}

/** Nothing changes it any more by itself: a reversal or a technician may still. */
export function isSettled(state: PaymentLife): boolean {
  return !Object.hasOwn(OPEN, state);
}

/** Something may have been charged and nobody knows: no new sale until the terminal has told. */
export function isUnresolved(state: PaymentLife): boolean {
  return state === "unknown" || state === "resolving";
}
