import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { asn1Null, integer, oid, sequence, tlv } from "./der.js";

export const HASHES = ["sha1", "sha224", "sha256", "sha384", "sha512"] as const;
export type HashName = (typeof HASHES)[number];

const HASH_OIDS: Readonly<Record<HashName, string>> = {
  sha1: "1.3.14.3.2.26",
  sha224: "2.16.840.1.101.3.4.2.4",
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
  sha512: "2.16.840.1.101.3.4.2.3",
};

export const hashAlgorithm = (hash: HashName): Uint8Array => sequence(oid(HASH_OIDS[hash]), asn1Null());

export const SIGNATURES = [
  "ecdsa-sha256",
  "ecdsa-sha384",
  "ecdsa-sha512",
  "ecdsa-sha1",
  "rsa-pss-sha256",
  "rsa-sha256",
  "rsa-sha1",
] as const;
export type SignatureName = (typeof SIGNATURES)[number];

export interface SignatureKey {
  readonly hash: HashName;
  /** AlgorithmIdentifier of its signatures. */
  readonly algorithm: Uint8Array;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

const SALT_BYTES = 32;

interface Scheme {
  readonly hash: HashName;
  readonly algorithm: Uint8Array;
  /** OpenSSL's name; absent for RSA. */
  readonly curve?: string;
  readonly pss?: boolean;
}

const rsa = (arc: number): Uint8Array => sequence(oid(`1.2.840.113549.1.1.${arc}`), asn1Null());
const ecdsa = (arcs: string): Uint8Array => sequence(oid(`1.2.840.10045.4.${arcs}`));

/** RSASSA-PSS-params (RFC 4055 §3.1): the same hash inside and outside. */
function pss(hash: HashName): Uint8Array {
  const mask = sequence(oid("1.2.840.113549.1.1.8"), hashAlgorithm(hash));
  return sequence(oid("1.2.840.113549.1.1.10"), sequence(tlv(0xa0, hashAlgorithm(hash)), tlv(0xa1, mask), tlv(0xa2, integer(SALT_BYTES))));
}

const SCHEMES: Readonly<Record<SignatureName, Scheme>> = {
  "ecdsa-sha256": { hash: "sha256", algorithm: ecdsa("3.2"), curve: "brainpoolP256r1" },
  "ecdsa-sha384": { hash: "sha384", algorithm: ecdsa("3.3"), curve: "brainpoolP384r1" },
  "ecdsa-sha512": { hash: "sha512", algorithm: ecdsa("3.4"), curve: "brainpoolP512r1" },
  "ecdsa-sha1": { hash: "sha1", algorithm: ecdsa("1"), curve: "prime256v1" },
  "rsa-pss-sha256": { hash: "sha256", algorithm: pss("sha256"), pss: true },
  "rsa-sha256": { hash: "sha256", algorithm: rsa(11) },
  "rsa-sha1": { hash: "sha1", algorithm: rsa(5) },
};

/** A fresh key. ECDSA keys tell their curve by all its numbers, as ICAO 9303-12 §4.1.6.3 wants. RSA takes some 100 ms. */
export function signatureKey(name: SignatureName): SignatureKey {
  const { hash, algorithm, curve, pss: salted } = SCHEMES[name];
  const { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject } = curve
    ? generateKeyPairSync("ec", { namedCurve: curve, paramEncoding: "explicit" })
    : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const padding = salted ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT_BYTES } : {};
  return {
    hash,
    algorithm,
    publicKey: new Uint8Array(publicKey.export({ type: "spki", format: "der" })),
    sign: (message) => new Uint8Array(sign(hash, message, { key: privateKey, ...padding })),
  };
}
