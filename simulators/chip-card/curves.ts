import { brainpoolP256r1, brainpoolP384r1, brainpoolP512r1 } from "@noble/curves/misc.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { toHex } from "../../src/kernel/bytes.js";
import type { Random } from "../../src/kernel/random.js";
import { bits, integer, octets, oid, sequence } from "./der.js";

type Point = typeof p256.Point.BASE;

export interface Curve {
  /** Standardized domain parameters (BSI TR-03110-3 table 4, ICAO 9303-11 §9.5.1). */
  readonly parameterId: number;
  readonly oid: string;
  readonly generator: Point;
  readonly order: bigint;
  readonly coordinateBytes: number;
  /** Undefined for what is no point of the curve, or is infinite. */
  decode(bytes: Uint8Array): Point | undefined;
}

function curve(parameterId: number, objectId: string, { Point }: { readonly Point: typeof p256.Point }): Curve {
  const coordinateBytes = Math.ceil(Point.CURVE().p.toString(2).length / 8);
  return {
    parameterId,
    oid: objectId,
    generator: Point.BASE,
    order: Point.Fn.ORDER,
    coordinateBytes,
    decode(bytes) {
      // Uncompressed points only (TR-03110-3 §D.3.3).
      if (bytes.length !== 1 + 2 * coordinateBytes || bytes[0] !== 0x04) return undefined;
      try {
        const point = Point.fromBytes(bytes);
        point.assertValidity();
        return point;
      } catch {
        return undefined;
      }
    },
  };
}

const CURVES: readonly Curve[] = [
  curve(12, "1.2.840.10045.3.1.7", p256),
  curve(13, "1.3.36.3.3.2.8.1.1.7", brainpoolP256r1),
  curve(15, "1.3.132.0.34", p384),
  curve(16, "1.3.36.3.3.2.8.1.1.11", brainpoolP384r1),
  curve(17, "1.3.36.3.3.2.8.1.1.13", brainpoolP512r1),
  curve(18, "1.3.132.0.35", p521),
];

export const curveById = (parameterId: number): Curve | undefined => CURVES.find((known) => known.parameterId === parameterId);

export interface KeyPair {
  readonly secret: bigint;
  readonly point: Point;
}

/** A secret below the group's order, taken as it comes from the source, and its point on the given generator. */
export function generateKey({ order, coordinateBytes, generator }: Curve, random: Random, base: Point = generator): KeyPair {
  for (;;) {
    const drawn = random.bytes(coordinateBytes);
    // P-521: seven of the highest bits are no part of a secret.
    if (coordinateBytes === 66) drawn[0] = (drawn[0] ?? 0) & 0x01;
    const secret = BigInt(`0x${toHex(drawn)}`);
    if (secret > 0n && secret < order) return { secret, point: base.multiply(secret) };
  }
}

/** 04, x, y, each coordinate at full length. */
export const encodePoint = (point: Point): Uint8Array => point.toBytes(false);

/** The x coordinate: what two sides agree on (TR-03111 §4.3.1). */
export function sharedX(curve: Curve, secret: bigint, point: Point): Uint8Array {
  return encodePoint(point.multiply(secret)).slice(1, 1 + curve.coordinateBytes);
}

export type { Point };

/** How a key's curve is told: by all its numbers, by its name, or by the number of the standardized set. */
export type CurveEncoding = "explicit" | "named" | "standardized";

/** SubjectPublicKeyInfo of a key for key agreement or signatures. */
export function subjectPublicKey(curve: Curve, point: Point, encoding: CurveEncoding): Uint8Array {
  const ecPublicKey = "1.2.840.10045.2.1";
  const algorithm =
    encoding === "standardized"
      ? // id-standardizedDomainParameters, TR-03110-3 §A.2.1.1.
        sequence(oid("0.4.0.127.0.7.1.2"), integer(curve.parameterId))
      : sequence(oid(ecPublicKey), encoding === "named" ? oid(curve.oid) : explicitParameters(curve));
  return sequence(algorithm, bits(encodePoint(point)));
}

/** ECParameters of a prime curve (ANSI X9.62, TR-03111 §5.2.1). */
function explicitParameters(curve: Curve): Uint8Array {
  const { p, a, b, n, h } = (curve.generator.constructor as typeof p256.Point).CURVE();
  return sequence(
    integer(1),
    sequence(oid("1.2.840.10045.1.1"), integer(p)),
    sequence(octets(fixed(a, curve.coordinateBytes)), octets(fixed(b, curve.coordinateBytes))),
    octets(encodePoint(curve.generator)),
    integer(n),
    integer(h),
  );
}

/** A number at a fixed length. */
export function fixed(value: bigint, length: number): Uint8Array {
  const digits = value.toString(16).padStart(length * 2, "0");
  return Uint8Array.from({ length }, (_, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16));
}
