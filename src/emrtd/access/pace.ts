import { timingSafeEqual } from "node:crypto";
import { findTlv, readTlvs, TlvError, tlv, unwrapTlv } from "../../formats/tlv.js";
import { equalBytes } from "../../kernel/bytes.js";
import { type Answer, type Command, OK, SHORT_LE } from "../apdu.js";
import type { Channel } from "../channel.js";
import { type CipherSuite, pad, unpad } from "../ciphers.js";
import { encodeOid } from "../oid.js";
import { createSecureMessaging } from "../secure-messaging.js";
import { keyRefused, malformed, statusError } from "../status.js";
import type { AccessKey } from "../types.js";
import type { PaceChoice } from "./choose-pace.js";
import type { CurveConstants } from "./curve-table.js";
import { agree, decodePoint, encodePoint, generateKeyPair, type KeyPair, type Point, pointsOf, randomScalar } from "./curves.js";
import { deriveSessionKeys, passwordKey, toBytes, toNumber, wipe } from "./keys.js";
import { genericMapping, integratedMapping, nonceBytes, nonceTerm } from "./mapping.js";

const DYNAMIC_AUTHENTICATION = 0x7c;
/** Data objects of GENERAL AUTHENTICATE (ICAO 9303-11 §4.4.4.2). */
const TAG = {
  nonce: 0x80,
  mappingToChip: 0x81,
  mappingToTerminal: 0x82,
  keyToChip: 0x83,
  keyToTerminal: 0x84,
  tokenToChip: 0x85,
  tokenToTerminal: 0x86,
  chipAuthenticationData: 0x8a,
} as const;

/** Which password (ICAO 9303-11 §4.4.4.1, tag 83). */
const PASSWORD_REFERENCE = { mrz: 0x01, can: 0x02 };

/** What PACE with chip authentication mapping left to check (ICAO 9303-11 §4.4.3.5). */
export interface CamEvidence {
  /** The chip's public key of the mapping. */
  readonly mappingKey: Uint8Array;
  /** CA_IC: the chip's mapping secret over its static secret. */
  readonly data: Uint8Array;
}

export type PaceOutcome =
  | { readonly state: "open"; readonly cam?: CamEvidence }
  /** The chip will not have this protocol: nothing was tried with the key. */
  | { readonly state: "refused"; readonly sw: number };

/** MSE:Set AT (ICAO 9303-11 §4.4.4.1). The parameter's number is always told: with several it must be. */
function setAuthenticationTemplate({ info }: PaceChoice, access: AccessKey): Command {
  const data = [tlv(0x80, encodeOid(info.oid)), tlv(0x83, Uint8Array.of(PASSWORD_REFERENCE[access.kind]))];
  if (info.parameterId !== undefined) data.push(tlv(0x84, toBytes(BigInt(info.parameterId), info.parameterId > 255 ? 4 : 1)));
  return { cla: 0x00, ins: 0x22, p1: 0xc1, p2: 0xa4, data: Uint8Array.from(data.flatMap((object) => [...object])) };
}

/** Chained but for the last (ISO 7816-4 §5.3.3). */
function generalAuthenticate(last: boolean, ...objects: Uint8Array[]): Command {
  return { cla: last ? 0x00 : 0x10, ins: 0x86, p1: 0, p2: 0, data: tlv(DYNAMIC_AUTHENTICATION, ...objects), le: SHORT_LE };
}

function objectsOf(data: Uint8Array): ReturnType<typeof readTlvs> {
  try {
    return readTlvs(unwrapTlv(data, DYNAMIC_AUTHENTICATION));
  } catch (error) {
    if (error instanceof TlvError) throw malformed("answer of the access protocol", error);
    throw error;
  }
}

function objectOf(data: Uint8Array, tag: number): Uint8Array {
  const value = findTlv(objectsOf(data), tag);
  if (!value) throw malformed("answer of the access protocol");
  return value;
}

/** Token over the other side's key (ICAO 9303-11 §4.4.3.4, §9.4): object identifier and point. */
export function authenticationToken(suite: CipherSuite, key: Uint8Array, oid: string, point: Uint8Array): Uint8Array {
  const data = tlv(0x7f49, tlv(0x06, encodeOid(oid)), tlv(0x86, point));
  // CMAC pads for itself, the retail MAC does not.
  return suite.mac(key, suite.name === "3des" ? pad(data, suite.blockBytes) : data);
}

/** CA_IC out of DO'8A' (ICAO 9303-11 §4.4.3.5.1): CBC with the encrypted all-ones block before it. */
export function decryptCamData(suite: CipherSuite, key: Uint8Array, encrypted: Uint8Array): Uint8Array {
  if (encrypted.length === 0 || encrypted.length % suite.blockBytes !== 0) throw malformed("chip authentication data");
  const zero = new Uint8Array(suite.blockBytes);
  const iv = suite.encrypt(key, zero, new Uint8Array(suite.blockBytes).fill(0xff));
  const data = unpad(suite.decrypt(key, iv, encrypted));
  if (!data) throw malformed("chip authentication data");
  return data;
}

/** The chip has the secret of `chipKey`: CA_IC times it is the mapping key (ICAO 9303-11 §4.4.3.5.2). */
export function verifyCam(curve: CurveConstants, { mappingKey, data }: CamEvidence, chipKey: Uint8Array): boolean {
  const points = pointsOf(curve);
  const scalar = toNumber(data);
  if (scalar <= 0n || scalar >= curve.n) return false;
  return decodePoint(points, curve, chipKey)
    .multiplyUnsafe(scalar)
    .equals(decodePoint(points, curve, mappingKey));
}

/**
 * PACE (ICAO 9303-11 §4.4) in five commands; the channel is protected afterwards. The key is tried once.
 * @throws DeviceError `access_denied`, `card_error`, `invalid_params`; what the channel throws
 */
export async function pace(
  channel: Channel,
  choice: PaceChoice,
  access: AccessKey,
  randomBytes: (length: number) => Uint8Array,
): Promise<PaceOutcome> {
  const { curve, info } = choice;
  const { suite } = info;
  const points = pointsOf(curve);
  const secrets: Uint8Array[] = [];
  const secret = <Bytes extends Uint8Array>(bytes: Bytes): Bytes => {
    secrets.push(bytes);
    return bytes;
  };
  const step = async (command: Command, meanwhile: () => void = () => {}): Promise<Answer> => {
    const answer = channel.send(command);
    // The chip counts, too: what can be done before its answer is done now. Where that throws, nobody waits for the answer.
    answer.catch(() => {});
    meanwhile();
    return answer;
  };
  const dataOf = ({ data, sw }: Answer): Uint8Array => {
    if (sw !== OK) throw statusError("PACE", sw);
    return data;
  };

  try {
    const key = secret(passwordKey(suite, access));
    const { sw } = await channel.send(setAuthenticationTemplate(choice, access));
    // 63Cx warns that x tries are left; the command is done (§4.4.4.1).
    if (sw !== OK && sw >> 4 !== 0x63c) return { state: "refused", sw };

    let mappingSecret = new Uint8Array();
    let mappingPublic = new Uint8Array();
    const encryptedNonce = objectOf(
      dataOf(
        await step(generalAuthenticate(false), () => {
          if (info.mapping === "im") {
            mappingPublic = Uint8Array.from(randomBytes(suite.keyBytes));
            return;
          }
          const pair = generateKeyPair(curve, randomBytes);
          mappingSecret = secret(Uint8Array.from(pair.secret));
          mappingPublic = Uint8Array.from(pair.publicKey);
          wipe(pair.secret);
        }),
      ),
      TAG.nonce,
    );
    if (encryptedNonce.length !== nonceBytes(suite)) throw malformed("nonce");
    const nonce = secret(suite.decrypt(key, new Uint8Array(suite.blockBytes), encryptedNonce));

    let ephemeral = new Uint8Array();
    let ownPoint: Point = points.ZERO;
    const mappingAnswer = await step(generalAuthenticate(false, tlv(TAG.mappingToChip, mappingPublic)), () => {
      ephemeral = secret(Uint8Array.from(randomScalar(curve, randomBytes)));
      ownPoint =
        info.mapping === "im"
          ? integratedMapping(points, curve, suite, nonce, mappingPublic).multiply(toNumber(ephemeral))
          : nonceTerm(points, curve, nonce, ephemeral);
    });
    dataOf(mappingAnswer);
    let mappingKey = new Uint8Array();
    if (info.mapping !== "im") {
      mappingKey = Uint8Array.from(objectOf(mappingAnswer.data, TAG.mappingToTerminal));
      if (equalBytes(mappingKey, mappingPublic)) throw malformed("public key: it is ours");
      ownPoint = genericMapping(points, curve, ownPoint, { mapping: mappingSecret, ephemeral }, mappingKey);
    }
    const own: KeyPair = { secret: ephemeral, publicKey: encodePoint(curve, ownPoint) };

    const chipKey = objectOf(dataOf(await step(generalAuthenticate(false, tlv(TAG.keyToChip, own.publicKey)))), TAG.keyToTerminal);
    const keys = deriveSessionKeys(suite, secret(agree(curve, own, chipKey)));
    secrets.push(keys.encryption, keys.mac);
    const token = authenticationToken(suite, keys.mac, info.oid, chipKey);
    let expected = new Uint8Array();
    const verdict = await step(generalAuthenticate(true, tlv(TAG.tokenToChip, token)), () => {
      expected = Uint8Array.from(authenticationToken(suite, keys.mac, info.oid, own.publicKey));
    });
    if (keyRefused(verdict.sw)) throw statusError("PACE", verdict.sw, "access_denied");
    const last = objectsOf(dataOf(verdict));
    const theirs = findTlv(last, TAG.tokenToTerminal);
    if (theirs?.length !== expected.length || !timingSafeEqual(theirs, expected)) {
      throw malformed("authentication token: the chip does not know the access key");
    }
    const encryptedData = info.mapping === "cam" ? findTlv(last, TAG.chipAuthenticationData) : undefined;
    const cam = encryptedData && { mappingKey, data: decryptCamData(suite, keys.encryption, encryptedData) };
    const sessionKeys = { encryption: Uint8Array.from(keys.encryption), mac: Uint8Array.from(keys.mac) };
    channel.setProtection(createSecureMessaging(suite, sessionKeys, new Uint8Array(suite.blockBytes)));
    return cam ? { state: "open", cam } : { state: "open" };
  } finally {
    wipe(...secrets);
  }
}
