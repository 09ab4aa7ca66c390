import { generateKeyPairSync, sign } from "node:crypto";

/** One transfer into the account of the demo's agency. */
export interface BookedTransfer {
  readonly transactionId: string;
  /** As the bank writes it: the payer's purpose is somewhere in it. */
  readonly purpose: string;
  readonly amountVnd: number;
  /** Milliseconds since the epoch. */
  readonly paidAt: number;
}

/** The demo's bank with its ledger, and the back-end that sees it and signs what it sees. */
export interface DemoBank {
  /** Ed25519, as the driver's `confirmationKeys` want it. */
  readonly publicKey: string;
  /** Somebody scans a VietQR code and transfers. `amountVnd`: another amount than the code asks for. Undefined: no such code. */
  transfer(payload: string, amountVnd?: number): BookedTransfer | undefined;
  /** The newest first. */
  ledger(): readonly BookedTransfer[];
  /** Signed anew each time: of every transfer from the `after`-th on, oldest first. */
  confirmations(after: number): readonly string[];
}

const KEPT = 1_000;
const GOOD_FOR_MS = 60_000;

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The fields of an EMVCo code (two digits of tag, two of length) up to where it is none. */
function fields(payload: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at + 4 <= payload.length; ) {
    const length = Number(payload.slice(at + 2, at + 4));
    if (!Number.isInteger(length)) break;
    found.set(payload.slice(at, at + 2), payload.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

/** @param now milliseconds since the epoch */
export function createDemoBank(now: () => number): DemoBank {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const booked: BookedTransfer[] = [];
  const opened = now();

  const signed = ({ transactionId, purpose, amountVnd, paidAt }: BookedTransfer): string => {
    const exp = Math.floor((now() + GOOD_FOR_MS) / 1_000);
    const claims = { transactionId, purpose, amountVnd, paidAt: Math.floor(paidAt / 1_000), exp };
    const body = `${base64url({ alg: "EdDSA", typ: "JWT" })}.${base64url(claims)}`;
    return `${body}.${sign(null, Buffer.from(body), privateKey).toString("base64url")}`;
  };

  return {
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
    transfer(payload, amountVnd) {
      const code = fields(payload);
      const purpose = fields(code.get("62") ?? "").get("08");
      const amount = amountVnd ?? Number(code.get("54"));
      if (!purpose || !Number.isSafeInteger(amount) || amount < 1 || booked.length >= KEPT) return undefined;
      const number = booked.length + 1;
      // A bank writes what it likes around the purpose, and changes its case.
      const text = `MBVCB.${opened}.${number}.${purpose.toLowerCase()}.CT tu 0000000001`;
      const transfer = { transactionId: `FT${opened}.${number}`, purpose: text, amountVnd: amount, paidAt: now() };
      booked.push(transfer);
      return transfer;
    },
    ledger: () => booked.toReversed(),
    confirmations: (after) => booked.slice(after).map(signed),
  };
}
