import { constants, createHash, verify } from "node:crypto";
import { readTlv } from "../../formats/tlv.js";
import { type HashName, hashNamed, schemeOf } from "./algorithms.js";
import { type Algorithm, algorithmOf, elements, expect, smallInteger, TAG } from "./der.js";
import { importPublicKey, underAlgorithm } from "./public-key.js";

export const digest = (hash: HashName, bytes: Uint8Array): Uint8Array => createHash(hash).update(bytes).digest();

/** RSASSA-PSS-params (RFC 8017 §A.2.3): absent fields stand for SHA-1 and a salt of 20. @throws TlvError */
function pssParameters(algorithm: Algorithm): { hash: HashName | undefined; saltLength: number } {
  let hash: HashName | undefined = "sha1";
  let saltLength = 20;
  const { parameters } = algorithm;
  for (const field of parameters ? elements(expect(parameters, TAG.sequence).value, 4) : []) {
    if (field.tag === 0xa0) hash = hashNamed(algorithmOf(readTlv(field.value)).oid);
    if (field.tag === 0xa2) saltLength = smallInteger(expect(readTlv(field.value), TAG.integer).value);
  }
  return { hash, saltLength };
}

/**
 * RSA (PKCS#1 v1.5, PSS) and ECDSA signatures as certificates, CMS and CRLs have them. `digestOid` decides where the
 * algorithm does not name its hash. False, never an error, for whatever cannot be verified.
 */
export function signatureVerifies(
  signed: { readonly data: Uint8Array; readonly algorithm: Algorithm; readonly signature: Uint8Array },
  spki: Uint8Array,
  digestOid?: string,
): boolean {
  const { data, algorithm, signature } = signed;
  const scheme = schemeOf(algorithm);
  if (!scheme) return false;
  try {
    const publicKey = importPublicKey(scheme.kind === "rsa-pss" ? underAlgorithm(spki, algorithm.raw) : spki);
    if (publicKey?.kind !== (scheme.kind === "ecdsa" ? "ec" : "rsa")) return false;
    if (scheme.kind === "rsa-pss") {
      const { hash, saltLength } = pssParameters(algorithm);
      return (
        hash !== undefined && verify(hash, data, { key: publicKey.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature)
      );
    }
    const hash = scheme.hash ?? (digestOid === undefined ? undefined : hashNamed(digestOid));
    return hash !== undefined && verify(hash, data, publicKey.key, signature);
  } catch {
    return false;
  }
}
