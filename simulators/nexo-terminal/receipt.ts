import { additional } from "./messages.js";

interface ReceiptFacts {
  readonly title: string;
  readonly amountVnd: number;
  readonly cardName?: string;
  readonly maskedPan?: string;
  readonly transactionId: string;
  readonly terminal: string;
  readonly result: string;
}

const line = (key: string, name: string, value?: string) => ({
  Text: additional({ name, ...(value === undefined ? {} : { value }), key }),
  EndOfLineFlag: true,
});

/** PaymentReceipt: one for the cashier, one for the customer, lines as name=…&value=…&key=… (the form of Adyen's receipts). */
export function receipts({ title, amountVnd, cardName, maskedPan, transactionId, terminal, result }: ReceiptFacts) {
  return (["CashierReceipt", "CustomerReceipt"] as const).map((qualifier) => ({
    DocumentQualifier: qualifier,
    RequiredSignatureFlag: false,
    OutputContent: {
      OutputFormat: "Text",
      OutputText: [
        line("header1", title),
        ...(cardName === undefined ? [] : [line("cardType", "Card", cardName), line("pan", "Card No", maskedPan)]),
        line("totalAmount", "TOTAL", `₫ ${amountVnd}`),
        line("txRef", "Reference", transactionId),
        line("tid", "TID", terminal),
        line("approved", result),
        line("retain", qualifier === "CustomerReceipt" ? "Please retain for your records" : "Merchant copy"),
      ],
    },
  }));
}
