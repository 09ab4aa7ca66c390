import { z } from "../../../kernel/schema.js";

/** What of the terminal's messages is looked at: every field bounded, all others dropped. Names are those of nexo Sale-to-POI 3.0. */

const PROTOCOL_VERSION = "3.0";
/** A token of the terminal's, fit for the journal. One of nothing but digits could be a card number and is none of Adyen's. */
const Token = z
  .string()
  .regex(/^[\w.:+/-]{1,64}$/)
  .refine((token) => !/^\d{12,}$/.test(token.replaceAll(/[\W_]/g, "")));
const Short = z.string().max(128);

export const CATEGORIES = ["Payment", "Reversal", "TransactionStatus", "Abort", "Diagnosis", "GetTotals", "Reconciliation"] as const;
export type Category = (typeof CATEGORIES)[number];
/** What moves money. */
export type OrderCategory = "Payment" | "Reversal";

export const Header = z.object({
  MessageClass: Short,
  MessageCategory: Short,
  MessageType: Short,
  ServiceID: Short.optional(),
  SaleID: Short,
  POIID: Short,
});
export type Header = z.infer<typeof Header>;

/** Who asks whom. */
export interface Parties {
  readonly saleId: string;
  readonly poiId: string;
}

export function requestHeader(category: Category, serviceId: string, { saleId, poiId }: Parties) {
  return {
    ProtocolVersion: PROTOCOL_VERSION,
    MessageClass: "Service",
    MessageCategory: category,
    MessageType: "Request",
    ServiceID: serviceId,
    SaleID: saleId,
    POIID: poiId,
  };
}

/** The header of the answer to this very request, and of no other. */
export function isAnswer(header: Header, category: Category, serviceId: string, { saleId, poiId }: Parties): boolean {
  return (
    header.MessageClass === "Service" &&
    header.MessageType === "Response" &&
    header.MessageCategory === category &&
    header.ServiceID === serviceId &&
    header.SaleID === saleId &&
    header.POIID === poiId
  );
}

/** Which message an abort or a status request is about. */
export function messageReference(category: OrderCategory, serviceId: string, { saleId, poiId }: Parties) {
  return { MessageCategory: category, ServiceID: serviceId, SaleID: saleId, POIID: poiId };
}

/** How an answer begins. `AdditionalResponse`, free text with whatever the acquirer said, is left out. */
export const Response = z.object({ Result: Short, ErrorCondition: Short.optional() });
export type Response = z.infer<typeof Response>;

const Instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?$/);
const TransactionId = z.object({ TransactionID: Token, TimeStamp: Instant });
export type TransactionId = z.infer<typeof TransactionId>;

const MOST_RECEIPTS = 4;
const MOST_LINES = 200;
const Receipt = z.object({
  DocumentQualifier: Short,
  OutputContent: z.object({
    OutputText: z
      .array(z.object({ Text: z.string().max(2_000).optional() }))
      .max(MOST_LINES)
      .optional(),
  }),
});
export type Receipt = z.infer<typeof Receipt>;
/** Never worth a payment: what is wrong with its receipts is not looked into. */
const Receipts = z.array(Receipt).max(MOST_RECEIPTS).optional().catch(undefined);

const CardData = z.object({ PaymentBrand: Short.optional().catch(undefined), MaskedPan: Short.optional().catch(undefined) });
export const PaymentResponse = z.object({
  Response,
  POIData: z.object({ POITransactionID: TransactionId }).optional().catch(undefined),
  PaymentResult: z
    .object({
      PaymentType: Short.optional(),
      AmountsResp: z.object({ AuthorizedAmount: z.number(), Currency: Short.optional() }).optional(),
      PaymentInstrumentData: z
        .object({ CardData: CardData.optional().catch(undefined) })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
  PaymentReceipt: Receipts,
});
export type PaymentResponse = z.infer<typeof PaymentResponse>;

export const ReversalResponse = z.object({
  Response,
  POIData: z.object({ POITransactionID: TransactionId }).optional().catch(undefined),
  // Left out is allowed; there and unreadable is not.
  OriginalPOITransaction: z.object({ POITransactionID: z.object({ TransactionID: Short }).optional() }).optional(),
  ReversedAmount: z.number().optional(),
  PaymentReceipt: Receipts,
});
export type ReversalResponse = z.infer<typeof ReversalResponse>;

export const StatusResponse = z.object({
  // An answer that cannot be read is an answer all the same: asking again would not mend it.
  Response: Response.catch({ Result: "unreadable" }),
  RepeatedMessageResponse: z
    .object({
      MessageHeader: Header,
      RepeatedResponseMessageBody: z.object({ PaymentResponse: z.unknown().optional(), ReversalResponse: z.unknown().optional() }),
    })
    .optional()
    .catch(undefined),
});
export type StatusResponse = z.infer<typeof StatusResponse>;

export const DiagnosisResponse = z.object({
  Response,
  POIStatus: z.object({ GlobalStatus: Short.optional(), CommunicationOKFlag: z.boolean().optional() }).optional().catch(undefined),
});

const Totals = z.array(
  z.object({
    PaymentCurrency: Short.optional(),
    PaymentTotals: z
      .array(z.object({ TransactionType: Short, TransactionCount: z.int().min(0), TransactionAmount: z.number().min(0) }))
      .max(64)
      .optional(),
  }),
);
export const TotalsResponse = z.object({ Response, TransactionTotals: Totals.max(256).optional() });
export type TotalsResponse = z.infer<typeof TotalsResponse>;

/** What the terminal tells by itself while it works on an order. */
export const DisplayNotice = z.object({
  MessageHeader: Header,
  DisplayRequest: z.object({
    DisplayOutput: z
      .array(z.object({ OutputContent: z.object({ PredefinedContent: z.object({ ReferenceID: z.string().max(1_000) }).optional() }) }))
      .max(16),
  }),
});
