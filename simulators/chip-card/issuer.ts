import { digest } from "./ciphers.js";
import { asn1True, bits, integer, octets, oid, printable, sequence, setOf, time, tlv, utf8 } from "./der.js";
import { SIGNATURES, type SignatureKey, type SignatureName, signatureKey } from "./signatures.js";

/** Whose signature the card carries. */
export const SIGNERS = ["trusted", "foreign", "impostor", "revoked", "expired"] as const;
export type SignerKind = (typeof SIGNERS)[number];

export interface Signer {
  readonly key: SignatureKey;
  readonly certificate: Uint8Array;
  /** IssuerAndSerialNumber, as a CMS names its signer. */
  readonly issuerAndSerial: Uint8Array;
}

/** An invented country's signing authority (ICAO 9303-12): what goes into a trust folder, and who signs cards. */
export interface Issuer {
  readonly csca: Uint8Array;
  /** Lists every document signer of the kind `revoked`. */
  readonly crl: Uint8Array;
  /** The same one each time. */
  signer(kind: SignerKind, signature: SignatureName): Signer;
}

const DAY_MS = 24 * 3600 * 1000;
const YEAR_MS = 365 * DAY_MS;

const nameOf = (commonName: string): Uint8Array => {
  const part = (arc: number, value: Uint8Array): Uint8Array => setOf(sequence(oid(`2.5.4.${arc}`), value));
  return sequence(part(6, printable("VN")), part(10, utf8("Invented Authority")), part(3, utf8(commonName)));
};

interface Authority {
  readonly name: Uint8Array;
  readonly key: SignatureKey;
  readonly certificate: Uint8Array;
}

const keyIdentifier = ({ publicKey }: SignatureKey): Uint8Array => digest("sha1", publicKey).slice(0, 20);
const extension = (id: string, value: Uint8Array, critical = false): Uint8Array =>
  sequence(oid(`2.5.29.${id}`), ...(critical ? [asn1True()] : []), octets(value));
const authorityKeyId = (key: SignatureKey): Uint8Array => extension("35", sequence(tlv(0x80, keyIdentifier(key))));

function signed(key: SignatureKey, body: Uint8Array): Uint8Array {
  return sequence(body, key.algorithm, bits(key.sign(body)));
}

interface CertificateFacts {
  readonly serial: number;
  readonly subject: Uint8Array;
  readonly key: SignatureKey;
  readonly fromMs: number;
  readonly toMs: number;
  readonly authority: { readonly name: Uint8Array; readonly key: SignatureKey };
  readonly isAuthority: boolean;
}

/** X.509 version 3 with the extensions of ICAO 9303-12 §7.1.1. */
function certificate({ serial, subject, key, fromMs, toMs, authority, isAuthority }: CertificateFacts): Uint8Array {
  const extensions = [
    authorityKeyId(authority.key),
    extension("14", octets(keyIdentifier(key))),
    // keyCertSign and cRLSign, or digitalSignature.
    extension("15", isAuthority ? bits(Uint8Array.of(0x06), 1) : bits(Uint8Array.of(0x80), 7), true),
    ...(isAuthority ? [extension("19", sequence(asn1True(), integer(0)), true)] : []),
  ];
  const body = sequence(
    tlv(0xa0, integer(2)),
    integer(serial),
    authority.key.algorithm,
    authority.name,
    sequence(time(fromMs), time(toMs)),
    subject,
    key.publicKey,
    tlv(0xa3, sequence(...extensions)),
  );
  return signed(authority.key, body);
}

function authority(commonName: string, signature: SignatureName, nowMs: number): Authority {
  const key = signatureKey(signature);
  const name = nameOf(commonName);
  const facts = { serial: 1, subject: name, key, fromMs: nowMs - 5 * YEAR_MS, toMs: nowMs + 15 * YEAR_MS };
  return { name, key, certificate: certificate({ ...facts, authority: { name, key }, isAuthority: true }) };
}

/** Serial numbers tell the kind in their thousands. */
const serialOf = (kind: SignerKind, signature: SignatureName): number => (SIGNERS.indexOf(kind) + 1) * 1000 + SIGNATURES.indexOf(signature);

function revocationList({ name, key }: Authority, nowMs: number): Uint8Array {
  const revoked = SIGNATURES.map((signature) => sequence(integer(serialOf("revoked", signature)), time(nowMs - 30 * DAY_MS)));
  const extensions = sequence(authorityKeyId(key), extension("20", integer(7)));
  const dates = [time(nowMs - DAY_MS), time(nowMs + 90 * DAY_MS)];
  return signed(key, sequence(integer(1), key.algorithm, name, ...dates, sequence(...revoked), tlv(0xa0, extensions)));
}

const CSCA_NAME = "Test CSCA of an invented country";

/** Keys are made when they are first needed. */
export function createIssuer(signature: SignatureName, nowMs: number): Issuer {
  const own = authority(CSCA_NAME, signature, nowMs);
  const crl = revocationList(own, nowMs);
  const authorities = new Map<SignerKind, Authority>();
  const signers = new Map<string, Signer>();

  const authorityOf = (kind: SignerKind): Authority => {
    if (kind !== "foreign" && kind !== "impostor") return own;
    // The impostor bears the trusted name over a key of its own.
    const made = authorities.get(kind) ?? authority(kind === "impostor" ? CSCA_NAME : "Another CSCA", signature, nowMs);
    authorities.set(kind, made);
    return made;
  };

  const makeSigner = (kind: SignerKind, of: SignatureName): Signer => {
    const over = authorityOf(kind);
    const key = signatureKey(of);
    const serial = serialOf(kind, of);
    const [fromMs, toMs] = kind === "expired" ? [nowMs - 4 * YEAR_MS, nowMs - 30 * DAY_MS] : [nowMs - YEAR_MS, nowMs + 11 * YEAR_MS];
    const facts = { serial, subject: nameOf(`Test document signer ${serial}`), key, fromMs, toMs };
    return {
      key,
      certificate: certificate({ ...facts, authority: over, isAuthority: false }),
      issuerAndSerial: sequence(over.name, integer(serial)),
    };
  };

  return {
    csca: own.certificate,
    crl,
    signer(kind, of) {
      const name = `${kind} ${of}`;
      const signer = signers.get(name) ?? makeSigner(kind, of);
      signers.set(name, signer);
      return signer;
    },
  };
}
