import { constants, publicDecrypt, verify } from "node:crypto";
import { concatBytes, equalBytes } from "../../kernel/bytes.js";
import { parseDg15 } from "../lds/dg15.js";
import { securityInfosIn } from "../lds/security-object.js";
import { type HashName, plainEcdsaHash } from "./algorithms.js";
import { oidText, sequence, TAG } from "./der.js";
import { importPublicKey, type PublicKey } from "./public-key.js";
import { digest } from "./signature.js";

const ACTIVE_AUTHENTICATION = "2.23.136.1.1.5";

/** Trailer of ISO 9796-2 §8.1.2: BC stands for SHA-1, xxCC names the hash (ISO 10118-3). */
const TRAILERS: Readonly<Record<number, HashName>> = { 13260: "sha1", 13516: "sha256", 13772: "sha512", 14028: "sha384", 14540: "sha224" };
const SHA1_TRAILER = 0xbc;

/** Where the recoverable part of the message begins: header 6A, or 4B/6B with a padding of BB that ends in BA. Undefined: malformed. */
function messageStart(block: Uint8Array): number | undefined {
  const header = block[0];
  // Bits 01, partial recovery, then 1010 where there is no padding (ISO 9796-2 §8.1.1).
  if (header === 0x6a) return 1;
  if (header !== 0x6b) return undefined;
  let at = 1;
  while (block[at] === 0xbb) at++;
  return block[at] === 0xba ? at + 1 : undefined;
}

/** Scheme 1 with partial recovery: the signature holds M1 and the hash over M1 and M2, the challenge (ICAO 9303-11 §6.1). */
function rsaVerifies({ key }: PublicKey, challenge: Uint8Array, signature: Uint8Array): boolean {
  const block = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
  const start = messageStart(block);
  if (start === undefined) return false;
  const short = block.at(-1) === SHA1_TRAILER;
  const hash = short ? "sha1" : TRAILERS[(block.at(-2) ?? 0) * 256 + (block.at(-1) ?? 0)];
  if (!hash) return false;
  const end = block.length - (short ? 1 : 2);
  const length = digest(hash, new Uint8Array()).length;
  if (end - length < start) return false;
  const message = concatBytes([block.subarray(start, end - length), challenge]);
  return equalBytes(block.subarray(end - length, end), digest(hash, message));
}

/** Hash of ActiveAuthenticationInfo in DG14 (ICAO 9303-11 §9.2.5). Undefined: none there. @throws TlvError */
function hashOfDg14(dg14: Uint8Array): HashName | undefined {
  for (const info of securityInfosIn(dg14)) {
    const fields = sequence(info);
    if (oidText(fields.take(TAG.oid).value) !== ACTIVE_AUTHENTICATION) continue;
    fields.take(TAG.integer);
    return plainEcdsaHash(oidText(fields.take(TAG.oid).value));
  }
  return undefined;
}

/** As long as the key at most (BSI TR-03111 §4.1.2), for chips that do not tell. */
const hashForBits = (bits: number): HashName =>
  bits >= 512 ? "sha512" : bits >= 384 ? "sha384" : bits >= 256 ? "sha256" : bits >= 224 ? "sha224" : "sha1";

function ecdsaVerifies({ key, bits }: PublicKey, challenge: Uint8Array, signature: Uint8Array, dg14: Uint8Array | undefined): boolean {
  const hash = (dg14 && hashOfDg14(dg14)) ?? hashForBits(bits);
  const plain = signature.length === 2 * Math.ceil(bits / 8);
  return verify(hash, challenge, { key, dsaEncoding: plain ? "ieee-p1363" : "der" }, signature);
}

/**
 * Did the key in DG15 sign the challenge? False, never an error, for whatever cannot be verified.
 * @param dg14 names the hash of an ECDSA signature
 */
export function answersChallenge(
  dg15: Uint8Array,
  dg14: Uint8Array | undefined,
  answer: { readonly challenge: Uint8Array; readonly signature: Uint8Array },
): boolean {
  const CHALLENGE_BYTES = 8;
  if (answer.challenge.length !== CHALLENGE_BYTES) return false;
  try {
    const publicKey = importPublicKey(parseDg15(dg15));
    if (!publicKey) return false;
    return publicKey.kind === "rsa"
      ? rsaVerifies(publicKey, answer.challenge, answer.signature)
      : ecdsaVerifies(publicKey, answer.challenge, answer.signature, dg14);
  } catch {
    // A key or signature that OpenSSL refuses for its form is an answer like any other wrong one.
    return false;
  }
}
