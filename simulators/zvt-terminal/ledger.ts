/** What the bank has booked. A sale that the host declined is there too, and weighs nothing. */
export interface LedgerEntry {
  readonly receipt: number;
  readonly trace: number;
  readonly amountVnd: number;
  readonly kind: "sale" | "reversal" | "auto-reversal";
  readonly hostApproved: boolean;
  /** What this entry moves: from the cardholder, or back to them. */
  readonly net: number;
  /** The card's scheme. */
  readonly card: string;
  /** Of the sale that a reversal takes back. */
  readonly originalTrace?: number;
}

export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  /** What all cardholders together have paid. */
  readonly netVnd: number;
  count(kind: LedgerEntry["kind"]): number;
  sale(booking: Pick<LedgerEntry, "receipt" | "trace" | "amountVnd" | "hostApproved" | "card">): LedgerEntry;
  /** Takes a sale back; false where there is nothing (left) to take back. */
  reverse(
    sale: LedgerEntry,
    by: { readonly kind: "reversal" | "auto-reversal"; readonly receipt: number; readonly trace: number },
  ): boolean;
  isReversed(sale: LedgerEntry): boolean;
  /** The newest approved sale with this receipt number: numbers come again after 9999. */
  findSale(receipt: number): LedgerEntry | undefined;
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
      book({ ...by, amountVnd: sale.amountVnd, card: sale.card, hostApproved: true, net: -sale.amountVnd, originalTrace: sale.trace });
      return true;
    },
    isReversed: (sale) => reversed.has(sale),
    findSale: (receipt) => entries.findLast((entry) => entry.kind === "sale" && entry.hostApproved && entry.receipt === receipt),
  };
}
