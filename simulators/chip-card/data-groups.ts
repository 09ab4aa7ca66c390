import { asciiBytes } from "../../src/kernel/bytes.js";
import { type CipherName, cipherOf } from "./ciphers.js";
import { type Curve, type CurveEncoding, type Point, subjectPublicKey } from "./curves.js";
import { integer, oid, printable, sequence, setOf, tlv, utf8 } from "./der.js";
import { machineReadableZone } from "./mrz.js";
import { type PaceSet, paceOid } from "./pace.js";
import { type Person, slashed } from "./people.js";

export const dataGroup1 = (person: Person): Uint8Array => tlv(0x61, tlv(0x5f1f, asciiBytes(machineReadableZone(person))));
export const dataGroup15 = (publicKey: Uint8Array): Uint8Array => tlv(0x6f, publicKey);

/** Tags of the data groups, DG1 first (ICAO 9303-10 table 37). */
const GROUP_TAGS = [0x61, 0x75, 0x63, 0x76, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70];

/** EF.COM: versions of the file structure and of Unicode, and which groups there are. */
export function commonFile(groups: readonly number[]): Uint8Array {
  const tags = Uint8Array.from(groups, (number) => GROUP_TAGS[number - 1] ?? 0);
  return tlv(0x60, tlv(0x5f01, asciiBytes("0107")), tlv(0x5f36, asciiBytes("040000")), tlv(0x5c, tags));
}

export interface Dg13Form {
  /** One sequence of two names, or two sequences of one. */
  readonly parents: "pair" | "siblings";
  /** Which of fields 15 and 16 is the former number. */
  readonly oldIdField: 15 | 16;
  readonly shuffled: boolean;
}

/** What is Vietnamese about the card: numbered fields, each a sequence of its number and its values. */
export function dataGroup13(person: Person, { parents, oldIdField, shuffled }: Dg13Form): Uint8Array {
  const field = (number: number, ...values: readonly Uint8Array[]): Uint8Array => sequence(integer(number), ...values);
  const names = [utf8(person.father ?? ""), utf8(person.mother ?? "")];
  // A value of 16 characters whose meaning is not known.
  const unknown = printable(`0${person.id.slice(0, 3)}ABCD${person.id.slice(4)}`);
  const old = printable(person.oldId ?? "");
  const fields = [
    field(1, printable(person.id)),
    field(2, utf8(person.name)),
    field(3, printable(slashed(person.born))),
    field(4, utf8(person.sex === "male" ? "Nam" : "Nữ")),
    field(5, utf8(person.nationality)),
    field(6, utf8(person.ethnicity)),
    field(7, utf8(person.religion)),
    field(8, utf8(person.origin)),
    field(9, utf8(person.residence)),
    field(10, utf8(person.marks)),
    field(11, printable(slashed(person.issued))),
    field(12, person.expires === undefined ? utf8("Không thời hạn") : printable(slashed(person.expires))),
    field(13, ...(parents === "pair" ? [sequence(...names)] : names.map((name) => sequence(name)))),
    ...(person.spouse === undefined ? [] : [field(14, sequence(utf8(person.spouse)))]),
    field(15, oldIdField === 15 ? old : unknown),
    field(16, oldIdField === 15 ? unknown : old),
  ];
  const ordered = shuffled ? [...fields].reverse() : fields;
  return tlv(0x6d, sequence(integer(1), oid("1.0.10646.1.0.8"), tlv(0x31, ...ordered)));
}

export interface ChipKeyFacts {
  readonly cipher: CipherName;
  readonly curve: Curve;
  readonly point: Point;
  readonly encoding: CurveEncoding;
  readonly keyId: number | undefined;
}

const keyNumber = (keyId: number | undefined): Uint8Array[] => (keyId === undefined ? [] : [integer(keyId)]);

/** The members of SecurityInfos (ICAO 9303-11 §9.2), one function each. */
export const securityInfo = {
  terminalAuthentication: (): Uint8Array => sequence(oid("0.4.0.127.0.7.2.2.2"), integer(1)),
  pace: (set: PaceSet): Uint8Array => sequence(oid(paceOid(set)), integer(2), integer(set.parameterId)),
  chipAuthentication: ({ cipher, keyId }: ChipKeyFacts): Uint8Array =>
    sequence(oid(`0.4.0.127.0.7.2.2.3.2.${cipherOf(cipher).arc}`), integer(1), ...keyNumber(keyId)),
  chipPublicKey: ({ curve, point, encoding, keyId }: ChipKeyFacts): Uint8Array =>
    sequence(oid("0.4.0.127.0.7.2.2.1.2"), subjectPublicKey(curve, point, encoding), ...keyNumber(keyId)),
  /** Active authentication with ECDSA and SHA-256 (§9.2.9). */
  activeAuthentication: (): Uint8Array => sequence(oid("2.23.136.1.1.5"), integer(1), oid("0.4.0.127.0.7.1.1.4.1.3")),
};

export const securityInfos = (infos: readonly Uint8Array[]): Uint8Array => setOf(...infos);
export const dataGroup14 = (infos: readonly Uint8Array[]): Uint8Array => tlv(0x6e, securityInfos(infos));
