import { readTlvs, type Tlv, TlvError, unwrapTlv } from "../formats/tlv.js";
import type { CurveConstants } from "./access/curve-table.js";
import { curveOfConstants, curveOfOid, curveOfParameter, decodePoint, fieldBytes, pointsOf } from "./access/curves.js";
import { toNumber } from "./access/keys.js";
import { decodeOid } from "./oid.js";

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;

const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
const PRIME_FIELD = "1.2.840.10045.1.1";
/** standardizedDomainParameters (ICAO 9303-11 §9.5.1), with the parameter's number. */
const STANDARDIZED = "0.4.0.127.0.7.1.2";

const oidOf = (object: Tlv | undefined): string | undefined => (object?.tag === OBJECT_IDENTIFIER ? decodeOid(object.value) : undefined);

/** Numbers of curves have 66 bytes at most. */
const numberOf = (object: Tlv | undefined): bigint | undefined =>
  object?.tag === INTEGER && object.value.length <= 80 ? toNumber(object.value) : undefined;

/** SpecifiedECDomain of a prime field (SEC 1 §C.2, ITU-T X9.62). @throws TlvError */
function curveOfExplicit(parameters: Uint8Array): CurveConstants | undefined {
  const [, field, equation, generator, order] = readTlvs(parameters);
  if (field?.tag !== SEQUENCE || equation?.tag !== SEQUENCE || generator?.tag !== OCTET_STRING) return undefined;
  const [fieldType, prime] = readTlvs(field.value);
  const [a, b] = readTlvs(equation.value);
  const p = numberOf(prime);
  const n = numberOf(order);
  if (oidOf(fieldType) !== PRIME_FIELD || p === undefined || n === undefined) return undefined;
  if (a?.tag !== OCTET_STRING || b?.tag !== OCTET_STRING || a.value.length > 80 || b.value.length > 80) return undefined;
  const curve = curveOfConstants({ p, n, a: toNumber(a.value), b: toNumber(b.value) });
  return curve && isGenerator(curve, generator.value) ? curve : undefined;
}

/** Uncompressed, or compressed to x and the lowest bit of y. A chip may not choose its own generator. */
function isGenerator({ p, gx, gy }: CurveConstants, bytes: Uint8Array): boolean {
  const width = Math.ceil(p.toString(16).length / 2);
  const x = toNumber(bytes.subarray(1, 1 + width));
  if (x !== gx) return false;
  if (bytes[0] === 0x04) return bytes.length === 1 + 2 * width && toNumber(bytes.subarray(1 + width)) === gy;
  return bytes.length === 1 + width && bytes[0] === 2 + Number(gy & 1n);
}

/** Curve of an AlgorithmIdentifier's content: named, standardized, or explicit and equal to a known one. */
export function curveOfAlgorithm(content: Uint8Array): CurveConstants | undefined {
  try {
    const [identifier, parameters] = readTlvs(content);
    const algorithm = oidOf(identifier);
    if (algorithm === STANDARDIZED) return curveOfParameter(Number(numberOf(parameters) ?? 0));
    if (algorithm !== EC_PUBLIC_KEY || !parameters) return undefined;
    if (parameters.tag === OBJECT_IDENTIFIER) return curveOfOid(decodeOid(parameters.value) ?? "");
    return parameters.tag === SEQUENCE ? curveOfExplicit(parameters.value) : undefined;
  } catch (error) {
    if (error instanceof TlvError) return undefined;
    throw error;
  }
}

/** Content of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) with an elliptic curve's key: the curve and the point, which lies on it. */
export function decodeEcPublicKey(content: Uint8Array): { curve: CurveConstants; point: Uint8Array } | undefined {
  try {
    const [algorithm, key] = readTlvs(content);
    const curve = algorithm?.tag === SEQUENCE ? curveOfAlgorithm(algorithm.value) : undefined;
    if (!curve || key?.tag !== BIT_STRING || key.value[0] !== 0) return undefined;
    const point = key.value.subarray(1);
    return isOnCurve(curve, point) ? { curve, point } : undefined;
  } catch (error) {
    if (error instanceof TlvError) return undefined;
    throw error;
  }
}

function isOnCurve(curve: CurveConstants, point: Uint8Array): boolean {
  try {
    decodePoint(pointsOf(curve), curve, point);
    return true;
  } catch {
    return false;
  }
}

/** Bytes of a signature that the key of this SubjectPublicKeyInfo makes (RSA: the modulus; plain ECDSA: two numbers below n). */
export function signatureBytes(subjectPublicKeyInfo: Uint8Array): number | undefined {
  try {
    const content = unwrapTlv(subjectPublicKeyInfo, SEQUENCE);
    const [algorithm, key] = readTlvs(content);
    if (algorithm?.tag !== SEQUENCE || key?.tag !== BIT_STRING) return undefined;
    if (oidOf(readTlvs(algorithm.value)[0]) === EC_PUBLIC_KEY) {
      // Of a curve that is unknown here, the key tells as much: two coordinates.
      const curve = curveOfAlgorithm(algorithm.value);
      return curve ? 2 * fieldBytes(curve) : key.value.length - 2;
    }
    const [modulus] = readTlvs(unwrapTlv(key.value.subarray(1), SEQUENCE));
    if (modulus?.tag !== INTEGER) return undefined;
    return modulus.value[0] === 0 ? modulus.value.length - 1 : modulus.value.length;
  } catch (error) {
    if (error instanceof TlvError) return undefined;
    throw error;
  }
}
