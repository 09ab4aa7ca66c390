import { createHash } from "node:crypto";
import { asciiBytes, concatBytes } from "../../kernel/bytes.js";
import { DeviceError } from "../../kernel/errors.js";
import type { CipherSuite } from "../ciphers.js";
import type { AccessKey, MrzKey } from "../types.js";

/** Counter of the key derivation (ICAO 9303-11 §9.7.1). */
export const KEY_FOR = { encryption: 1, mac: 2, password: 3 } as const;

/** DES leaves the lowest bit of each byte to odd parity; cards that check it refuse others. In place. */
function setOddParity(key: Uint8Array): Uint8Array {
  for (const [index, byte] of key.entries()) {
    let ones = 0;
    for (let bits = byte >> 1; bits > 0; bits >>= 1) ones += bits & 1;
    key[index] = (byte & 0xfe) | (ones % 2 === 0 ? 1 : 0);
  }
  return key;
}

/** Key derivation function (ICAO 9303-11 §9.7.1.2): SHA-1 for 3DES and AES-128, SHA-256 for longer keys. */
export function deriveKey(suite: CipherSuite, secret: Uint8Array, counter: number): Uint8Array {
  const hash = createHash(suite.keyBytes > 16 ? "sha256" : "sha1");
  const digest = hash
    .update(secret)
    .update(Uint8Array.of(0, 0, 0, counter))
    .digest();
  const key = Uint8Array.from(digest.subarray(0, suite.keyBytes));
  digest.fill(0);
  return suite.name === "3des" ? setOddParity(key) : key;
}

export interface SessionKeys {
  readonly encryption: Uint8Array;
  readonly mac: Uint8Array;
}

export function deriveSessionKeys(suite: CipherSuite, secret: Uint8Array): SessionKeys {
  return { encryption: deriveKey(suite, secret, KEY_FOR.encryption), mac: deriveKey(suite, secret, KEY_FOR.mac) };
}

/** Weights 7, 3, 1 over 0–9, A–Z as 10–35, filler as 0 (ICAO 9303-3 §4.9). */
export function checkDigit(field: string): string {
  let sum = 0;
  for (let index = 0; index < field.length; index++) {
    const character = field.charAt(index);
    sum += (character === "<" ? 0 : Number.parseInt(character, 36)) * ([7, 3, 1][index % 3] ?? 0);
  }
  return String(sum % 10);
}

/**
 * Document number, birth and expiry, each with its check digit (ICAO 9303-11 §4.3.2, §9.7.3). Numbers of more than 9
 * characters count in full: in a TD1 the rest stands in the optional data (ICAO 9303-5 §4.2.2.1).
 * @throws DeviceError `invalid_params`
 */
export function mrzInformation(key: MrzKey): string {
  // Fillers after it belong to the field of 9, whether they were typed or not.
  const number = key.documentNumber.trim().toUpperCase().replaceAll(/[ -]/g, "<").replace(/<+$/, "").padEnd(9, "<");
  if (!/^[A-Z0-9<]{9,22}$/.test(number)) throw new DeviceError("invalid_params", { message: "documentNumber is not one of an MRZ" });
  for (const date of [key.birthDate, key.expiryDate]) {
    if (!/^[0-9<]{6}$/.test(date)) throw new DeviceError("invalid_params", { message: "a date of the access key is not yyMMdd" });
  }
  return [number, key.birthDate, key.expiryDate].map((field) => field + checkDigit(field)).join("");
}

/** SHA-1 of the MRZ information: 20 bytes, of which BAC takes 16. */
export function mrzDigest(key: MrzKey): Uint8Array {
  return createHash("sha1")
    .update(asciiBytes(mrzInformation(key)))
    .digest();
}

/** Kπ, the key that hides the nonce of PACE (ICAO 9303-11 §9.7.3). @throws DeviceError `invalid_params` */
export function passwordKey(suite: CipherSuite, access: AccessKey): Uint8Array {
  const password = access.kind === "mrz" ? mrzDigest(access.mrz.reveal()) : canBytes(access.can.reveal());
  try {
    return deriveKey(suite, password, KEY_FOR.password);
  } finally {
    password.fill(0);
  }
}

function canBytes(can: string): Uint8Array {
  if (!/^\d{6}$/.test(can)) throw new DeviceError("invalid_params", { message: "the card access number is not 6 digits" });
  return asciiBytes(can);
}

/** Keys of BAC (ICAO 9303-11 §9.7.2). @throws DeviceError `invalid_params` */
export function bacKeys(suite: CipherSuite, key: MrzKey): SessionKeys {
  const digest = mrzDigest(key);
  try {
    return deriveSessionKeys(suite, digest.subarray(0, 16));
  } finally {
    digest.fill(0);
  }
}

export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** Mixes two secrets of one length. */
export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ (b[index] ?? 0));
}

/** Big-endian number of any length. */
export function toNumber(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

/** Big-endian, exactly `length` bytes: leading zeros stay (BSI TR-03111 §3.1.2). */
export function toBytes(number: bigint, length: number): Uint8Array {
  const hex = number.toString(16).padStart(length * 2, "0");
  return concatBytes([Buffer.from(hex, "hex")]);
}
