import { digest } from "./ciphers.js";
import { integer, octets, oid, sequence, setOf, time, tlv } from "./der.js";
import type { Signer } from "./issuer.js";
import { type HashName, hashAlgorithm } from "./signatures.js";

/** LDSSecurityObject, version 0 (ICAO 9303-10 §4.6.2.3): the hash of each data group. */
export function ldsSecurityObject(groups: ReadonlyMap<number, Uint8Array>, hash: HashName, wrong: number | undefined): Uint8Array {
  const hashes = [...groups].map(([number, bytes]) => {
    const value = digest(hash, bytes);
    if (number === wrong) value[0] = (value[0] ?? 0) ^ 0xff;
    return sequence(integer(number), octets(value));
  });
  return sequence(integer(0), hashAlgorithm(hash), sequence(...hashes));
}

export interface SignedDataFacts {
  /** Object identifier of what is signed. */
  readonly contentType: string;
  readonly content: Uint8Array;
  readonly signer: Signer;
  readonly nowMs: number;
  /** One bit of the signature is wrong. */
  readonly broken: boolean;
}

/** A CMS SignedData with one signer and its certificate (RFC 5652 §5, ICAO 9303-10 §4.6.2.2). */
export function signedData({ contentType, content, signer, nowMs, broken }: SignedDataFacts): Uint8Array {
  const { key, certificate, issuerAndSerial } = signer;
  const attribute = (arc: number, value: Uint8Array): Uint8Array => sequence(oid(`1.2.840.113549.1.9.${arc}`), setOf(value));
  const attributes = setOf(
    attribute(3, oid(contentType)),
    attribute(4, octets(digest(key.hash, content))),
    attribute(5, time(nowMs - 24 * 3600 * 1000)),
  );
  // Signed as a SET OF, carried under the tag [0] (RFC 5652 §5.4).
  const signature = key.sign(attributes);
  if (broken) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 0x01;
  const carried = attributes.slice();
  carried[0] = 0xa0;
  const signerInfo = sequence(integer(1), issuerAndSerial, hashAlgorithm(key.hash), carried, key.algorithm, octets(signature));
  const body = sequence(
    integer(3),
    setOf(hashAlgorithm(key.hash)),
    sequence(oid(contentType), tlv(0xa0, octets(content))),
    tlv(0xa0, certificate),
    setOf(signerInfo),
  );
  return sequence(oid("1.2.840.113549.1.7.2"), tlv(0xa0, body));
}
