import type { DeviceError, Json } from "../kernel/errors.js";
import type { PaymentMethod, PaymentStage } from "../protocol/payment-terminal.js";
import type { OpenDevice } from "./driver.js";

/**
 * Facts by which a payment is found again on the terminal: numbers and short tokens, never card data beyond the last four digits.
 * Strings match `[\w.:+/-]{0,64}` (the journal takes no blanks: write `VISA_CREDIT`) and all of one payment's, baseline included, stay
 * under 1,500 characters of JSON. `receiptNumber`, `traceNumber`, `terminalId`, `cardName`, `cardLastFour` and `approvedAt` are shown on the slip.
 */
export type PaymentFacts = { readonly [key: string]: Json };

export interface PaymentRequest {
  /** Whole đồng, more than 0. */
  readonly amountVnd: number;
  /** Opaque code of the caller's. */
  readonly reference: string;
  /** Shown and printed, never stored. */
  readonly description: string;
  /** Facts of the last payment that this terminal took: while it still knows that one, it has not lost its memory. */
  readonly previous?: PaymentFacts;
}

/** How a payment ended, as far as the terminal's own word goes. A time-out, a cancel or a lost link is none of these: the driver rejects. */
export type PaymentOutcome =
  | { readonly state: "approved"; readonly facts: PaymentFacts }
  /** The terminal said so in plain words, and nothing was charged. */
  | { readonly state: "declined" | "cancelled" | "not_charged" | "expired" | "not_started"; readonly reason: DeviceError }
  /** Charged, and taken back by the terminal itself. */
  | { readonly state: "reversed"; readonly reason: DeviceError }
  /** The evidence is gone or contradicts itself: a person must look at the terminal's journal. `facts`: what there is. */
  | { readonly state: "manual_review"; readonly reason: DeviceError; readonly facts?: PaymentFacts };

/**
 * The durable marks of a payment. Each resolves when the mark is on disk, and the driver awaits it before the bytes that depend on it leave;
 * where it rejects, those bytes must not leave.
 */
export interface PaymentSteps {
  /** Before the first byte that may charge. `baseline`: what the terminal knew before. */
  armed(baseline: PaymentFacts): Promise<void>;
  /** After the terminal took the order. Not awaited for safety, only for the record. */
  sent(): Promise<void>;
  /** The terminal's result is here and not yet acknowledged. May be called again until `answering`: the newer facts count. */
  held(facts: PaymentFacts): Promise<void>;
  /** Before the acknowledgement that makes the result binding. A protocol without one calls it all the same, after `held`. */
  answering(): Promise<void>;
  progress(stage: PaymentStage, fraction?: number): void;
  /** What the payer scans: shown for as long as the payment is open. */
  showCode(code: PaymentCode): void;
  /** A line of the terminal's receipt, masked. To the page that asked and nowhere else. */
  receiptLine(line: string): void;
}

/** How people pay. */
export interface PaymentWay {
  readonly method: PaymentMethod;
  /** Payments do not wait for each other, and one that nobody knows the end of does not block the next. */
  readonly sideBySide?: true;
}

/** What a payer scans. */
export interface PaymentCode {
  /** Text of the QR code. */
  readonly payload: string;
  /** The code as a picture: one SVG document, black on white with its quiet zone. */
  readonly svg: string;
  /** Milliseconds since the epoch: a transfer after this is too late. */
  readonly expiresAt: number;
}

/** Money that came in, as the bank tells and a back-end has signed. */
export interface Transfer {
  /** The bank's name for it, `[\w.:+/-]{1,64}`. */
  readonly transactionId: string;
  readonly amountVnd: number;
  /** What the payer's bank wrote as purpose, its capitals and digits: the payment's own (`baseline.purpose`) is somewhere in it. */
  readonly purpose: string;
  /** The payment that it is for, where the back-end names it: no other one then. */
  readonly job?: string | undefined;
}

/** For terminals that are no device: money comes by transfer, and the word of it from outside. */
export interface Transfers {
  /** @throws DeviceError `invalid_params` where the confirmation is none of the configured back-end's, or has expired */
  read(confirmation: string): Transfer;
  /** Whether the transfer's purpose names this payment. */
  matches(transfer: Transfer, payment: Pick<InterruptedPayment, "baseline">): boolean;
  /** Hands the transfer to this payment and no other that its purpose may name too. False: it does not wait (yet, or any more). */
  deliver(transfer: Transfer, payment: Pick<InterruptedPayment, "baseline">): boolean;
}

/** How far a payment of an earlier run, or of before the link was lost, had come by its durable marks. */
export interface InterruptedPayment {
  readonly step: "armed" | "sent" | "held" | "answering";
  readonly amountVnd: number;
  readonly baseline: PaymentFacts;
  /** From `held` on. */
  readonly facts: PaymentFacts | undefined;
  /** Milliseconds since the epoch of the last mark: a terminal's auto-reversal takes its time. */
  readonly markedAt: number;
  /** A reversal: the facts of the payment that it was to take back. The outcome's `approved` then means: it was. Left out: a sale. */
  readonly reverses?: PaymentFacts;
}

/** What the terminal counts since its last end of day. */
export interface TerminalTotals {
  readonly count: number;
  readonly sumVnd: number;
}

export interface PaymentTerminal extends OpenDevice {
  /**
   * One at a time. Where `armed` was not called yet the signal ends it as `not_started`; afterwards it only asks to stop: the driver sends
   * its abort and goes on until the terminal's word. Rejects (with the link's error, or `timeout`) where the terminal's word is not to be
   * had: the caller then uses `resolve` on this or the next opening. `approved` counts only after `answering`, and `not_started` only
   * before `armed`: any other order is taken as a rejection.
   */
  pay(request: PaymentRequest, steps: PaymentSteps, signal: AbortSignal): Promise<PaymentOutcome>;
  /**
   * Finds out, from the terminal's own word, what became of an interrupted payment. Never charges, never reverses. Rejects where the
   * terminal cannot be asked now (ask again later). `not_started` is no answer here: the terminal's proof makes it `not_charged`.
   */
  resolve(payment: InterruptedPayment, signal: AbortSignal, steps: Pick<PaymentSteps, "showCode">): Promise<PaymentOutcome>;
  /**
   * Takes an approved payment back. Marks as for `pay`; the outcome's `approved` means: the reversal was; `declined`, `cancelled` and
   * `not_charged`: it was not, and the payment stands. Never `reversed`.
   */
  reverse(payment: PaymentFacts, amountVnd: number, steps: PaymentSteps, signal: AbortSignal): Promise<PaymentOutcome>;
  /** Counts and, where `close` is set, begins a new day. @throws DeviceError `unsupported`, `terminal_busy` */
  totals(close: boolean, signal: AbortSignal): Promise<TerminalTotals>;
  /** Of those that are paid by transfer. */
  readonly transfers?: Transfers;
}
