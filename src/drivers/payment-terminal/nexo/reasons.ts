import type { PaymentOutcome } from "../../../contracts/payment-terminal.js";
import { DeviceError, type ErrorKind } from "../../../kernel/errors.js";
import type { OrderCategory, Response } from "./messages.js";

type Ended = "declined" | "cancelled" | "not_charged";

interface Meaning {
  readonly kind: ErrorKind;
  readonly hint: string;
  readonly retryable: boolean;
  /** What an order's own answer with this word proves; undefined: nothing yet, the terminal must be asked once more. */
  readonly proves: Ended | undefined;
  /** What it proves once the terminal repeats it later as how the order ended; left out: as above. */
  readonly later?: Ended;
}

const busy = "Wait until the terminal is idle";
const faulty = "Look at the terminal's display; call its service";

/**
 * Every ErrorCondition of nexo 3.0. An answer with one of them is the last word on an order only where the word itself says that the
 * order was not begun, or that bank, card or cardholder said no. Where terminal or bank failed on the way, the bank may have booked, and
 * what counts is how the terminal says later that it ended.
 */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  // Our own AbortRequest was accepted, or the cardholder walked off: the order was ended by the terminal.
  Aborted: { kind: "canceled", retryable: true, hint: "It was stopped before it was charged: begin again", proves: "cancelled" },
  // Another order has the terminal; ours was sent once, so it is not ours that it is busy with.
  Busy: { kind: "terminal_busy", retryable: true, hint: busy, proves: "not_charged" },
  // Also where the bank had approved and the terminal then took it back (card pulled too early): it says so after that.
  Cancel: { kind: "canceled", retryable: true, hint: "The cardholder cancelled or was too slow: begin again", proves: "cancelled" },
  // May break in the middle of an order.
  DeviceOut: { kind: "device_fault", retryable: false, hint: faulty, proves: undefined, later: "not_charged" },
  // "It goes on": no end at all.
  InProgress: { kind: "terminal_busy", retryable: true, hint: busy, proves: undefined },
  // A card was left in the reader: the order is refused before it begins.
  InsertedCard: { kind: "terminal_busy", retryable: true, hint: "Take the card out of the terminal", proves: "not_charged" },
  InvalidCard: { kind: "card_error", retryable: true, hint: "The terminal does not take this card: use another one", proves: "declined" },
  LoggedOut: { kind: "device_fault", retryable: false, hint: "Log in at the terminal", proves: "not_charged" },
  // It could not read the order, and so did not carry it out.
  MessageFormat: { kind: "unsupported", retryable: false, hint: "The terminal does not understand this order", proves: "not_charged" },
  NotAllowed: { kind: "unsupported", retryable: false, hint: "Allow this in the terminal's settings", proves: "not_charged" },
  // Of a reversal: the payment is not known, and stands. A sale looks for nothing, so there it means nothing.
  NotFound: { kind: "device_fault", retryable: false, hint: "Look at the terminal's journal", proves: undefined },
  PaymentRestriction: { kind: "card_error", retryable: true, hint: "This card may not pay for this: use another one", proves: "declined" },
  Refusal: { kind: "card_error", retryable: false, hint: "The bank declined: pay with another card", proves: "declined" },
  UnavailableDevice: { kind: "device_fault", retryable: false, hint: faulty, proves: undefined, later: "not_charged" },
  UnavailableService: { kind: "device_fault", retryable: true, hint: faulty, proves: undefined, later: "not_charged" },
  // "Or has not answered": the question may have arrived. The terminal takes it back by itself and then says that it failed.
  UnreachableHost: {
    kind: "device_fault",
    retryable: true,
    hint: "The terminal cannot reach its bank: check its network",
    proves: undefined,
    later: "not_charged",
  },
  WrongPIN: { kind: "card_error", retryable: true, hint: "The PIN was wrong too often: use another card", proves: "declined" },
};
const UNKNOWN: Meaning = { kind: "device_fault", retryable: false, hint: "Look at the terminal's journal", proves: undefined };

/** The word, where it is one of the list: any other is free text, and shown nowhere. */
const wordOf = ({ ErrorCondition: word = "" }: Response): string => (Object.hasOwn(MEANINGS, word) ? word : "unknown");

/** A terminal's refusal as an error. */
export function reasonOf(response: Response, device: string): DeviceError {
  const word = wordOf(response);
  const { kind, hint, retryable } = MEANINGS[word] ?? UNKNOWN;
  return new DeviceError(kind, { device, message: `terminal: ${word}`, hint, retryable, details: { condition: word } });
}

/** How an order ended that moved no money, or undefined where the terminal's word does not prove that. `repeated`: told again, later. */
export function notMoved(response: Response, category: OrderCategory, repeated: boolean, device: string): PaymentOutcome | undefined {
  const word = wordOf(response);
  const { proves, later } = MEANINGS[word] ?? UNKNOWN;
  const unknownPayment = category === "Reversal" && word === "NotFound";
  const state = unknownPayment ? "not_charged" : ((repeated ? later : undefined) ?? proves);
  return state && { state, reason: reasonOf(response, device) };
}

/** The terminal's word is missing, or proves nothing: the caller asks by `resolve`. */
export function inDoubt(device: string, message: string): DeviceError {
  return new DeviceError("timeout", { device, message, hint: "The agent asks the terminal what became of it" });
}

export function forReview(device: string, message: string): PaymentOutcome & { readonly state: "manual_review" } {
  const hint = "Compare the terminal's journal with the station's";
  return { state: "manual_review", reason: new DeviceError("device_fault", { device, message, hint, retryable: false }) };
}

export function notStarted(reason: DeviceError): PaymentOutcome & { readonly state: "not_started" } {
  return { state: "not_started", reason };
}
