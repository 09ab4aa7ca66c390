import type { PaymentFacts } from "../../../contracts/payment-terminal.js";
import type { StatusInformation } from "./status-information.js";

/** Longest token that is kept of a text of the terminal. */
const MOST_CHARACTERS = 32;

const digits = (value: number | undefined, count: number): string | undefined =>
  value === undefined ? undefined : String(value).padStart(count, "0");

/** "VISA CREDIT" as the journal takes it; undefined where nothing is left. */
const token = (text: string | undefined): string | undefined =>
  text
    ?.trim()
    .replaceAll(/\s+/g, "_")
    .replaceAll(/[^\w.:+/-]/g, "")
    .slice(0, MOST_CHARACTERS) || undefined;

/** BMPs that say whose receipt it is: what is wrong with any other one does not matter. */
const TELLING = new Set(["04", "0b", "27", "29", "37", "49", "60", "87"]);
const isBroken = (status: StatusInformation): boolean => status.malformed.some((bmp) => TELLING.has(bmp));

/** What of a 04 0F a payment is found again by. Numbers and tokens; of the card its last four digits. */
export function factsOf(status: StatusInformation): PaymentFacts {
  const { date, time } = status;
  const all = {
    receiptNumber: digits(status.receipt, 4),
    traceNumber: digits(status.trace, 6),
    originalTrace: digits(status.originalTrace, 6),
    turnoverNumber: digits(status.turnover, 6),
    terminalId: status.terminalId,
    amountVnd: status.amountVnd,
    result: status.resultCode,
    paymentType: status.paymentType,
    cardName: token(status.cardName),
    cardLastFour: /\d{4}$/.exec(status.maskedPan ?? "")?.[0],
    approvedAt: date !== undefined && time !== undefined ? `${date}T${time}` : (time ?? date),
    // An end of day is no payment, and what could not be read may say anything.
    totals: status.malformed.includes("60") || status.totals ? true : undefined,
    unread: isBroken(status) || status.unparsedBytes > 0 ? true : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as PaymentFacts;
}

/** What the terminal says it did last. */
export type LastReceipt =
  | { readonly kind: "receipt"; readonly facts: PaymentFacts }
  /** It said that it has none. */
  | { readonly kind: "none" }
  /** It repeats none (06 0F without any 04 0F), or said something that cannot be used. */
  | { readonly kind: "unknown" };

/** As `steps.armed` keeps it. */
export function baselineOf(last: LastReceipt): PaymentFacts {
  return last.kind === "receipt" ? { kind: "receipt", ...last.facts } : { kind: last.kind };
}

const IDENTITY = ["receiptNumber", "traceNumber", "originalTrace", "turnoverNumber", "terminalId", "amountVnd", "result", "approvedAt"];

/** The very same receipt: every number that either says, and enough of them to tell. */
export function isSameReceipt(one: PaymentFacts, other: PaymentFacts): boolean {
  const tells = one.traceNumber !== undefined && (one.receiptNumber !== undefined || one.approvedAt !== undefined);
  return tells && IDENTITY.every((name) => one[name] === other[name]);
}

/** `fact` is there in both and larger in `facts`; numbers that began again at 1 are not. */
export function isLater(fact: "receiptNumber" | "traceNumber", facts: PaymentFacts, baseline: PaymentFacts): boolean {
  const [now, then] = [facts[fact], baseline[fact]];
  return now !== undefined && then !== undefined && Number(now) > Number(then);
}

export type Judged = "approved" | "declined" | "foreign";

export interface OrderFacts {
  readonly amountVnd: number;
  readonly baseline: PaymentFacts;
  readonly terminalId: string | undefined;
  /** Of a reversal: the trace number of the payment that it takes back. */
  readonly originalTrace: string | undefined;
}

/**
 * What a 04 0F says of the order that is under way. Foreign: not for certain this order's, so it must not become binding by our answer.
 */
export function judge(status: StatusInformation, order: OrderFacts): Judged {
  const facts = factsOf(status);
  const { baseline, terminalId = baseline.terminalId } = order;
  const otherTerminal = facts.terminalId !== undefined && terminalId !== undefined && facts.terminalId !== terminalId;
  const numbered = facts.receiptNumber !== undefined || facts.traceNumber !== undefined;
  const before =
    numbered && baseline.kind === "receipt" && facts.receiptNumber === baseline.receiptNumber && facts.traceNumber === baseline.traceNumber;
  if (facts.result === undefined || otherTerminal || before || facts.totals !== undefined || isBroken(status)) return "foreign";
  const amountFits = facts.amountVnd === order.amountVnd;
  if (facts.result !== 0) return amountFits || status.amount === undefined ? "declined" : "foreign";
  return numbered && amountFits && facts.originalTrace === order.originalTrace ? "approved" : "foreign";
}
