import { type Core, forcedVerdict, type Procedure, passStep } from "./core.js";
import { additional, type Body, failure, type ReversalWish } from "./messages.js";
import { receipts } from "./receipt.js";

/**
 * Takes a payment back: a referenced refund of the whole amount. Here the bank decides at once; of a real terminal `Success` only means that
 * the refund was handed in (Adyen, Referenced refund). What an amount that differs, or a second time, gets there is unverified.
 */
export async function reverse(core: Core, procedure: Procedure, wish: ReversalWish): Promise<Body> {
  const { ledger, options, clock, life } = core;
  const { transactionId, timeStamp, header } = procedure;
  await passStep(core, procedure, "accepted");
  const sale = ledger.findSale(wish.OriginalPOITransaction.POITransactionID.TransactionID);
  if (!sale) return failure("NotFound", { message: "Original transaction not found" });
  if (wish.ReversedAmount !== undefined && wish.ReversedAmount !== sale.amountVnd) {
    return failure("NotAllowed", { message: "Only the whole amount can be taken back" });
  }
  await passStep(core, procedure, "host-asked");
  await clock.sleep(options.hostMs, life);
  const verdict = forcedVerdict(core, procedure) ?? { approved: true };
  if (!verdict.approved) return failure(verdict.refusal.condition, { refusalReason: verdict.refusal.reason });
  if (!ledger.reverse(sale, { transactionId, saleId: header.SaleID, serviceId: header.ServiceID })) {
    return failure("NotAllowed", { message: "Already refunded" });
  }
  core.changed();
  await passStep(core, procedure, "host-answered");
  const { amountVnd } = sale;
  return {
    Response: {
      Result: "Success",
      AdditionalResponse: additional({
        tid: options.poiId,
        transactionType: "REFUND",
        pspReference: transactionId.split(".")[1] ?? "",
        currency: options.currency,
      }),
    },
    POIData: { POITransactionID: { TransactionID: transactionId, TimeStamp: timeStamp } },
    OriginalPOITransaction: { POITransactionID: wish.OriginalPOITransaction.POITransactionID },
    ReversedAmount: amountVnd,
    PaymentReceipt: receipts({ title: options.merchant, amountVnd, transactionId, terminal: options.poiId, result: "REFUNDED" }),
  };
}
