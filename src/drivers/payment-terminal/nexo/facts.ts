import type { PaymentFacts, PaymentOutcome } from "../../../contracts/payment-terminal.js";
import type { DeviceError } from "../../../kernel/errors.js";
import { maskCards } from "./card-filter.js";
import type { OrderCategory, Parties, PaymentResponse, ReversalResponse, TransactionId } from "./messages.js";
import { forReview, inDoubt, notMoved } from "./reasons.js";

const CURRENCY = "VND";
const MOST_CHARACTERS = 32;

/** What an order is, as far as an answer is laid beside it. */
export interface OrderFacts extends Parties {
  readonly device: string;
  readonly serviceId: string;
  readonly amountVnd: number;
  /** The answer came again, after the time in which it could change. */
  readonly repeated: boolean;
}

export type Judged =
  /** The money moved as asked. */
  | { readonly kind: "done"; readonly facts: PaymentFacts }
  | { readonly kind: "over"; readonly outcome: PaymentOutcome }
  /** The answer proves nothing yet. */
  | { readonly kind: "doubt"; readonly reason: DeviceError };

/** "Visa Credit" as the journal takes it; undefined where nothing is left. */
const token = (text: string | undefined): string | undefined =>
  (text &&
    maskCards(text)
      .trim()
      .replaceAll(/\s+/g, "_")
      .replaceAll(/[^\w.-]/g, "")
      .slice(0, MOST_CHARACTERS)) ||
  undefined;

const present = (facts: { readonly [name: string]: string | number | undefined }): PaymentFacts =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as PaymentFacts;

/** Adyen's transaction ids are `TENDER.PSP`: the tender is what the terminal's own lists show. */
const transactionFacts = ({ TransactionID, TimeStamp }: TransactionId, { serviceId, poiId }: OrderFacts) => ({
  serviceId,
  transactionId: TransactionID,
  receiptNumber: TransactionID.split(".", 1)[0]?.slice(0, MOST_CHARACTERS),
  terminalId: poiId,
  approvedAt: TimeStamp,
});

/** What a payment's answer says, whether it came at once or is repeated. */
export function judgePayment(response: PaymentResponse, order: OrderFacts): Judged {
  const { PaymentResult: result, POIData } = response;
  const { MaskedPan, PaymentBrand } = result?.PaymentInstrumentData?.CardData ?? {};
  const amounts = result?.AmountsResp;
  const facts =
    POIData &&
    present({
      ...transactionFacts(POIData.POITransactionID, order),
      amountVnd: amounts?.AuthorizedAmount,
      cardName: token(PaymentBrand),
      cardLastFour: /\d{4}$/.exec(MaskedPan ?? "")?.[0],
    });
  if (response.Response.Result !== "Success" && response.Response.Result !== "Partial") return refused(response, "Payment", order);
  const asAsked =
    response.Response.Result === "Success" &&
    amounts?.AuthorizedAmount === order.amountVnd &&
    (amounts.Currency ?? CURRENCY) === CURRENCY &&
    (result?.PaymentType ?? "Normal") === "Normal";
  if (facts && asAsked) return { kind: "done", facts };
  const message = asAsked ? "the terminal names no transaction" : "the terminal approved something else than was asked";
  return { kind: "over", outcome: { ...forReview(order.device, message), ...(facts ? { facts } : {}) } };
}

/** The same of a reversal, of the payment with these facts. */
export function judgeReversal(response: ReversalResponse, order: OrderFacts, payment: PaymentFacts): Judged {
  const { Result } = response.Response;
  if (Result !== "Success" && Result !== "Partial") return refused(response, "Reversal", order);
  const { POIData, OriginalPOITransaction: original, ReversedAmount } = response;
  const facts = present({
    ...(POIData ? transactionFacts(POIData.POITransactionID, order) : { serviceId: order.serviceId, terminalId: order.poiId }),
    originalTransactionId: typeof payment.transactionId === "string" ? payment.transactionId : undefined,
    amountVnd: ReversedAmount ?? order.amountVnd,
  });
  const asAsked =
    Result === "Success" &&
    facts.amountVnd === order.amountVnd &&
    (original?.POITransactionID?.TransactionID ?? payment.transactionId) === payment.transactionId;
  if (asAsked) return { kind: "done", facts };
  return { kind: "over", outcome: { ...forReview(order.device, "the terminal took back something else than was asked"), facts } };
}

function refused({ Response: response }: PaymentResponse | ReversalResponse, category: OrderCategory, order: OrderFacts): Judged {
  const outcome = response.Result === "Failure" ? notMoved(response, category, order.repeated, order.device) : undefined;
  if (outcome) return { kind: "over", outcome };
  return { kind: "doubt", reason: inDoubt(order.device, "the terminal failed, and does not say that nothing was charged") };
}
