import { createCipheriv, createDecipheriv, createHmac, pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Random } from "../../../kernel/random.js";
import { z } from "../../../kernel/schema.js";
import { Secret } from "../../../kernel/secret.js";

/** The shared key in the terminal's and our settings, and what is made from it. */
export interface SharedKey {
  readonly keyIdentifier: string;
  readonly keyVersion: number;
  readonly material: Secret<KeyMaterial>;
}

interface KeyMaterial {
  readonly hmac: Uint8Array;
  readonly cipher: Uint8Array;
  readonly iv: Uint8Array;
}

const SALT = "AdyenNexoV1Salt";
const ROUNDS = 4_000;
const HMAC_BYTES = 32;
const CIPHER_BYTES = 32;
const IV_BYTES = 16;
const CRYPTO_VERSION = 1;
const CIPHER = "aes-256-cbc";

/** 80 bytes by PBKDF2: hmac | cipher | iv. Takes some milliseconds, not of this thread. */
export async function deriveKey(passphrase: Secret<string>, name: Pick<SharedKey, "keyIdentifier" | "keyVersion">): Promise<SharedKey> {
  const bytes = await promisify(pbkdf2)(passphrase.reveal(), SALT, ROUNDS, HMAC_BYTES + CIPHER_BYTES + IV_BYTES, "sha1");
  const material = {
    hmac: bytes.subarray(0, HMAC_BYTES),
    cipher: bytes.subarray(HMAC_BYTES, HMAC_BYTES + CIPHER_BYTES),
    iv: bytes.subarray(HMAC_BYTES + CIPHER_BYTES),
  };
  return { ...name, material: new Secret(material) };
}

/** What is no base64 in it is passed over: the seal tells whether it was meant so. */
const base64 = (most: number) => z.string().max(most);

const Trailer = z.object({
  AdyenCryptoVersion: z.number(),
  KeyIdentifier: z.string(),
  KeyVersion: z.number(),
  Nonce: base64(64),
  Hmac: base64(128),
});

/** A message as it stands on the wire. Its header is repeated inside, where it is signed: nothing believes this one. */
export interface Sealed {
  readonly MessageHeader: unknown;
  readonly NexoBlob: string;
  readonly SecurityTrailer: z.infer<typeof Trailer>;
}

const MOST_BLOB = 512 * 1024;
const SealedSchema = z.object({ NexoBlob: base64(MOST_BLOB), SecurityTrailer: Trailer });

/** `plain`: the whole message with its header, as JSON. */
export function seal(plain: string, header: unknown, key: SharedKey, random: Random): Sealed {
  const { hmac, cipher, iv } = key.material.reveal();
  const nonce = random.bytes(IV_BYTES);
  const encryption = createCipheriv(CIPHER, cipher, xor(iv, nonce));
  return {
    MessageHeader: header,
    NexoBlob: Buffer.concat([encryption.update(plain, "utf8"), encryption.final()]).toString("base64"),
    SecurityTrailer: {
      AdyenCryptoVersion: CRYPTO_VERSION,
      KeyIdentifier: key.keyIdentifier,
      KeyVersion: key.keyVersion,
      Nonce: Buffer.from(nonce).toString("base64"),
      // Over the plain text: what decrypts to something is not yet what the terminal said.
      Hmac: createHmac("sha256", hmac).update(plain, "utf8").digest("base64"),
    },
  };
}

/** The signed text, or undefined where it is not sealed with this key. One answer for all faults: none tells what was wrong. */
export function unseal(sealed: unknown, key: SharedKey): string | undefined {
  const parsed = SealedSchema.safeParse(sealed);
  if (!parsed.success) return undefined;
  const { NexoBlob, SecurityTrailer: trailer } = parsed.data;
  const [nonce, claimed] = [Buffer.from(trailer.Nonce, "base64"), Buffer.from(trailer.Hmac, "base64")];
  const fits =
    trailer.AdyenCryptoVersion === CRYPTO_VERSION &&
    trailer.KeyIdentifier === key.keyIdentifier &&
    trailer.KeyVersion === key.keyVersion &&
    nonce.length === IV_BYTES &&
    claimed.length === HMAC_BYTES;
  if (!fits) return undefined;
  const { hmac, cipher, iv } = key.material.reveal();
  const plain = decrypted(Buffer.from(NexoBlob, "base64"), cipher, xor(iv, nonce));
  const signed = plain !== undefined && timingSafeEqual(createHmac("sha256", hmac).update(plain).digest(), claimed);
  return signed ? plain.toString("utf8") : undefined;
}

/** Undefined where the padding is wrong, or no block whole. */
function decrypted(blob: Uint8Array, key: Uint8Array, iv: Uint8Array): Buffer | undefined {
  try {
    const decryption = createDecipheriv(CIPHER, key, iv);
    return Buffer.concat([decryption.update(blob), decryption.final()]);
  } catch {
    return undefined;
  }
}

function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, index) => byte ^ (other[index] ?? 0));
}
