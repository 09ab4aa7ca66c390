import { type Core, forcedVerdict, type Procedure, passStep, type Refusal, type Verdict } from "./core.js";
import type { ErrorCondition } from "./faults.js";
import { additional, type Body, failure, type PaymentWish } from "./messages.js";
import { CARDS, type CardName } from "./options.js";
import { receipts } from "./receipt.js";

const PIN_TRIES = 3;

/** A payment, from its beginning to its result. Only the abort request, the cardholder or a restart ends it early. */
export async function pay(core: Core, procedure: Procedure, wish: PaymentWish): Promise<Body> {
  const { options, clock, life, faults } = core;
  const step = (name: Parameters<typeof passStep>[2]) => passStep(core, procedure, name);
  const { RequestedAmount: requested, Currency } = wish.PaymentTransaction.AmountsReq;
  if (Currency !== options.currency) return failure("NotAllowed", { message: "Unsupported currency" });
  core.show(procedure, "TENDER_CREATED");
  await step("accepted");

  const card = await cardOf(core, procedure);
  if (typeof card !== "string") return notCharged(core, procedure, wish, card.ended);
  core.show(procedure, "CARD_INSERTED");
  await step("card-presented");
  const verdict = await verdictOf(core, procedure);
  if ("ended" in verdict) return notCharged(core, procedure, wish, verdict.ended);

  // From here on the host knows: whatever happens to the connection, what it says is booked.
  procedure.abortable = false;
  await step("host-asked");
  await clock.sleep(options.hostMs, life);
  const decided = forcedVerdict(core, procedure) ?? verdict;
  const partial = decided.approved ? faults.take("partial") : undefined;
  const amountVnd = partial ? Math.min(requested, partial.amountVnd ?? Math.ceil(requested / 2)) : requested;
  const { transactionId, header } = procedure;
  const names = { transactionId, saleId: header.SaleID, serviceId: header.ServiceID };
  core.ledger.sale({ ...names, amountVnd, hostApproved: decided.approved, card: CARDS[card].brand });
  core.changed();
  await step("host-answered");
  await takeCard(core, procedure);
  core.show(procedure, "TENDER_FINAL", decided.approved ? "APPROVED" : "DECLINED");
  if (!decided.approved) return declined(core, procedure, wish, card, decided.refusal);
  return approved(core, procedure, wish, { card, amountVnd, result: partial?.result ?? "Success" });
}

type Ended = { readonly ended: ErrorCondition };

/** A card, or why there is none. */
async function cardOf({ cardholder, clock, options, life }: Core, procedure: Procedure): Promise<CardName | Ended> {
  if (procedure.forced) return "napas";
  const { signal: aborted } = procedure.aborted;
  const enough = new AbortController();
  using timer = clock.timer(options.cardTimeoutMs, () => enough.abort());
  void timer;
  try {
    return (await cardholder.card(AbortSignal.any([enough.signal, aborted, life]))) ?? { ended: "Cancel" };
  } catch {
    life.throwIfAborted();
    return { ended: aborted.aborted ? "Aborted" : "Cancel" };
  }
}

/** What will come of it once the host is asked, or why it never is. */
async function verdictOf(core: Core, procedure: Procedure): Promise<Verdict | Ended> {
  const { cardholder, clock, options, life } = core;
  const { signal: aborted } = procedure.aborted;
  const enough = new AbortController();
  using timer = clock.timer(options.cardTimeoutMs, () => enough.abort());
  void timer;
  for (let tries = 0; tries < PIN_TRIES && !procedure.forced; ) {
    core.show(procedure, "WAIT_FOR_PIN");
    const word = await cardholder.word(AbortSignal.any([enough.signal, aborted, life])).catch(() => undefined);
    life.throwIfAborted();
    if (aborted.aborted) return { ended: "Aborted" };
    if (!word || word.kind === "cancel") return { ended: "Cancel" };
    core.show(procedure, "PIN_ENTERED");
    if (word.kind !== "wrong-pin") return word.kind === "approve" ? { approved: true } : { approved: false, refusal: word.code };
    tries += 1;
  }
  return forcedVerdict(core, procedure) ?? { approved: false, refusal: { condition: "WrongPIN", reason: "129 Invalid online PIN" } };
}

async function takeCard(core: Core, procedure: Procedure): Promise<void> {
  const { cardholder, clock, options, life } = core;
  await passStep(core, procedure, "remove-card-shown");
  if (!cardholder.cardInside) return;
  const enough = new AbortController();
  using timer = clock.timer(options.removeTimeoutMs, () => enough.abort());
  void timer;
  await cardholder.removed(AbortSignal.any([enough.signal, life])).catch(() => {});
  life.throwIfAborted();
  if (!cardholder.cardInside) core.show(procedure, "CARD_REMOVED");
}

const poiData = ({ transactionId, timeStamp }: Procedure) => ({
  POIReconciliationID: "1000",
  POITransactionID: { TransactionID: transactionId, TimeStamp: timeStamp },
});
const saleData = ({ SaleData }: PaymentWish) => ({ SaleTransactionID: SaleData.SaleTransactionID });

function notCharged(core: Core, procedure: Procedure, wish: PaymentWish, condition: ErrorCondition): Body {
  core.show(procedure, "TENDER_FINAL", "CANCELLED");
  const reason = condition === "Aborted" ? "108 Aborted by the sale system" : "108 Shopper cancelled";
  return { ...failure(condition, { refusalReason: reason }), SaleData: saleData(wish), POIData: poiData(procedure) };
}

const cardData = (cardName: CardName) => {
  const { brand, maskedPan, country } = CARDS[cardName];
  return {
    PaymentInstrumentType: "Card",
    // The expiry is what a sale system must neither keep nor log, and gets all the same.
    CardData: {
      CardCountryCode: country,
      EntryMode: ["ICC"],
      MaskedPan: maskedPan,
      PaymentBrand: brand,
      SensitiveCardData: { ExpiryDate: "0230", CardSeqNumb: "01" },
    },
  };
};

function declined({ options }: Core, procedure: Procedure, wish: PaymentWish, card: CardName, { condition, reason }: Refusal): Body {
  const { name: cardName, maskedPan } = CARDS[card];
  const { transactionId } = procedure;
  const amountVnd = wish.PaymentTransaction.AmountsReq.RequestedAmount;
  return {
    ...failure(condition, { refusalReason: reason, tid: options.poiId, transactionType: "GOODS_SERVICES" }),
    SaleData: saleData(wish),
    POIData: poiData(procedure),
    PaymentResult: { OnlineFlag: true, PaymentInstrumentData: cardData(card) },
    PaymentReceipt: receipts({
      title: options.merchant,
      amountVnd,
      cardName,
      maskedPan,
      transactionId,
      terminal: options.poiId,
      result: "DECLINED",
    }),
  };
}

function approved(
  { options, random, ledger }: Core,
  procedure: Procedure,
  wish: PaymentWish,
  { card, amountVnd, result }: { readonly card: CardName; readonly amountVnd: number; readonly result: string },
): Body {
  const { transactionId, timeStamp } = procedure;
  const { name: cardName, maskedPan, brand } = CARDS[card];
  const psp = transactionId.split(".")[1] ?? "";
  const approvalCode = String(100_000 + Math.floor(random.fraction() * 900_000));
  const facts = {
    tid: options.poiId,
    transactionType: "GOODS_SERVICES",
    pspReference: psp,
    authCode: approvalCode,
    paymentMethod: brand,
    cardSummary: maskedPan.slice(-4),
    batteryLevel: "100%",
    txcount: String(ledger.entries.length),
  };
  return {
    Response: { Result: result, AdditionalResponse: additional(facts) },
    SaleData: saleData(wish),
    POIData: poiData(procedure),
    PaymentResult: {
      OnlineFlag: true,
      PaymentAcquirerData: {
        AcquirerPOIID: options.poiId,
        AcquirerTransactionID: { TransactionID: psp, TimeStamp: timeStamp },
        ApprovalCode: approvalCode,
        MerchantID: options.merchant,
      },
      PaymentInstrumentData: cardData(card),
      AmountsResp: { AuthorizedAmount: amountVnd, Currency: options.currency },
    },
    PaymentReceipt: receipts({
      title: options.merchant,
      amountVnd,
      cardName,
      maskedPan,
      transactionId,
      terminal: options.poiId,
      result: "APPROVED",
    }),
  };
}
