import { createPublicKey, type KeyObject } from "node:crypto";
import { tlv } from "../../formats/tlv.js";
import { algorithmOf, sequence, TAG } from "./der.js";

/** Largest accepted: RSA-8192 takes 1,060 bytes, explicit parameters of a 521-bit curve 700. */
const SPKI_BYTES = 2_048;
const RSA_BITS = { least: 1_024, most: 8_192 } as const;

const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
const RSA_PSS = "1.2.840.113549.1.1.10";

export interface PublicKey {
  readonly kind: "rsa" | "ec";
  readonly key: KeyObject;
  /** Of the modulus or the curve's field. */
  readonly bits: number;
  /** "RSA 2048", "brainpoolP256r1". */
  readonly label: string;
}

/** Explicit domain parameters are accepted where they are those of a curve with a name: nobody brings a curve of his own. */
const CURVE_BITS: Readonly<Record<string, number>> = {
  prime192v1: 192,
  secp224r1: 224,
  prime256v1: 256,
  secp384r1: 384,
  secp521r1: 521,
  brainpoolP192r1: 192,
  brainpoolP224r1: 224,
  brainpoolP256r1: 256,
  brainpoolP320r1: 320,
  brainpoolP384r1: 384,
  brainpoolP512r1: 512,
};

/**
 * A SubjectPublicKeyInfo, judged before anything is computed with it. An RSA key may carry the identifier and limits of
 * RSASSA-PSS. Undefined: no such key, or of a size or on a curve that is not accepted.
 */
export function importPublicKey(spki: Uint8Array): PublicKey | undefined {
  if (spki.length > SPKI_BYTES) return undefined;
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    const { modulusLength, publicExponent, namedCurve } = key.asymmetricKeyDetails ?? {};
    if (key.asymmetricKeyType === "ec" && namedCurve !== undefined) {
      const bits = CURVE_BITS[namedCurve];
      return bits === undefined ? undefined : { kind: "ec", key, bits, label: namedCurve };
    }
    if (key.asymmetricKeyType !== "rsa" && key.asymmetricKeyType !== "rsa-pss") return undefined;
    if (modulusLength === undefined || modulusLength < RSA_BITS.least || modulusLength > RSA_BITS.most) return undefined;
    // An exponent is odd; longer than 64 bits it only burns time.
    if (publicExponent === undefined || publicExponent < 3n || publicExponent >= 1n << 64n || publicExponent % 2n === 0n) return undefined;
    return { kind: "rsa", key, bits: modulusLength, label: `RSA ${modulusLength}` };
  } catch {
    return undefined;
  }
}

/**
 * The same RSA key under another AlgorithmIdentifier: with the parameters of an RSASSA-PSS signature, so that its hash,
 * mask function and salt are enforced; or as a plain key. @throws TlvError
 */
export function underAlgorithm(spki: Uint8Array, algorithm: Uint8Array): Uint8Array {
  const fields = sequence(spki);
  const own = algorithmOf(fields.take(TAG.sequence));
  return own.oid === RSA_ENCRYPTION || own.oid === RSA_PSS ? tlv(TAG.sequence, algorithm, fields.take(TAG.bitString).raw) : spki;
}
