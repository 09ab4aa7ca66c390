import { findTlv, readTlvs, type Tlv, TlvError, unwrapTlv } from "../formats/tlv.js";
import type { CurveConstants } from "./access/curve-table.js";
import { CIPHER_SUITES, type CipherSuite } from "./ciphers.js";
import { decodeOid } from "./oid.js";
import { malformed } from "./status.js";
import { curveOfAlgorithm, decodeEcPublicKey } from "./subject-public-key.js";

/** One SecurityInfo as it stands in the file (ICAO 9303-11 §9.2): what the downgrade check compares. */
export interface SecurityInfo {
  readonly oid: string;
  readonly raw: Uint8Array;
}

export interface PaceInfo extends SecurityInfo {
  /** `dh`: not elliptic; this reader has none of it. */
  readonly agreement: "ecdh" | "dh";
  readonly mapping: "gm" | "im" | "cam";
  readonly suite: CipherSuite;
  readonly version: number;
  readonly parameterId: number | undefined;
}

/** Domain parameters that are no standardized ones; `curve` where they are those of a known curve after all. */
export interface PaceDomainParameterInfo extends SecurityInfo {
  readonly curve: CurveConstants | undefined;
  readonly parameterId: number | undefined;
}

export interface ChipAuthenticationInfo extends SecurityInfo {
  readonly agreement: "ecdh" | "dh";
  readonly suite: CipherSuite;
  readonly version: number;
  readonly keyId: number | undefined;
}

export interface ChipAuthenticationKey extends SecurityInfo {
  readonly agreement: "ecdh" | "dh";
  /** Known curve and uncompressed point on it; undefined where this reader does not know the curve, or the key is not on it. */
  readonly ec: { readonly curve: CurveConstants; readonly point: Uint8Array } | undefined;
  readonly keyId: number | undefined;
}

export interface ActiveAuthenticationInfo extends SecurityInfo {
  /** Object identifier of the plain ECDSA signature (BSI TR-03111 §5.2.1). */
  readonly signatureOid: string;
}

export interface SecurityInfos {
  /** Every one, in the order of the file, those included that this reader does not know. */
  readonly all: readonly SecurityInfo[];
  readonly pace: readonly PaceInfo[];
  readonly paceDomainParameters: readonly PaceDomainParameterInfo[];
  readonly chipAuthentication: readonly ChipAuthenticationInfo[];
  readonly chipAuthenticationKeys: readonly ChipAuthenticationKey[];
  readonly activeAuthentication: readonly ActiveAuthenticationInfo[];
}

const SET = 0x31;
const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const EXPLICIT_0 = 0xa0;

/** Real files have fewer than ten. */
const MOST_INFOS = 64;

const BSI = "0.4.0.127.0.7.2.2";
const ID_PK_DH = `${BSI}.1.1`;
const ID_PK_ECDH = `${BSI}.1.2`;
const ID_AA = "2.23.136.1.1.5";

/** Last arc but one → key agreement and mapping of PACE (ICAO 9303-11 §9.2.4). */
const PACE_FAMILIES: Readonly<Record<string, Pick<PaceInfo, "agreement" | "mapping">>> = {
  1: { agreement: "dh", mapping: "gm" },
  2: { agreement: "ecdh", mapping: "gm" },
  3: { agreement: "dh", mapping: "im" },
  4: { agreement: "ecdh", mapping: "im" },
  6: { agreement: "ecdh", mapping: "cam" },
};

/** Numbers of these files are small: versions and references. */
function smallInteger(object: Tlv | undefined): number | undefined {
  if (object?.tag !== INTEGER || object.value.length === 0 || object.value.length > 4 || (object.value[0] ?? 0) > 0x7f) return undefined;
  return object.value.reduce((number, byte) => number * 256 + byte, 0);
}

type Known = Partial<{ -readonly [Key in keyof Omit<SecurityInfos, "all">]: SecurityInfos[Key][number] }>;

/** What this reader knows of one SecurityInfo; nothing where it knows none of it. */
function recognise(info: SecurityInfo, required: Tlv | undefined, optional: Tlv | undefined): Known {
  const { oid } = info;
  const family = /^0\.4\.0\.127\.0\.7\.2\.2\.(3|4)\.(\d+)(?:\.(\d+))?$/.exec(oid);
  if (family) {
    const [, protocol, group = "", last] = family;
    const suite = last === undefined ? undefined : CIPHER_SUITES[Number(last)];
    const mapping = PACE_FAMILIES[group];
    if (protocol === "4" && mapping && last === undefined) {
      const algorithm = required?.tag === SEQUENCE ? required : undefined;
      return {
        paceDomainParameters: { ...info, curve: algorithm && curveOfAlgorithm(algorithm.value), parameterId: smallInteger(optional) },
      };
    }
    const version = smallInteger(required);
    if (!suite || version === undefined) return {};
    if (protocol === "4" && mapping) return { pace: { ...info, ...mapping, suite, version, parameterId: smallInteger(optional) } };
    if (protocol === "3" && (group === "1" || group === "2")) {
      const agreement = group === "1" ? "dh" : "ecdh";
      return { chipAuthentication: { ...info, agreement, suite, version, keyId: smallInteger(optional) } };
    }
    return {};
  }
  if (oid === ID_PK_DH || oid === ID_PK_ECDH) {
    if (required?.tag !== SEQUENCE) return {};
    const agreement = oid === ID_PK_DH ? "dh" : "ecdh";
    const ec = agreement === "ecdh" ? decodeEcPublicKey(required.value) : undefined;
    return { chipAuthenticationKeys: { ...info, agreement, ec, keyId: smallInteger(optional) } };
  }
  if (oid === ID_AA && optional?.tag === OBJECT_IDENTIFIER) {
    const signatureOid = decodeOid(optional.value);
    if (signatureOid !== undefined) return { activeAuthentication: { ...info, signatureOid } };
  }
  return {};
}

/**
 * SecurityInfos, a DER SET OF, as EF.CardAccess is one (ICAO 9303-11 §9.2). An entry that this reader does not understand
 * is kept in `all` only.
 * @throws DeviceError `card_error`
 */
export function parseSecurityInfos(bytes: Uint8Array): SecurityInfos {
  const all: SecurityInfo[] = [];
  const lists = {
    pace: [] as PaceInfo[],
    paceDomainParameters: [] as PaceDomainParameterInfo[],
    chipAuthentication: [] as ChipAuthenticationInfo[],
    chipAuthenticationKeys: [] as ChipAuthenticationKey[],
    activeAuthentication: [] as ActiveAuthenticationInfo[],
  };
  const entries = inTlv("list of security protocols", () => readTlvs(unwrapTlv(bytes, SET)));
  if (entries.length > MOST_INFOS) throw malformed("list of security protocols: too many");
  for (const entry of entries) {
    const [identifier, required, optional] = entry.tag === SEQUENCE ? inTlv("security protocol", () => readTlvs(entry.value)) : [];
    const oid = identifier?.tag === OBJECT_IDENTIFIER ? decodeOid(identifier.value) : undefined;
    if (oid === undefined) throw malformed("security protocol");
    const info = { oid, raw: entry.raw };
    all.push(info);
    const known = recognise(info, required, optional);
    if (known.pace) lists.pace.push(known.pace);
    if (known.paceDomainParameters) lists.paceDomainParameters.push(known.paceDomainParameters);
    if (known.chipAuthentication) lists.chipAuthentication.push(known.chipAuthentication);
    if (known.chipAuthenticationKeys) lists.chipAuthenticationKeys.push(known.chipAuthenticationKeys);
    if (known.activeAuthentication) lists.activeAuthentication.push(known.activeAuthentication);
  }
  return { all, ...lists };
}

/** Of DG14, which wraps them (ICAO 9303-10 §4.7.14). @throws DeviceError `card_error` */
export function securityInfosOfDg14(file: Uint8Array): SecurityInfos {
  return parseSecurityInfos(inTlv("DG14", () => unwrapTlv(file, 0x6e)));
}

/**
 * Of EF.CardSecurity, which signs them (CMS SignedData, RFC 5652 §5.1). The signature is not looked at.
 * @throws DeviceError `card_error`
 */
export function securityInfosOfCardSecurity(file: Uint8Array): SecurityInfos {
  return parseSecurityInfos(
    inTlv("EF.CardSecurity", () => {
      const contentInfo = readTlvs(unwrapTlv(file, SEQUENCE));
      const signedData = readTlvs(unwrapTlv(findTlv(contentInfo, EXPLICIT_0) ?? new Uint8Array(), SEQUENCE));
      const encapsulated = readTlvs(findTlv(signedData, SEQUENCE) ?? new Uint8Array());
      return unwrapTlv(findTlv(encapsulated, EXPLICIT_0) ?? new Uint8Array(), OCTET_STRING);
    }),
  );
}

function inTlv<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof TlvError) throw malformed(what, error);
    throw error;
  }
}
