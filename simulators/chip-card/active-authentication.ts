import { constants, generateKeyPair, type KeyObject, privateEncrypt, sign } from "node:crypto";
import { promisify } from "node:util";
import { concatBytes } from "../../src/kernel/bytes.js";
import type { Random } from "../../src/kernel/random.js";
import { digest } from "./ciphers.js";

export const ACTIVE_AUTHENTICATION = ["none", "rsa-sha1", "rsa-sha256", "ecdsa-sha256"] as const;
export type ActiveAuthentication = (typeof ACTIVE_AUTHENTICATION)[number];

export interface SigningKey {
  /** SubjectPublicKeyInfo, the content of DG15. */
  readonly publicKey: Uint8Array;
  sign(challenge: Uint8Array, random: Random): Uint8Array;
}

const generate = promisify(generateKeyPair);

/** A key pair of the chip for active authentication (ICAO 9303-11 §6.1). */
export async function activeAuthenticationKey(kind: Exclude<ActiveAuthentication, "none">): Promise<SigningKey> {
  if (kind === "ecdsa-sha256") {
    const pair = await generate("ec", { namedCurve: "brainpoolP256r1", paramEncoding: "explicit" });
    // Both numbers side by side, without ASN.1 (TR-03111 §5.2.1).
    return made(pair, (challenge) => sign("sha256", challenge, { key: pair.privateKey, dsaEncoding: "ieee-p1363" }));
  }
  const pair = await generate("rsa", { modulusLength: 2048 });
  const hash = kind === "rsa-sha1" ? "sha1" : "sha256";
  return made(pair, (challenge, random) => signWithRecovery(pair.privateKey, hash, challenge, random));
}

function made(
  { publicKey }: { readonly publicKey: KeyObject },
  signing: (challenge: Uint8Array, random: Random) => Uint8Array,
): SigningKey {
  return {
    publicKey: new Uint8Array(publicKey.export({ type: "spki", format: "der" })),
    sign: (challenge, random) => new Uint8Array(signing(challenge, random)),
  };
}

/** ISO 9796-2 scheme 1, partial recovery: the chip's own random part travels inside, the challenge does not. */
function signWithRecovery(key: KeyObject, hash: "sha1" | "sha256", challenge: Uint8Array, random: Random): Uint8Array {
  const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 2048) / 8;
  const trailer = hash === "sha1" ? Uint8Array.of(0xbc) : Uint8Array.of(0x34, 0xcc);
  const hashBytes = hash === "sha1" ? 20 : 32;
  const own = random.bytes(modulusBytes - 1 - hashBytes - trailer.length);
  const message = concatBytes([Uint8Array.of(0x6a), own, digest(hash, concatBytes([own, challenge])), trailer]);
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, message);
}
