import { concatBytes, fromHex } from "../../kernel/bytes.js";
import type { CipherSuite } from "../ciphers.js";
import { malformed } from "../status.js";
import type { CurveConstants } from "./curve-table.js";
import { decodePoint, type Point, type Points, publicKeyOf } from "./curves.js";
import { toBytes, toNumber } from "./keys.js";

/**
 * (s·e)·G: what the nonce s adds to our public key e·Ĝ under the generic mapping. It needs nothing from the chip but the nonce,
 * and is counted out while the chip works.
 */
export function nonceTerm(points: Points, curve: CurveConstants, nonce: Uint8Array, ephemeral: Uint8Array): Point {
  const scalar = (toNumber(nonce) * toNumber(ephemeral)) % curve.n;
  if (scalar === 0n) return points.ZERO;
  return decodePoint(points, curve, publicKeyOf(curve, toBytes(scalar, Math.ceil(curve.n.toString(16).length / 2))));
}

/**
 * Our public key e·Ĝ under the generic mapping (ICAO 9303-11 §4.4.3.3.1). With Ĝ = s·G + m·P, where m·P is the point that the
 * first key agreement shares, it is (s·e)·G + (m·e)·P: one slow multiplication instead of two, and Ĝ itself is never needed.
 * All curves have prime order, so that it is infinite where Ĝ is, and only there.
 * @throws DeviceError `card_error` where a point is none, or infinity
 */
export function genericMapping(
  points: Points,
  curve: CurveConstants,
  term: Point,
  secrets: { readonly mapping: Uint8Array; readonly ephemeral: Uint8Array },
  chipKey: Uint8Array,
): Point {
  const scalar = (toNumber(secrets.mapping) * toNumber(secrets.ephemeral)) % curve.n;
  const own = decodePoint(points, curve, chipKey).multiply(scalar).add(term);
  if (own.is0()) throw malformed("public key: the mapping has no generator");
  return own;
}

/** ICAO 9303-11 §4.4.3.3.2. */
const CONSTANTS = {
  16: [fromHex("a668892a7c41e3ca739f40b057d85904"), fromHex("a4e136ac725f738b01c1f60217c188ad")],
  32: [
    fromHex("d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676"),
    fromHex("54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517"),
  ],
} as const;

/** Bytes of the chip's nonce s: whole blocks, at least as long as the key (ICAO 9303-11 §4.4.3.3). */
export const nonceBytes = (suite: CipherSuite): 16 | 32 => (suite.keyBytes > 16 ? 32 : 16);

/** Integrated mapping's pseudo-random function R(s, t), not yet reduced. `t` is as long as the cipher's key. */
export function pseudoRandom(suite: CipherSuite, s: Uint8Array, t: Uint8Array, fieldBits: number): Uint8Array {
  const [c0, c1] = CONSTANTS[nonceBytes(suite)];
  const zero = new Uint8Array(suite.blockBytes);
  const blocks = Math.ceil((fieldBits + 64) / (8 * c0.length));
  const outputs: Uint8Array[] = [];
  let key = suite.encrypt(t, zero, s).subarray(0, suite.keyBytes);
  for (let index = 0; index < blocks; index++) {
    outputs.push(suite.encrypt(key, zero, c1));
    key = suite.encrypt(key, zero, c0).subarray(0, suite.keyBytes);
  }
  return concatBytes(outputs);
}

/** Integrated mapping needs square roots by one power: p ≡ 3 (mod 4), which of all curves only NIST P-224 has not. */
export const hasIntegratedMapping = ({ p }: CurveConstants): boolean => p % 4n === 3n;

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let square = base % modulus, left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** Integrated mapping: a point for the number `t` (ICAO 9303-11 appendix B.2). */
export function encodeToPoint(points: Points, { p, a, b }: CurveConstants, t: bigint): Point {
  const mod = (number: bigint): bigint => ((number % p) + p) % p;
  const inverse = (number: bigint): bigint => power(mod(number), p - 2n, p);
  const alpha = mod(-t * t);
  const x2 = mod(-b * inverse(a) * (1n + inverse(alpha + alpha * alpha)));
  const x3 = mod(alpha * x2);
  const h2 = mod(x2 * x2 * x2 + a * x2 + b);
  const u = mod(t * t * t * h2);
  const root = power(h2, p - 1n - (p + 1n) / 4n, p);
  const point = mod(root * root * h2) === 1n ? { x: x2, y: mod(root * h2) } : { x: x3, y: mod(root * u) };
  const encoded = points.fromAffine(point);
  try {
    encoded.assertValidity();
  } catch (error) {
    throw malformed("nonce: the mapping has no generator", error);
  }
  return encoded;
}

/** Generator of the integrated mapping. @throws DeviceError `card_error` for a nonce that has none */
export function integratedMapping(points: Points, curve: CurveConstants, suite: CipherSuite, s: Uint8Array, t: Uint8Array): Point {
  const random = pseudoRandom(suite, s, t, curve.p.toString(2).length);
  return encodeToPoint(points, curve, toNumber(random) % curve.p);
}
