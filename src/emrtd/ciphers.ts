import assert from "node:assert/strict";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { concatBytes } from "../kernel/bytes.js";

/** Block cipher and MAC of a protocol (ICAO 9303-11 §9.7, §9.8): CBC everywhere, MACs of 8 bytes. */
export interface CipherSuite {
  readonly name: "3des" | "aes-128" | "aes-192" | "aes-256";
  readonly blockBytes: 8 | 16;
  readonly keyBytes: 16 | 24 | 32;
  /** `data` is a whole number of blocks. */
  encrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  decrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  /** 3DES: retail MAC (ISO 9797-1 algorithm 3) over data that is padded already; AES: CMAC, cut to 8 bytes. */
  mac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
}

const MAC_BYTES = 8;

function cbc(algorithm: string, key: Uint8Array, iv: Uint8Array, parts: readonly Uint8Array[]): Uint8Array[] {
  const cipher = createCipheriv(algorithm, key, iv).setAutoPadding(false);
  const outputs: Uint8Array[] = parts.map((part) => cipher.update(part));
  outputs.push(cipher.final());
  return outputs;
}

function decryptCbc(algorithm: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const decipher = createDecipheriv(algorithm, key, iv).setAutoPadding(false);
  return concatBytes([decipher.update(data), decipher.final()]);
}

function doubled(block: Uint8Array): Uint8Array {
  const result = Uint8Array.from(block, (byte, index) => ((byte << 1) | ((block[index + 1] ?? 0) >> 7)) & 0xff);
  // RFC 4493 §2.3: the feedback of the field with 2^128 elements, without a branch on secret bits.
  result[15] = (result[15] ?? 0) ^ (0x87 & -((block[0] ?? 0) >> 7));
  return result;
}

/** AES-CMAC (RFC 4493), 16 bytes: as one run of CBC, which is native, with the last block mixed with a subkey. */
export function aesCmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const algorithm = `aes-${key.length * 8}-cbc`;
  const zero = new Uint8Array(16);
  const l = concatBytes(cbc(algorithm, key, zero, [zero]));
  const k1 = doubled(l);
  const k2 = doubled(k1);
  const lastAt = message.length === 0 ? 0 : Math.floor((message.length - 1) / 16) * 16;
  const last = new Uint8Array(16);
  last.set(message.subarray(lastAt));
  const whole = message.length - lastAt === 16;
  if (!whole) last[message.length - lastAt] = 0x80;
  const subkey = whole ? k1 : k2;
  for (let index = 0; index < 16; index++) last[index] = (last[index] ?? 0) ^ (subkey[index] ?? 0);
  const chained = concatBytes(cbc(algorithm, key, zero, [message.subarray(0, lastAt), last]));
  for (const secret of [l, k1, k2]) secret.fill(0);
  return chained.slice(-16);
}

/** K|K|K makes triple DES single: `des-cbc` is gone from OpenSSL 3. */
const tripled = (key: Uint8Array): Uint8Array => concatBytes([key, key, key]);

/** ISO 9797-1 algorithm 3 with DES: CBC under the first half of the key, the last block under both halves. */
export function retailMac(key: Uint8Array, padded: Uint8Array): Uint8Array {
  assert(padded.length > 0 && padded.length % 8 === 0);
  const [first, second] = [key.subarray(0, 8), key.subarray(8, 16)];
  const single = tripled(first);
  const both = concatBytes([first, second, first]);
  const chained = concatBytes(cbc("des-ede3-cbc", single, new Uint8Array(8), [padded.subarray(0, -8)]));
  const iv = chained.length > 0 ? chained.subarray(-8) : new Uint8Array(8);
  const mac = concatBytes(cbc("des-ede3-cbc", both, iv, [padded.subarray(-8)]));
  single.fill(0);
  both.fill(0);
  return mac;
}

/** Two keys as the three that OpenSSL wants; the copy is wiped. */
function withThreeKeys<T>(key: Uint8Array, use: (three: Uint8Array) => T): T {
  const three = concatBytes([key, key.subarray(0, 8)]);
  try {
    return use(three);
  } finally {
    three.fill(0);
  }
}

const tripleDes: CipherSuite = {
  name: "3des",
  blockBytes: 8,
  keyBytes: 16,
  encrypt: (key, iv, data) => withThreeKeys(key, (three) => concatBytes(cbc("des-ede3-cbc", three, iv, [data]))),
  decrypt: (key, iv, data) => withThreeKeys(key, (three) => decryptCbc("des-ede3-cbc", three, iv, data)),
  mac: (key, ...parts) => retailMac(key, concatBytes(parts)),
};

function aes(bits: 128 | 192 | 256): CipherSuite {
  return {
    name: `aes-${bits}`,
    blockBytes: 16,
    keyBytes: (bits / 8) as 16 | 24 | 32,
    encrypt: (key, iv, data) => concatBytes(cbc(`aes-${bits}-cbc`, key, iv, [data])),
    decrypt: (key, iv, data) => decryptCbc(`aes-${bits}-cbc`, key, iv, data),
    mac: (key, ...parts) => aesCmac(key, concatBytes(parts)).slice(0, MAC_BYTES),
  };
}

/** By the last arc of the object identifiers of PACE and chip authentication (ICAO 9303-11 §9.2.5, §9.2.7). */
export const CIPHER_SUITES: Readonly<Record<number, CipherSuite>> = { 1: tripleDes, 2: aes(128), 3: aes(192), 4: aes(256) };
export const TRIPLE_DES: CipherSuite = tripleDes;

/** ISO 9797-1 padding method 2: 80, then zeros to a whole block. */
export function pad(data: Uint8Array, blockBytes: number): Uint8Array {
  const padded = new Uint8Array((Math.floor(data.length / blockBytes) + 1) * blockBytes);
  padded.set(data);
  padded[data.length] = 0x80;
  return padded;
}

/** Undefined where the padding is none. The MAC was checked before: an oracle has nothing to learn here. */
export function unpad(padded: Uint8Array): Uint8Array | undefined {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end--;
  return end >= 0 && padded[end] === 0x80 ? padded.subarray(0, end) : undefined;
}
