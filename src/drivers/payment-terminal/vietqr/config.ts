import { createPublicKey, type KeyObject } from "node:crypto";
import { z } from "../../../kernel/schema.js";

/** An Ed25519 key from its SubjectPublicKeyInfo (RFC 8410), as PEM or as its base64 alone; undefined where the text is none. */
export function publicKeyOf(text: string): KeyObject | undefined {
  try {
    const der = Buffer.from(text.replace(/-----[A-Z ]+-----/g, ""), "base64");
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}

export const VietQrConfig = z.strictObject({
  bankBin: z
    .string()
    .regex(/^\d{6}$/)
    .describe("six digits: the bank that receives"),
  account: z
    .string()
    .regex(/^[0-9A-Za-z]{1,19}$/)
    .describe("account, or card number, that receives"),
  toCard: z.boolean().default(false).describe("`account` is the number of a card (QRIBFTTC)"),
  confirmationKeys: z
    .array(z.string().refine((text) => publicKeyOf(text) !== undefined, "is no Ed25519 public key (openssl pkey -in key.pem -pubout)"))
    .min(1)
    .max(4)
    .describe("Ed25519 public keys of the back-ends that confirm transfers, as PEM; several while a key is being replaced"),
  purposePrefix: z
    .string()
    .regex(/^[0-9A-Z]{0,10}$/)
    .default("DCS")
    .describe("what every purpose begins with, so that a person knows it on a bank statement"),
  expiresMs: z
    .int()
    .min(30_000)
    .max(3_600_000)
    .default(300_000)
    .describe("how long a code can be paid; money that comes later is looked at by a person"),
  maxAmountVnd: z.int().min(1).max(100_000_000_000).default(100_000_000).describe("a payment of more is refused before it begins"),
});
export type VietQrConfig = z.output<typeof VietQrConfig>;
