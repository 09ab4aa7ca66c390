import { asciiBytes, concatBytes } from "../../src/kernel/bytes.js";
import type { Random } from "../../src/kernel/random.js";
import { activeAuthenticationKey, type SigningKey } from "./active-authentication.js";
import type { CardContent, ChipBehaviour } from "./chip.js";
import { cipherOf } from "./ciphers.js";
import { type Curve, curveById, generateKey } from "./curves.js";
import {
  type ChipKeyFacts,
  commonFile,
  dataGroup1,
  dataGroup13,
  dataGroup14,
  dataGroup15,
  securityInfo,
  securityInfos,
} from "./data-groups.js";
import { tlv } from "./der.js";
import { dataGroup2, facialRecord } from "./facial-image.js";
import { dataGroupFile, EF_CARD_ACCESS, EF_CARD_SECURITY, EF_COM, EF_SOD } from "./files.js";
import { portraitImage } from "./images.js";
import type { Issuer } from "./issuer.js";
import { mrzKey } from "./mrz.js";
import type { CardKnobs, FileName } from "./options.js";
import { parsePaceSet } from "./pace.js";
import { canOf, type Person } from "./people.js";
import { drawPortrait } from "./portrait.js";
import { ldsSecurityObject, signedData } from "./security-object.js";

export interface Personalisation {
  readonly person: Person;
  readonly knobs: CardKnobs;
  readonly issuer: Issuer;
  readonly random: Random;
  readonly nowMs: number;
}

/** Writes a card: files, keys and passwords. RSA keys take some 100 ms. */
export async function personalise({ person, knobs, issuer, random, nowMs }: Personalisation): Promise<CardContent> {
  const sets = knobs.pace.map(parsePaceSet);
  // Chip authentication mapping wants the chip's key on PACE's curve.
  const mapped = sets.find(({ mapping }) => mapping === "cam");
  const curve = curveById(mapped?.parameterId ?? knobs.chipCurve) as Curve;
  const keys = generateKey(curve, random);
  const cipher = knobs.chipAuthentication === "none" ? undefined : knobs.chipAuthentication;
  const facts: ChipKeyFacts | undefined = cipher && {
    cipher,
    curve,
    point: keys.point,
    encoding: knobs.chipKeyEncoding,
    keyId: knobs.chipKeyId,
  };
  const signing = knobs.activeAuthentication === "none" ? undefined : await activeAuthenticationKey(knobs.activeAuthentication);
  const damage = (name: FileName, bytes: Uint8Array): Uint8Array =>
    knobs.malformed?.file === name ? malform(bytes, knobs.malformed.how) : bytes;

  const open = [
    securityInfo.terminalAuthentication(),
    ...(facts ? [securityInfo.chipAuthentication(facts)] : []),
    ...sets.map(securityInfo.pace),
  ];
  const inside = [
    ...(knobs.paceNotInDg14 ? open.slice(0, open.length - sets.length) : open),
    ...(facts ? [securityInfo.chipPublicKey(facts)] : []),
    ...(knobs.activeAuthentication === "ecdsa-sha256" ? [securityInfo.activeAuthentication()] : []),
  ];

  const picture = await portraitImage(drawPortrait(person.id), knobs.image, knobs.imageBytes, knobs.imageDamage);
  const dg13 = dataGroup13(person, { parents: knobs.parents, oldIdField: knobs.oldIdField, shuffled: knobs.dg13Shuffled });
  const fingerprints = tlv(0x63, new Uint8Array(16));
  const groups = new Map<number, Uint8Array>([
    [1, damage("dg1", dataGroup1(person))],
    [2, damage("dg2", dataGroup2(facialRecord(picture)))],
    [3, fingerprints],
    [13, damage("dg13", dg13)],
    [14, damage("dg14", dataGroup14(inside))],
    ...(signing ? [[15, damage("dg15", dataGroup15(signing.publicKey))] as const] : []),
  ]);

  const signer = issuer.signer(knobs.signer, knobs.signature);
  const sealed = (contentType: string, content: Uint8Array): Uint8Array =>
    signedData({ contentType, content, signer, nowMs, broken: knobs.brokenSignature });
  const wrong = knobs.wrongHash && Number(knobs.wrongHash.slice(2));
  const sod = tlv(0x77, sealed("2.23.136.1.1.1", ldsSecurityObject(groups, knobs.ldsHash, wrong)));

  const files = [...groups].filter(([number]) => number !== 3).map(([number, bytes]) => [dataGroupFile(number), bytes] as const);
  return {
    masterFiles: new Map([
      ...(sets.length > 0 ? [[EF_CARD_ACCESS, damage("cardAccess", securityInfos(open))] as const] : []),
      // Signed SecurityInfos, for the key that chip authentication mapping proves (ICAO 9303-11 §9.2.11).
      ...(mapped ? [[EF_CARD_SECURITY, sealed("0.4.0.127.0.7.3.2.1", securityInfos(inside))] as const] : []),
    ]),
    applicationFiles: new Map([
      ...files,
      [EF_COM, damage("com", commonFile([...groups.keys()]))] as const,
      [EF_SOD, damage("sod", sod)] as const,
    ]),
    closedFiles: new Set([dataGroupFile(3)]),
    can: canOf(person),
    mrzKey: mrzKey(person),
    chipKey: cipher && {
      cipher: cipherOf(cipher),
      curve,
      secret: knobs.cloned ? generateKey(curve, random).secret : keys.secret,
      keyId: knobs.chipKeyId,
    },
    signingKey: knobs.cloned && signing ? await copied(signing, knobs.activeAuthentication) : signing,
  };
}

/** The same public key, and signatures of another. */
async function copied(signing: SigningKey, kind: CardKnobs["activeAuthentication"]): Promise<SigningKey> {
  return kind === "none" ? signing : { publicKey: signing.publicKey, sign: (await activeAuthenticationKey(kind)).sign };
}

export function behaviourOf(knobs: CardKnobs): ChipBehaviour {
  return {
    bac: knobs.bac,
    pace: knobs.pace.map(parsePaceSet),
    refusePace: knobs.refusePace,
    wrongKeyStatus: Number.parseInt(knobs.wrongKeyStatus, 16),
    cardAccessBySfi: knobs.cardAccessBySfi,
    selectMaster: knobs.selectMaster,
    extendedLength: knobs.extendedLength,
    leCap: knobs.leCap,
    beyondLeCap: knobs.beyondLeCap,
    chunkBytes: knobs.chunkBytes,
    slipAtCommand: knobs.slipAtCommand,
  };
}

type Malformation = NonNullable<CardKnobs["malformed"]>["how"];

function malform(bytes: Uint8Array, how: Malformation): Uint8Array {
  const tag = bytes.subarray(0, 1);
  switch (how) {
    case "truncated":
      return bytes.slice(0, Math.floor(bytes.length / 2));
    case "lyingLength":
      // The outermost length is right, those inside promise 64 KB each.
      return tlv(bytes[0] ?? 0, Uint8Array.of(0x30, 0x82, 0xff, 0xff), bytes.subarray(4));
    case "hugeLength":
      return concatBytes([tag, Uint8Array.of(0x84, 0x7f, 0xff, 0xff, 0xff), bytes.subarray(2)]);
    case "indefinite":
      return concatBytes([tag, Uint8Array.of(0x80), bytes.subarray(2), Uint8Array.of(0, 0)]);
    case "garbage":
      return bytes.map((byte, index) => (index < 4 ? byte : (byte * 5 + index * 31) & 0xff));
    case "empty":
      return asciiBytes("");
  }
}
