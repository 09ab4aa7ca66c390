import { createCipheriv, createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import type { Random } from "../../src/kernel/random.js";
import { z } from "../../src/kernel/schema.js";

export interface SharedKey {
  readonly identifier: string;
  readonly version: number;
  readonly hmacKey: Buffer;
  readonly cipherKey: Buffer;
  readonly iv: Buffer;
}

/** 80 bytes out of the passphrase: 32 for the HMAC, 32 for AES, 16 that each nonce is mixed with. */
export function deriveKey(identifier: string, version: number, passphrase: string): SharedKey {
  const bytes = pbkdf2Sync(passphrase, "AdyenNexoV1Salt", 4000, 80, "sha1");
  return { identifier, version, hmacKey: bytes.subarray(0, 32), cipherKey: bytes.subarray(32, 64), iv: bytes.subarray(64, 80) };
}

const mixed = (iv: Buffer, nonce: Uint8Array): Buffer => Buffer.from(iv.map((byte, index) => byte ^ (nonce[index] ?? 0)));
const hmacOf = ({ hmacKey }: SharedKey, plain: Uint8Array): Buffer => createHmac("sha256", hmacKey).update(plain).digest();

export interface Sealed {
  NexoBlob: string;
  SecurityTrailer: { AdyenCryptoVersion: number; KeyIdentifier: string; KeyVersion: number; Nonce: string; Hmac: string };
}

/** What stands beside the MessageHeader instead of the message. */
export function seal(message: unknown, key: SharedKey, random: Random): Sealed {
  const plain = Buffer.from(JSON.stringify(message));
  const nonce = random.bytes(16);
  const cipher = createCipheriv("aes-256-cbc", key.cipherKey, mixed(key.iv, nonce));
  return {
    NexoBlob: Buffer.concat([cipher.update(plain), cipher.final()]).toString("base64"),
    SecurityTrailer: {
      AdyenCryptoVersion: 1,
      KeyIdentifier: key.identifier,
      KeyVersion: key.version,
      Nonce: Buffer.from(nonce).toString("base64"),
      Hmac: hmacOf(key, plain).toString("base64"),
    },
  };
}

const SealedRequest = z.object({
  SaleToPOIRequest: z.object({
    MessageHeader: z.record(z.string(), z.unknown()),
    NexoBlob: z.base64().min(4),
    SecurityTrailer: z.object({
      AdyenCryptoVersion: z.int(),
      KeyIdentifier: z.string(),
      KeyVersion: z.int(),
      Nonce: z.base64(),
      Hmac: z.base64(),
    }),
  }),
});

/**
 * Codes of "Nexo Service: crypto error (N)". That 1 is a request that cannot be parsed, 2 an unknown key version, 3 a header that does not
 * fit and 9 what does not come out right is Adyen's word; which of them a missing trailer or an unknown identifier gets is unverified.
 */
export const CRYPTO_ERROR = { unparsable: 1, keyVersion: 2, header: 3, broken: 9 } as const;

export type Opened = { readonly plain: unknown } | { readonly refused: number };

/** What is inside a secured request, or the crypto error. The header outside must be the one inside. */
export function open(request: unknown, key: SharedKey): Opened {
  const parsed = SealedRequest.safeParse(request);
  if (!parsed.success) return { refused: CRYPTO_ERROR.header };
  const { MessageHeader, NexoBlob, SecurityTrailer: trailer } = parsed.data.SaleToPOIRequest;
  if (trailer.KeyVersion !== key.version) return { refused: CRYPTO_ERROR.keyVersion };
  const nonce = Buffer.from(trailer.Nonce, "base64");
  const broken = { refused: CRYPTO_ERROR.broken };
  if (trailer.KeyIdentifier !== key.identifier || trailer.AdyenCryptoVersion !== 1 || nonce.length !== 16) return broken;
  let plain: Buffer;
  try {
    const decipher = createDecipheriv("aes-256-cbc", key.cipherKey, mixed(key.iv, nonce));
    plain = Buffer.concat([decipher.update(Buffer.from(NexoBlob, "base64")), decipher.final()]);
  } catch {
    return broken;
  }
  const told = Buffer.from(trailer.Hmac, "base64");
  const hmac = hmacOf(key, plain);
  if (told.length !== hmac.length || !timingSafeEqual(told, hmac)) return broken;
  const message = parseJson(plain.toString());
  if (message === undefined) return { refused: CRYPTO_ERROR.unparsable };
  const inside = (message as { SaleToPOIRequest?: { MessageHeader?: unknown } } | null)?.SaleToPOIRequest?.MessageHeader;
  return sorted(inside) === sorted(MessageHeader) ? { plain: message } : { refused: CRYPTO_ERROR.header };
}

/** Undefined: it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The same whatever the order of the fields. */
const sorted = (header: unknown): string =>
  typeof header === "object" && header !== null ? JSON.stringify(Object.entries(header).sort(([a], [b]) => (a < b ? -1 : 1))) : "";
