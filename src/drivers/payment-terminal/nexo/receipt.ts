import { maskCards } from "./card-filter.js";
import type { Receipt } from "./messages.js";

/** What the cardholder keeps; the cashier's copy stays out. */
const FOR_CUSTOMER = "CustomerReceipt";

/**
 * Lines of the cardholder's receipt, masked. Adyen writes a line as a form, `key=…&name=…&value=…`, of which name and value are printed;
 * any other text is a line as it is. `transactionId` stays whole: it is as long as a card number, and what a cardholder is asked for.
 */
export function receiptLines(receipts: readonly Receipt[] | undefined, transactionId?: string): string[] {
  return (receipts ?? [])
    .filter(({ DocumentQualifier }) => DocumentQualifier === FOR_CUSTOMER)
    .flatMap(({ OutputContent }) => OutputContent.OutputText ?? [])
    .map(({ Text = "" }) => lineOf(Text, transactionId));
}

function lineOf(text: string, transactionId: string | undefined): string {
  const form = new URLSearchParams(text);
  const printed = [form.get("name"), form.get("value")].filter((part) => part !== null);
  const isForm = form.has("key") || printed.length > 0;
  const line = isForm ? printed.join(" ") : text;
  const printable = Array.from(line, (character) => (/\p{C}/u.test(character) ? " " : character)).join("");
  // A name of digits only could cut a card number in two.
  const whole = transactionId !== undefined && /[A-Za-z]/.test(transactionId) ? transactionId : "\n";
  return printable
    .split(whole)
    .map((part) => maskCards(part))
    .join(whole)
    .trim();
}
