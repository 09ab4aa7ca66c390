/** What the bank has booked. A payment that the host declined is there too, and weighs nothing. */
export interface LedgerEntry {
  /** The terminal's name for it: TENDER.PSP. */
  readonly transactionId: string;
  readonly saleId: string;
  readonly serviceId: string;
  readonly amountVnd: number;
  readonly kind: "sale" | "reversal";
  readonly hostApproved: boolean;
  /** What this entry moves: from the cardholder, or back to them. */
  readonly net: number;
  /** The card's scheme. */
  readonly card: string;
  /** Of the sale that a reversal takes back. */
  readonly originalTransactionId?: string;
}

type Naming = Pick<LedgerEntry, "transactionId" | "saleId" | "serviceId">;

export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  /** What all cardholders together have paid. */
  readonly netVnd: number;
  count(kind: LedgerEntry["kind"]): number;
  sale(booking: Naming & Pick<LedgerEntry, "amountVnd" | "hostApproved" | "card">): LedgerEntry;
  /** Takes a sale back; false where there is nothing (left) to take back. */
  reverse(sale: LedgerEntry, by: Naming): boolean;
  isReversed(sale: LedgerEntry): boolean;
  /** An approved sale. */
  findSale(transactionId: string): LedgerEntry | undefined;
}

export function createLedger(): Ledger {
  const entries: LedgerEntry[] = [];
  const reversed = new Set<LedgerEntry>();
  const book = (entry: LedgerEntry): LedgerEntry => {
    entries.push(entry);
    return entry;
  };
  return {
    get entries() {
      return entries;
    },
    get netVnd() {
      return entries.reduce((sum, { net }) => sum + net, 0);
    },
    count: (kind) => entries.filter((entry) => entry.kind === kind).length,
    sale: (booking) => book({ ...booking, kind: "sale", net: booking.hostApproved ? booking.amountVnd : 0 }),
    reverse(sale, by) {
      if (sale.kind !== "sale" || !sale.hostApproved || reversed.has(sale)) return false;
      reversed.add(sale);
      const { amountVnd, card, transactionId: originalTransactionId } = sale;
      book({ ...by, kind: "reversal", amountVnd, card, hostApproved: true, net: -amountVnd, originalTransactionId });
      return true;
    },
    isReversed: (sale) => reversed.has(sale),
    findSale: (transactionId) =>
      entries.find((entry) => entry.kind === "sale" && entry.hostApproved && entry.transactionId === transactionId),
  };
}
