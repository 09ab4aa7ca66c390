import { z } from "../../src/kernel/schema.js";
import type { ErrorCondition } from "./faults.js";

const id = (most: number) => z.string().min(1).max(most);

export const Header = z.object({
  ProtocolVersion: z.string(),
  MessageClass: z.literal("Service"),
  MessageCategory: z.string(),
  MessageType: z.literal("Request"),
  ServiceID: id(10),
  SaleID: id(64),
  POIID: id(64),
});
export type Header = z.output<typeof Header>;

const Reference = z.object({
  MessageCategory: z.string().optional(),
  ServiceID: id(10).optional(),
  SaleID: id(64).optional(),
  POIID: id(64).optional(),
});

const TransactionId = z.object({ TransactionID: id(128), TimeStamp: id(64) });
const SaleData = z.object({ SaleTransactionID: TransactionId, SaleToAcquirerData: z.string().max(8192).optional() });

/** The body of a request by its category; categories that are not here are not obeyed. */
export const REQUESTS = {
  // The greatest sum of đồng that a number of JSON carries exactly; a fraction of a đồng is none.
  Payment: z.object({
    SaleData,
    PaymentTransaction: z.object({ AmountsReq: z.object({ Currency: z.string().length(3), RequestedAmount: z.int().min(1) }) }),
  }),
  Reversal: z.object({
    OriginalPOITransaction: z.object({ POITransactionID: TransactionId, POIID: id(64).optional() }),
    ReversalReason: z.string(),
    ReversedAmount: z.int().min(1).optional(),
    SaleData: SaleData.partial().optional(),
  }),
  TransactionStatus: z.object({ MessageReference: Reference.optional(), ReceiptReprintFlag: z.boolean().optional() }),
  Abort: z.object({ AbortReason: z.string(), MessageReference: Reference }),
  Diagnosis: z.object({ HostDiagnosisFlag: z.boolean().optional() }),
} as const;
export type Category = keyof typeof REQUESTS;
export type PaymentWish = z.output<(typeof REQUESTS)["Payment"]>;
export type ReversalWish = z.output<(typeof REQUESTS)["Reversal"]>;
export type StatusWish = z.output<(typeof REQUESTS)["TransactionStatus"]>;
export type AbortWish = z.output<(typeof REQUESTS)["Abort"]>;

/** What a response says, and what stands beside that. */
export interface Body {
  readonly Response: { readonly Result: string; readonly ErrorCondition?: ErrorCondition; readonly AdditionalResponse?: string };
  readonly [field: string]: unknown;
}

/** The form in which Adyen's terminals tell whatever has no field: name=value&…, percent-encoded. */
export const additional = (facts: Readonly<Record<string, string>>): string =>
  Object.entries(facts)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");

export const failure = (condition: ErrorCondition, facts: Readonly<Record<string, string>> = {}): Body => ({
  Response: {
    Result: "Failure",
    ErrorCondition: condition,
    ...(Object.keys(facts).length > 0 ? { AdditionalResponse: additional(facts) } : {}),
  },
});

/** "At SaleToPOIRequest, field PaymentRequest: Missing", as a terminal puts it. */
export function formatErrors(error: z.ZodError, at: string): string {
  return error.issues
    .slice(0, 5)
    .map(({ path }) => `At ${[at, ...path.slice(0, -1)].join(".")}, field ${String(path.at(-1) ?? at)}: Missing or wrong`)
    .join(", ");
}

/** Whether display notifications are wanted: SaleToAcquirerData is name=value&…, or JSON in base64. */
export function wantsNotifications(saleToAcquirerData: string | undefined): boolean {
  if (saleToAcquirerData === undefined) return false;
  let told = new URLSearchParams(saleToAcquirerData).get("tenderOption");
  try {
    const decoded = JSON.parse(Buffer.from(saleToAcquirerData, "base64").toString()) as { tenderOption?: unknown } | null;
    if (typeof decoded?.tenderOption === "string") told = decoded.tenderOption;
  } catch {
    // It is the other form.
  }
  return (told ?? "").split(",").includes("ReceiveDisplayNotifications");
}
