import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { type WeierstrassPoint, type WeierstrassPointCons, weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { equalBytes } from "../../kernel/bytes.js";
import { malformed } from "../status.js";
import { CURVES, type CurveConstants } from "./curve-table.js";
import { toBytes, toNumber, wipe } from "./keys.js";

/** Bytes of one coordinate. */
export function fieldBytes(curve: CurveConstants): number {
  return Math.ceil(curve.p.toString(16).length / 2);
}

export const curveOfParameter = (parameterId: number): CurveConstants | undefined =>
  CURVES.find((curve) => curve.parameterId === parameterId);

export const curveOfOid = (oid: string): CurveConstants | undefined => CURVES.find((curve) => curve.oid === oid);

/** The known curve with this equation and order; its generator is the caller's to compare. */
export function curveOfConstants({ p, a, b, n }: Pick<CurveConstants, "p" | "a" | "b" | "n">): CurveConstants | undefined {
  return CURVES.find((curve) => curve.p === p && curve.a === a && curve.b === b && curve.n === n);
}

/** Points of a curve, for what OpenSSL's bindings lack: arithmetic with any generator. */
export type Points = WeierstrassPointCons<bigint>;
export type Point = WeierstrassPoint<bigint>;

export function pointsOf({ p, a, b, n, gx, gy }: CurveConstants): Points {
  return weierstrass({ p, a, b, n, h: 1n, Gx: gx, Gy: gy });
}

/**
 * An uncompressed point (BSI TR-03111 §3.2.1) that lies on the curve and is not infinity; all curves have cofactor 1.
 * @throws DeviceError `card_error`
 */
export function decodePoint(points: Points, curve: CurveConstants, bytes: Uint8Array): Point {
  const width = fieldBytes(curve);
  if (bytes[0] !== 0x04 || bytes.length !== 1 + 2 * width) throw malformed("public key");
  try {
    const point = points.fromAffine({ x: toNumber(bytes.subarray(1, 1 + width)), y: toNumber(bytes.subarray(1 + width)) });
    point.assertValidity();
    return point;
  } catch (error) {
    throw malformed("public key: not on the curve", error);
  }
}

/** Uncompressed; both coordinates as long as the field, leading zeros kept. */
export function encodePoint(curve: CurveConstants, point: Point): Uint8Array {
  const { x, y } = point.toAffine();
  const width = fieldBytes(curve);
  return Uint8Array.of(0x04, ...toBytes(x, width), ...toBytes(y, width));
}

/** Uniform from 1 to n − 1, as long as n: by drawing again (FIPS 186-5 §A.2.2). */
export function randomScalar(curve: CurveConstants, randomBytes: (length: number) => Uint8Array): Uint8Array {
  const bits = curve.n.toString(2).length;
  const length = Math.ceil(bits / 8);
  // Each draw fails with less than one half.
  for (let draw = 0; draw < 200; draw++) {
    const bytes = Uint8Array.from(randomBytes(length));
    if (bits % 8 !== 0) bytes[0] = (bytes[0] ?? 0) & ((1 << (bits % 8)) - 1);
    const scalar = toNumber(bytes);
    if (scalar > 0n && scalar < curve.n) return bytes;
    wipe(bytes);
  }
  assert.fail("the source of randomness is broken");
}

export interface KeyPair {
  /** Wiped by the owner. */
  readonly secret: Uint8Array;
  /** Uncompressed point. */
  readonly publicKey: Uint8Array;
}

/** Ephemeral key on the curve's own generator. */
export function generateKeyPair(curve: CurveConstants, randomBytes: (length: number) => Uint8Array): KeyPair {
  const secret = randomScalar(curve, randomBytes);
  return { secret, publicKey: publicKeyOf(curve, secret) };
}

/** Uncompressed public key of a secret from 1 to n − 1. */
export function publicKeyOf(curve: CurveConstants, secret: Uint8Array): Uint8Array {
  const ecdh = createECDH(curve.openssl);
  ecdh.setPrivateKey(secret);
  return ecdh.getPublicKey();
}

/**
 * Shared x coordinate, as long as the field (BSI TR-03111 §4.3.1).
 * @throws DeviceError `card_error` where the other's key is not on the curve, or our own
 */
export function agree(curve: CurveConstants, own: KeyPair, other: Uint8Array): Uint8Array {
  // A reflected key would let a chip without the secret answer with our own token (ICAO 9303-11 §4.4.1, step 3d).
  if (equalBytes(own.publicKey, other)) throw malformed("public key: it is ours");
  if (other[0] !== 0x04 || other.length !== 1 + 2 * fieldBytes(curve)) throw malformed("public key");
  const ecdh = createECDH(curve.openssl);
  ecdh.setPrivateKey(own.secret);
  try {
    return ecdh.computeSecret(other);
  } catch (error) {
    throw malformed("public key: not on the curve", error);
  }
}
