import { fromHex } from "../../src/kernel/bytes.js";
import type { Cipher } from "./ciphers.js";
import type { Curve, Point } from "./curves.js";

/** Constants of the pseudo-random function (ICAO 9303-11 §4.4.3.3.2). */
const C0_128 = fromHex("a668892a7c41e3ca739f40b057d85904");
const C1_128 = fromHex("a4e136ac725f738b01c1f60217c188ad");
const C0_256 = fromHex("d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676");
const C1_256 = fromHex("54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517");

/** A point that neither side chose: the field element drawn from both nonces, encoded on the curve. */
export function integratedPoint(curve: Curve, cipher: Cipher, nonce: Uint8Array, theirs: Uint8Array): Point | undefined {
  const { p } = (curve.generator.constructor as typeof curve.generator.constructor & { CURVE(): { p: bigint } }).CURVE();
  return encodeOnCurve(curve, pseudoRandom(cipher, nonce, theirs, p) % p);
}

/** R(s, t): CBC encryptions under changing keys until 64 bits more than the field has are there. */
function pseudoRandom(cipher: Cipher, s: Uint8Array, t: Uint8Array, p: bigint): bigint {
  const zero = new Uint8Array(cipher.blockBytes);
  const long = s.length > 16;
  const [c0, c1] = long ? [C0_256, C1_256] : [C0_128, C1_128];
  const wanted = Math.ceil((p.toString(2).length + 64) / (s.length * 8)) * s.length;
  let key = cipher.encrypt(t, zero, s).slice(0, cipher.keyBytes);
  let hex = "";
  while (hex.length < wanted * 2) {
    hex += Buffer.from(cipher.encrypt(key, zero, c1)).toString("hex");
    key = cipher.encrypt(key, zero, c0).slice(0, cipher.keyBytes);
  }
  return BigInt(`0x${hex}`);
}

/** Point encoding for p = 3 mod 4 (ICAO 9303-11 appendix B.2). */
function encodeOnCurve(curve: Curve, t: bigint): Point | undefined {
  const Constructor = curve.generator.constructor as unknown as {
    CURVE(): { p: bigint; a: bigint; b: bigint };
    fromAffine(point: { x: bigint; y: bigint }): Point;
  };
  const { p, a, b } = Constructor.CURVE();
  const mod = (n: bigint): bigint => ((n % p) + p) % p;
  const power = (base: bigint, exponent: bigint): bigint => {
    let result = 1n;
    for (let square = mod(base), left = exponent; left > 0n; left >>= 1n, square = mod(square * square)) {
      if (left & 1n) result = mod(result * square);
    }
    return result;
  };
  const inverse = (n: bigint): bigint => power(n, p - 2n);
  const right = (x: bigint): bigint => mod(x * x * x + a * x + b);
  const alpha = mod(-t * t);
  const x2 = mod(-b * inverse(a) * (1n + inverse(alpha + alpha * alpha)));
  const x3 = mod(alpha * x2);
  const h2 = right(x2);
  const u = mod(t * t * t * h2);
  const root = power(h2, p - 1n - (p + 1n) / 4n);
  const [x, y] = mod(root * root * h2) === 1n ? [x2, mod(root * h2)] : [x3, mod(root * u)];
  const point = Constructor.fromAffine({ x, y });
  try {
    point.assertValidity();
    return point;
  } catch {
    return undefined;
  }
}
