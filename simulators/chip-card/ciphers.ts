import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { cmac } from "@noble/ciphers/aes.js";
import { concatBytes } from "../../src/kernel/bytes.js";

export const CIPHERS = ["3des", "aes128", "aes192", "aes256"] as const;
export type CipherName = (typeof CIPHERS)[number];

/** A block cipher as ICAO 9303-11 §9.8 uses it: CBC, a MAC of 8 bytes, and keys derived from a shared secret. */
export interface Cipher {
  readonly name: CipherName;
  /** Last arc of the object identifiers of PACE and chip authentication. */
  readonly arc: number;
  readonly blockBytes: number;
  readonly keyBytes: number;
  /** Whole blocks only. */
  encrypt(key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Uint8Array;
  decrypt(key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Uint8Array;
  /** Over a message that the caller has padded where its rules want it padded (3DES: always). */
  mac(key: Uint8Array, message: Uint8Array): Uint8Array;
}

function blocks(algorithm: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array, decrypting: boolean): Uint8Array {
  const cipher = decrypting ? createDecipheriv(algorithm, key, iv) : createCipheriv(algorithm, key, iv);
  cipher.setAutoPadding(false);
  return new Uint8Array(Buffer.concat([cipher.update(data), cipher.final()]));
}

function aes(name: CipherName, arc: number, keyBytes: number): Cipher {
  const algorithm = `aes-${keyBytes * 8}-cbc`;
  return {
    name,
    arc,
    blockBytes: 16,
    keyBytes,
    encrypt: (key, iv, data) => blocks(algorithm, key, iv, data, false),
    decrypt: (key, iv, data) => blocks(algorithm, key, iv, data, true),
    // CMAC cut to 8 bytes (ICAO 9303-11 §9.8.7.2).
    mac: (key, message) => cmac(message, key).slice(0, 8),
  };
}

const ede = (key: Uint8Array): Uint8Array => concatBytes([key, key.subarray(0, 8)]);
/** OpenSSL 3 has no single DES: three times the same key comes to it. */
const single = (key: Uint8Array): Uint8Array => concatBytes([key, key, key]);
const ZERO = new Uint8Array(8);

const tripleDes: Cipher = {
  name: "3des",
  arc: 1,
  blockBytes: 8,
  keyBytes: 16,
  encrypt: (key, iv, data) => blocks("des-ede3-cbc", ede(key), iv, data, false),
  decrypt: (key, iv, data) => blocks("des-ede3-cbc", ede(key), iv, data, true),
  mac(key, message) {
    // ISO 9797-1 MAC algorithm 3: DES chaining, and triple DES at the last block.
    const chained = blocks("des-ede3-cbc", single(key.subarray(0, 8)), ZERO, message, false).slice(-8);
    const opened = blocks("des-ede3-cbc", single(key.subarray(8, 16)), ZERO, chained, true);
    return blocks("des-ede3-cbc", single(key.subarray(0, 8)), ZERO, opened, false);
  },
};

const ALL: readonly Cipher[] = [tripleDes, aes("aes128", 2, 16), aes("aes192", 3, 24), aes("aes256", 4, 32)];

export function cipherOf(name: CipherName): Cipher {
  return ALL.find((cipher) => cipher.name === name) ?? tripleDes;
}

/** Key derivation (ICAO 9303-11 §9.7.1): counter 1 encrypts, 2 authenticates, 3 is the password's. */
export function deriveKey(cipher: Cipher, secret: Uint8Array, counter: 1 | 2 | 3): Uint8Array {
  const hash = cipher.keyBytes > 16 ? "sha256" : "sha1";
  return digest(hash, concatBytes([secret, Uint8Array.of(0, 0, 0, counter)])).slice(0, cipher.keyBytes);
}

export function digest(hash: string, message: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(hash).update(message).digest());
}

/** Padding method 2 of ISO 9797-1: 80, then zeros to a whole block. */
export function pad(message: Uint8Array, blockBytes: number): Uint8Array {
  const padded = new Uint8Array((Math.floor(message.length / blockBytes) + 1) * blockBytes);
  padded.set(message);
  padded[message.length] = 0x80;
  return padded;
}

/** Undefined where no padding is found. */
export function unpad(message: Uint8Array): Uint8Array | undefined {
  let end = message.length - 1;
  while (end >= 0 && message[end] === 0) end -= 1;
  return message[end] === 0x80 ? message.slice(0, end) : undefined;
}

/** The token or checksum over a message that nobody has padded: 3DES wants padding, CMAC brings its own. */
export function macOf(cipher: Cipher, key: Uint8Array, message: Uint8Array): Uint8Array {
  return cipher.mac(key, cipher.name === "3des" ? pad(message, 8) : message);
}
