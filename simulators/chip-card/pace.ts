import { concatBytes, equalBytes } from "../../src/kernel/bytes.js";
import type { Random } from "../../src/kernel/random.js";
import { type Answer, status, success } from "./apdu.js";
import { type Cipher, type CipherName, cipherOf, deriveKey, macOf } from "./ciphers.js";
import { type Curve, curveById, encodePoint, fixed, generateKey, type KeyPair, type Point, sharedX } from "./curves.js";
import { dataObjects, oid, oidBytes, tlv } from "./der.js";
import { integratedPoint } from "./integrated-mapping.js";
import { type Channel, openChannel } from "./secure-messaging.js";

export type Mapping = "gm" | "im" | "cam";

/** One way of PACE that the chip offers. */
export interface PaceSet {
  readonly mapping: Mapping;
  readonly cipher: CipherName;
  readonly parameterId: number;
}

/** Last arcs but one of id-PACE-ECDH-GM, -IM and -CAM (ICAO 9303-11 §9.2.3). */
const MAPPING_ARCS: Readonly<Record<Mapping, number>> = { gm: 2, im: 4, cam: 6 };

export function paceOid({ mapping, cipher }: PaceSet): string {
  return `0.4.0.127.0.7.2.2.4.${MAPPING_ARCS[mapping]}.${cipherOf(cipher).arc}`;
}

/** `gm-aes128-13` and the like; the schema has checked its form. */
export function parsePaceSet(text: string): PaceSet {
  const [mapping, cipher, parameterId] = text.split("-");
  return { mapping: mapping as Mapping, cipher: cipher as CipherName, parameterId: Number(parameterId) };
}

export interface PaceInput {
  readonly set: PaceSet;
  /** The CAN's characters, or the SHA-1 of the MRZ's key fields (ICAO 9303-11 §4.4.4.1). */
  readonly password: Uint8Array;
  readonly random: Random;
  /** The chip's key for chip authentication mapping, on the same curve. */
  readonly chipSecret?: bigint | undefined;
  /** What a wrong password is answered with. */
  readonly wrongKeyStatus: number;
}

export interface PaceStep {
  readonly answer: Answer;
  /** PACE has succeeded: this protects what comes next. */
  readonly channel?: Channel;
  /** Nothing more can be done in this run. */
  readonly over: boolean;
}

/** The four GENERAL AUTHENTICATE of one PACE run (ICAO 9303-11 §4.4.4.2); called with each command's data. */
export function startPace({ set, password, random, chipSecret, wrongKeyStatus }: PaceInput): (data: Uint8Array) => PaceStep {
  const cipher = cipherOf(set.cipher);
  const curve = curveById(set.parameterId);
  let nonce: Uint8Array = new Uint8Array();
  let mapped: Point | undefined;
  let mappingKey: KeyPair | undefined;
  let agreed: { own: Uint8Array; theirs: Uint8Array; encryptionKey: Uint8Array; macKey: Uint8Array } | undefined;
  let step = 0;

  const failed = (sw: number): PaceStep => ({ answer: status(sw), over: true });
  const next = (tag: number, value: Uint8Array): PaceStep => ({ answer: success(tlv(0x7c, tlv(tag, value))), over: false });

  const giveNonce = (): PaceStep => {
    // As long as the key, in whole blocks (TR-03110-3 §A.3.3).
    nonce = random.bytes(Math.max(16, Math.ceil(cipher.keyBytes / 16) * 16));
    const key = deriveKey(cipher, password, 3);
    const sealed = cipher.encrypt(key, new Uint8Array(cipher.blockBytes), nonce);
    key.fill(0);
    return next(0x80, sealed);
  };

  const map = (curve: Curve, theirs: Uint8Array): PaceStep => {
    if (set.mapping === "im") {
      // The terminal's nonce serves as a key.
      if (theirs.length !== cipher.keyBytes) return failed(0x6a80);
      mapped = integratedPoint(curve, cipher, nonce, theirs);
      return mapped ? next(0x82, new Uint8Array()) : failed(0x6a80);
    }
    const point = curve.decode(theirs);
    if (!point) return failed(0x6a80);
    mappingKey = generateKey(curve, random);
    const shared = point.multiply(mappingKey.secret);
    const scalar = BigInt(`0x${Buffer.from(nonce).toString("hex")}`) % curve.order;
    mapped = scalar === 0n ? shared : curve.generator.multiply(scalar).add(shared);
    return mapped.is0() ? failed(0x6a80) : next(0x82, encodePoint(mappingKey.point));
  };

  const agree = (curve: Curve, theirs: Uint8Array): PaceStep => {
    const point = curve.decode(theirs);
    if (!point || !mapped) return failed(0x6a80);
    const key = generateKey(curve, random, mapped);
    const own = encodePoint(key.point);
    if (equalBytes(own, theirs)) return failed(0x6a80);
    const secret = sharedX(curve, key.secret, point);
    agreed = { own, theirs, encryptionKey: deriveKey(cipher, secret, 1), macKey: deriveKey(cipher, secret, 2) };
    secret.fill(0);
    return next(0x84, own);
  };

  const confirm = (curve: Curve, theirToken: Uint8Array): PaceStep => {
    if (!agreed) return failed(0x6985);
    const { encryptionKey, macKey } = agreed;
    const token = (publicKey: Uint8Array) => macOf(cipher, macKey, tlv(0x7f49, oid(paceOid(set)), tlv(0x86, publicKey)));
    if (!equalBytes(theirToken, token(agreed.own))) return failed(wrongKeyStatus);
    const objects = [tlv(0x86, token(agreed.theirs))];
    if (set.mapping === "cam" && chipSecret !== undefined && mappingKey) {
      objects.push(tlv(0x8a, sealedMappingProof(curve, cipher, encryptionKey, chipSecret, mappingKey.secret)));
    }
    return { answer: success(tlv(0x7c, ...objects)), over: true, channel: openChannel(cipher, encryptionKey, macKey) };
  };

  return (data) => {
    const outer = dataObjects(data);
    const inner = outer?.length === 1 && outer[0]?.tag === 0x7c ? dataObjects(outer[0].value) : undefined;
    if (!inner || inner.length > 1 || !curve) return failed(0x6a80);
    const [object] = inner;
    step += 1;
    if (step === 1) return object ? failed(0x6a80) : giveNonce();
    const wanted = [0x81, 0x83, 0x85][step - 2];
    if (!object || object.tag !== wanted) return failed(0x6a80);
    if (step === 2) return map(curve, object.value);
    if (step === 3) return agree(curve, object.value);
    return confirm(curve, object.value);
  };
}

/** Chip authentication mapping: mapping secret divided by the chip's secret, sealed under the new key (ICAO 9303-11 §4.4.3.3.3). */
function sealedMappingProof(curve: Curve, cipher: Cipher, key: Uint8Array, chipSecret: bigint, mappingSecret: bigint): Uint8Array {
  const { Fn } = curve.generator.constructor as unknown as { Fn: { inv(n: bigint): bigint; mul(a: bigint, b: bigint): bigint } };
  const proof = fixed(Fn.mul(Fn.inv(chipSecret), mappingSecret), curve.coordinateBytes);
  const block = cipher.blockBytes;
  const padded = new Uint8Array((Math.floor(proof.length / block) + 1) * block);
  padded.set(concatBytes([proof, Uint8Array.of(0x80)]));
  // The first vector is the encryption of minus one, which no counter value of secure messaging is.
  const iv = cipher.encrypt(key, new Uint8Array(block), new Uint8Array(block).fill(0xff));
  return cipher.encrypt(key, iv, padded);
}

export const paceOidBytes = (set: PaceSet): Uint8Array => oidBytes(paceOid(set));
