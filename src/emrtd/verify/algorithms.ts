import type { Algorithm } from "./der.js";

/** Names as node:crypto wants them. MD5 and older are refused on purpose. */
export type HashName = "sha1" | "sha224" | "sha256" | "sha384" | "sha512";

const HASHES: ReadonlyMap<string, HashName> = new Map([
  ["1.3.14.3.2.26", "sha1"],
  ["2.16.840.1.101.3.4.2.4", "sha224"],
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);

/** Undefined: none that ICAO 9303-12 §4.4 allows. */
export const hashNamed = (oid: string): HashName | undefined => HASHES.get(oid);

export interface SignatureScheme {
  readonly kind: "rsa" | "rsa-pss" | "ecdsa";
  /** Absent: the digest algorithm that stands beside it decides. */
  readonly hash?: HashName;
}

const SCHEMES: ReadonlyMap<string, SignatureScheme> = new Map<string, SignatureScheme>([
  // RFC 8017 §A.2
  ["1.2.840.113549.1.1.1", { kind: "rsa" }],
  ["1.2.840.113549.1.1.5", { kind: "rsa", hash: "sha1" }],
  ["1.2.840.113549.1.1.14", { kind: "rsa", hash: "sha224" }],
  ["1.2.840.113549.1.1.11", { kind: "rsa", hash: "sha256" }],
  ["1.2.840.113549.1.1.12", { kind: "rsa", hash: "sha384" }],
  ["1.2.840.113549.1.1.13", { kind: "rsa", hash: "sha512" }],
  ["1.2.840.113549.1.1.10", { kind: "rsa-pss" }],
  // RFC 5758 §3.2. The first is a key's identifier, which SignerInfos in the field carry in place of a signature's.
  ["1.2.840.10045.2.1", { kind: "ecdsa" }],
  ["1.2.840.10045.4.1", { kind: "ecdsa", hash: "sha1" }],
  ["1.2.840.10045.4.3.1", { kind: "ecdsa", hash: "sha224" }],
  ["1.2.840.10045.4.3.2", { kind: "ecdsa", hash: "sha256" }],
  ["1.2.840.10045.4.3.3", { kind: "ecdsa", hash: "sha384" }],
  ["1.2.840.10045.4.3.4", { kind: "ecdsa", hash: "sha512" }],
]);

export const schemeOf = (algorithm: Algorithm): SignatureScheme | undefined => SCHEMES.get(algorithm.oid);

/** Hash of an ECDSA active authentication (BSI TR-03111 §5.2.1: plain signatures; some chips name the X9.62 ones). */
export function plainEcdsaHash(oid: string): HashName | undefined {
  const plain: readonly HashName[] = ["sha1", "sha224", "sha256", "sha384", "sha512"];
  const match = /^0\.4\.0\.127\.0\.7\.1\.1\.4\.1\.([1-5])$/.exec(oid);
  if (match) return plain[Number(match[1]) - 1];
  const scheme = SCHEMES.get(oid);
  return scheme?.kind === "ecdsa" ? scheme.hash : undefined;
}
