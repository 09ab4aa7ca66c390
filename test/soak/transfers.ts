import { generateKeyPairSync, sign } from "node:crypto";
import { readVietQr } from "../../src/formats/vietqr.js";

/** The bank behind the codes, and the back-end that signs what it sees there. */
export interface TransferBank {
  /** Ed25519, as the driver's `confirmationKeys` want it. */
  readonly publicKey: string;
  /** Somebody scans a code and transfers. @returns what the back-end says of it; undefined: no such code */
  transfer(payload: string): string | undefined;
  /** Transfers of this amount. */
  transfers(amountVnd: number): number;
}

const GOOD_FOR_S = 600;
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export function openTransferBank(nowMs: () => number): TransferBank {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const booked = new Map<number, number>();
  let count = 0;
  return {
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
    transfer(payload) {
      const code = readVietQr(payload);
      if (!code?.purpose || code.amountVnd === undefined) return undefined;
      booked.set(code.amountVnd, (booked.get(code.amountVnd) ?? 0) + 1);
      const claims = { purpose: code.purpose, amountVnd: code.amountVnd, transactionId: `FT${++count}` };
      const signed = `${part({ alg: "EdDSA" })}.${part({ ...claims, exp: Math.floor(nowMs() / 1_000) + GOOD_FOR_S })}`;
      return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
    },
    transfers: (amountVnd) => booked.get(amountVnd) ?? 0,
  };
}
