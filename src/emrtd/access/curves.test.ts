import { createECDH } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toHex } from "../../kernel/bytes.js";
import { DeviceError } from "../../kernel/errors.js";
import { countingRandom } from "../testing/scripted-card.js";
import { CURVES } from "./curve-table.js";
import {
  agree,
  curveOfParameter,
  decodePoint,
  encodePoint,
  fieldBytes,
  generateKeyPair,
  pointsOf,
  publicKeyOf,
  randomScalar,
} from "./curves.js";
import { toBytes, toNumber } from "./keys.js";
import { encodeToPoint, genericMapping, hasIntegratedMapping, nonceTerm } from "./mapping.js";

const kindOf = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error instanceof DeviceError ? error.kind : error;
  }
};

test("all standardized parameters over elliptic curves, 8 to 18", () => {
  expect(CURVES.map(({ parameterId }) => parameterId)).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
  expect(curveOfParameter(7)).toBeUndefined();
});

test("both arithmetics agree on every curve: public keys and shared secrets", () => {
  for (const curve of CURVES) {
    const points = pointsOf(curve);
    const random = countingRandom();
    const [ours, theirs] = [generateKeyPair(curve, random), generateKeyPair(curve, random)];
    expect(toHex(encodePoint(curve, points.BASE.multiply(toNumber(ours.secret))))).toBe(toHex(ours.publicKey));
    const shared = decodePoint(points, curve, theirs.publicKey).multiply(toNumber(ours.secret));
    expect(agree(curve, ours, theirs.publicKey)).toEqual(Buffer.from(toBytes(shared.toAffine().x, fieldBytes(curve))));
    expect(agree(curve, ours, theirs.publicKey)).toEqual(agree(curve, theirs, ours.publicKey));
  }
});

test("leading zeros stay: keys whose x or y is short have full length", () => {
  const curve = curveOfParameter(13) ?? CURVES[0];
  if (!curve) throw new RangeError("no curve");
  const points = pointsOf(curve);
  let seen = 0;
  let point = points.BASE;
  for (let scalar = 1n; scalar < 1_500n; scalar++, point = point.add(points.BASE)) {
    const { x, y } = point.toAffine();
    if (x >> 248n !== 0n && y >> 248n !== 0n) continue;
    seen++;
    const bytes = encodePoint(curve, point);
    expect(bytes).toHaveLength(65);
    expect(toHex(bytes)).toBe(toHex(publicKeyOf(curve, toBytes(scalar, 32))));
    expect(decodePoint(points, curve, bytes).equals(point)).toBe(true);
    const other = generateKeyPair(curve, countingRandom());
    expect(agree(curve, other, bytes)).toHaveLength(32);
  }
  expect(seen).toBeGreaterThan(3);
});

test("points that are none: off the curve, infinite, compressed, cut off, another curve's, our own", () => {
  for (const curve of CURVES) {
    const points = pointsOf(curve);
    const own = generateKeyPair(curve, countingRandom());
    const good = generateKeyPair(curve, (length) => new Uint8Array(length).fill(1)).publicKey;
    const off = Uint8Array.from(good);
    off[off.length - 1] = (off.at(-1) ?? 0) ^ 1;
    const infinite = new Uint8Array(good.length);
    infinite[0] = 4;
    const compressed = createECDH(curve.openssl);
    compressed.setPrivateKey(own.secret);
    const bad = [
      off,
      infinite,
      good.subarray(0, -1),
      good.subarray(1),
      new Uint8Array(),
      Uint8Array.of(0),
      new Uint8Array(good.length).fill(0xff),
    ];
    for (const bytes of [...bad, compressed.getPublicKey(null, "compressed")]) {
      expect(kindOf(() => decodePoint(points, curve, bytes))).toBe("card_error");
      expect(kindOf(() => agree(curve, own, bytes))).toBe("card_error");
    }
    expect(kindOf(() => agree(curve, own, own.publicKey))).toBe("card_error");
  }
});

test("secrets are within the order, uniform by drawing again, and a broken source is noticed", () => {
  for (const curve of CURVES) {
    let draws = 0;
    const secret = randomScalar(curve, (length) => {
      draws++;
      return draws === 1 ? new Uint8Array(length).fill(0xff) : draws === 2 ? new Uint8Array(length) : new Uint8Array(length).fill(0x11);
    });
    expect(toNumber(secret)).toBeLessThan(curve.n);
    expect(draws).toBe(3);
    expect(() => randomScalar(curve, (length) => new Uint8Array(length))).toThrow("randomness");
  }
});

test("the integrated mapping finds a point for any number, on every curve that has it", () => {
  const curves = CURVES.filter(hasIntegratedMapping);
  expect(CURVES.filter((curve) => !hasIntegratedMapping(curve)).map(({ name }) => name)).toEqual(["P-224"]);
  fc.assert(
    fc.property(fc.constantFrom(...curves), fc.bigInt({ min: 2n, max: 2n ** 500n }), (curve, number) => {
      expect(() => encodeToPoint(pointsOf(curve), curve, number % curve.p).assertValidity()).not.toThrow();
    }),
    { numRuns: 60 },
  );
});

test("a mapping without a generator is refused", () => {
  const curve = curveOfParameter(13);
  if (!curve) throw new RangeError("no curve");
  const points = pointsOf(curve);
  const { secret, publicKey } = generateKeyPair(curve, countingRandom());
  const one = Uint8Array.of(1);
  const nonce = Uint8Array.of(5);
  expect(nonceTerm(points, curve, nonce, Uint8Array.of(3)).equals(points.BASE.multiply(15n))).toBe(true);
  expect(nonceTerm(points, curve, toBytes(curve.n, 32), one).is0()).toBe(true);
  const shared = decodePoint(points, curve, publicKey).multiply(toNumber(secret));
  expect(kindOf(() => genericMapping(points, curve, shared.negate(), { mapping: secret, ephemeral: one }, publicKey))).toBe("card_error");
  expect(kindOf(() => encodeToPoint(points, curve, 0n))).toBe("card_error");
});
