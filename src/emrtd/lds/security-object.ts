import { readTlv, TlvError, unwrapTlv } from "../../formats/tlv.js";
import { algorithmOf, elements, expect, fieldsOf, sequence, smallInteger, TAG } from "../verify/der.js";
import { parseSignedData, type SignedData } from "../verify/signed-data.js";

/** Largest SOD that is looked at: real ones have 2 to 4 kB. */
const SOD_BYTES = 65_536;
const DATA_GROUPS = 16;

export const LDS_SECURITY_OBJECT = "2.23.136.1.1.1";

/** The CMS in EF.SOD (ICAO 9303-10 §4.6.2). @throws TlvError */
export function parseSod(file: Uint8Array): SignedData {
  if (file.length > SOD_BYTES) throw new TlvError("SOD too large");
  return parseSignedData(unwrapTlv(file, 0x77));
}

/** LDSSecurityObject (ICAO 9303-10 §4.6.2.3): what the state signed. */
export interface SecurityObject {
  /** Hash of the data groups, not of the signature. */
  readonly hashOid: string;
  /** By number of the data group. */
  readonly hashes: ReadonlyMap<number, Uint8Array>;
}

/** @throws TlvError */
export function parseSecurityObject(content: Uint8Array): SecurityObject {
  const fields = sequence(content);
  fields.take(TAG.integer);
  const hashOid = algorithmOf(fields.take(TAG.sequence)).oid;
  const hashes = new Map<number, Uint8Array>();
  for (const entry of elements(fields.take(TAG.sequence).value, DATA_GROUPS)) {
    const pair = fieldsOf(expect(entry, TAG.sequence).value);
    const number = smallInteger(pair.take(TAG.integer).value);
    const hash = pair.take(TAG.octetString).value;
    if (number < 1 || number > DATA_GROUPS || hashes.has(number)) throw new TlvError("data group's number");
    hashes.set(number, hash);
  }
  return { hashOid, hashes };
}

/** Numbers of the data groups that EF.SOD lists; not yet verified. Empty where it cannot be understood. */
export function listedDataGroups(file: Uint8Array): readonly number[] {
  try {
    return [...parseSecurityObject(parseSod(file).content).hashes.keys()];
  } catch (thrown) {
    if (thrown instanceof TlvError) return [];
    throw thrown;
  }
}

/** The SET's elements of a file of SecurityInfos, each in DER (ICAO 9303-11 §9.2): DG14 has an outer object, EF.CardAccess not. @throws TlvError */
export function securityInfosIn(file: Uint8Array): readonly Uint8Array[] {
  const outer = readTlv(file);
  const set = outer.tag === 0x6e ? readTlv(outer.value) : outer;
  return elements(expect(set, TAG.set).value, 64).map((info) => info.raw);
}
