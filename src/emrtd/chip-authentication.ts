import { tlv } from "../formats/tlv.js";
import { concatBytes } from "../kernel/bytes.js";
import type { CurveConstants } from "./access/curve-table.js";
import { agree, generateKeyPair, type KeyPair } from "./access/curves.js";
import { deriveSessionKeys, toBytes, wipe } from "./access/keys.js";
import { type Answer, OK, SHORT_LE } from "./apdu.js";
import type { Channel } from "./channel.js";
import { type CipherSuite, TRIPLE_DES } from "./ciphers.js";
import { encodeOid } from "./oid.js";
import { createSecureMessaging } from "./secure-messaging.js";
import type { SecurityInfos } from "./security-infos.js";

/** One key of the chip and what to do with it. */
export interface ChipAuthenticationChoice {
  readonly oid: string;
  readonly suite: CipherSuite;
  readonly curve: CurveConstants;
  /** The chip's static key, uncompressed. */
  readonly chipKey: Uint8Array;
  readonly keyId: number | undefined;
}

const BY_STRENGTH = ["3des", "aes-128", "aes-192", "aes-256"] as const;
/** Chips from before ChipAuthenticationInfo have a key only: 3DES was the one protocol then (BSI TR-03110 v1.11 §A.1.1.2). */
const ECDH_3DES = "0.4.0.127.0.7.2.2.3.2.1";

/** The strongest protocol over an elliptic curve whose key DG14 has (ICAO 9303-11 §6.2, §9.2.7); undefined where there is none. */
export function chooseChipAuthentication(infos: SecurityInfos): ChipAuthenticationChoice | undefined {
  const protocols = infos.chipAuthentication.filter(({ agreement, version }) => agreement === "ecdh" && version === 1);
  const keys = infos.chipAuthenticationKeys.flatMap((key) => (key.ec ? [{ ...key.ec, keyId: key.keyId }] : []));
  const choices = protocols.flatMap(({ oid, suite, keyId }) =>
    // A protocol without a key's number goes with the one key there is.
    keys.filter((key) => key.keyId === keyId || (keyId === undefined && keys.length === 1)).map((key) => ({ oid, suite, ...key })),
  );
  if (infos.chipAuthentication.length === 0 && keys.length === 1) {
    choices.push(...keys.map((key) => ({ oid: ECDH_3DES, suite: TRIPLE_DES, ...key })));
  }
  choices.sort((x, y) => BY_STRENGTH.indexOf(y.suite.name) - BY_STRENGTH.indexOf(x.suite.name));
  return choices.map(({ oid, suite, curve, point, keyId }) => ({ oid, suite, curve, chipKey: point, keyId }))[0];
}

const keyReference = (keyId: number | undefined): Uint8Array[] => {
  if (keyId === undefined) return [];
  return [tlv(0x84, toBytes(BigInt(keyId), Math.ceil(keyId.toString(16).length / 2)))];
};

async function offer(channel: Channel, { suite, oid, keyId }: ChipAuthenticationChoice, publicKey: Uint8Array): Promise<Answer> {
  if (suite.name === "3des") {
    // MSE:Set KAT (§6.2.4.1).
    const data = concatBytes([tlv(0x91, publicKey), ...keyReference(keyId)]);
    return channel.send({ cla: 0x00, ins: 0x22, p1: 0x41, p2: 0xa6, data });
  }
  // MSE:Set AT and GENERAL AUTHENTICATE (§6.2.4.2).
  const data = concatBytes([tlv(0x80, encodeOid(oid)), ...keyReference(keyId)]);
  const set = await channel.send({ cla: 0x00, ins: 0x22, p1: 0x41, p2: 0xa4, data });
  if (set.sw !== OK) return set;
  return channel.send({ cla: 0x00, ins: 0x86, p1: 0, p2: 0, data: tlv(0x7c, tlv(0x80, publicKey)), le: SHORT_LE });
}

/**
 * Chip authentication (ICAO 9303-11 §6.2): the channel has new keys afterwards, which only a chip with the secret of DG14
 * knows. The first answer that verifies is the proof, and the caller's to await.
 * @returns the last answer: where it is not OK, the keys are those before, or none if it is `lost`
 */
export async function authenticateChip(
  channel: Channel,
  choice: ChipAuthenticationChoice,
  randomBytes: (length: number) => Uint8Array,
): Promise<Answer> {
  const { curve, suite, chipKey } = choice;
  let own: KeyPair | undefined;
  let shared: Uint8Array | undefined;
  try {
    own = generateKeyPair(curve, randomBytes);
    const answered = offer(channel, choice, own.publicKey);
    answered.catch(() => {});
    shared = agree(curve, own, chipKey);
    const answer = await answered;
    if (answer.sw === OK) {
      channel.setProtection(createSecureMessaging(suite, deriveSessionKeys(suite, shared), new Uint8Array(suite.blockBytes)));
    }
    return answer;
  } finally {
    wipe(own?.secret, shared);
  }
}
