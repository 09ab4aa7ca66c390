import { createHash } from "node:crypto";
import { readTlv, readTlvs, TlvError } from "../../formats/tlv.js";
import { toHex } from "../../kernel/bytes.js";
import { type Algorithm, algorithmOf, elements, expect, fieldsOf, integerHex, oidText, sequence, TAG, timeMs, wholeBits } from "./der.js";
import { type DistinguishedName, distinguishedName } from "./distinguished-name.js";
import { signatureVerifies } from "./signature.js";

/** What is needed of an X.509 certificate (RFC 5280 §4.1, profile of ICAO 9303-12 §7.1). */
export interface Certificate {
  readonly raw: Uint8Array;
  readonly sha256: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Hexadecimal. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly signed: { readonly data: Uint8Array; readonly algorithm: Algorithm; readonly signature: Uint8Array };
  /** Key identifiers, hexadecimal. */
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  readonly isAuthority: boolean;
  /** Absent: for everything (RFC 5280 §4.2.1.3). */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  readonly extendedKeyUsage: readonly string[];
}

export type KeyUsage = "digitalSignature" | "keyCertSign" | "cRLSign";
const KEY_USAGE_BITS: Readonly<Record<KeyUsage, number>> = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 };

/** The largest CSCA certificates in the public master lists have 3 kB. */
const CERTIFICATE_BYTES = 16_384;
const EXTENSIONS = 64;

/** Extensions by identifier: content of extnValue. A repeated one keeps its first value. @throws TlvError */
export function extensionsOf(value: Uint8Array): Map<string, { readonly critical: boolean; readonly content: Uint8Array }> {
  const found = new Map<string, { critical: boolean; content: Uint8Array }>();
  for (const extension of elements(expect(readTlv(value), TAG.sequence).value, EXTENSIONS)) {
    const fields = fieldsOf(expect(extension, TAG.sequence).value);
    const oid = oidText(fields.take(TAG.oid).value);
    const BOOLEAN = 0x01;
    const critical = fields.maybe(BOOLEAN)?.value[0] === 0xff;
    const content = fields.take(TAG.octetString).value;
    if (!found.has(oid)) found.set(oid, { critical, content });
  }
  return found;
}

function keyUsageOf(content: Uint8Array): ReadonlySet<KeyUsage> {
  const bits = expect(readTlv(content), TAG.bitString).value.subarray(1);
  const names = Object.keys(KEY_USAGE_BITS) as KeyUsage[];
  return new Set(names.filter((name) => (bits[KEY_USAGE_BITS[name] >> 3] ?? 0) & (0x80 >> (KEY_USAGE_BITS[name] & 7))));
}

/** KeyIdentifier of an AuthorityKeyIdentifier (RFC 5280 §4.2.1.1). */
export function authorityKeyIdOf(content: Uint8Array | undefined): string | undefined {
  if (!content) return undefined;
  const id = readTlvs(expect(readTlv(content), TAG.sequence).value).find((field) => field.tag === 0x80);
  return id && toHex(id.value);
}

/** @throws TlvError for bytes that are no certificate */
export function parseCertificate(bytes: Uint8Array): Certificate {
  if (bytes.length > CERTIFICATE_BYTES) throw new TlvError("certificate too large");
  const { raw } = expect(readTlv(bytes), TAG.sequence);
  const outer = sequence(raw);
  const tbs = outer.take(TAG.sequence);
  outer.take(TAG.sequence);
  const signature = wholeBits(outer.take(TAG.bitString).value);

  const fields = fieldsOf(tbs.value);
  fields.maybe(0xa0);
  const serial = integerHex(fields.take(TAG.integer).value);
  // The signed copy of the algorithm counts, not the one beside the signature.
  const algorithm = algorithmOf(fields.take(TAG.sequence));
  const issuer = distinguishedName(fields.take(TAG.sequence).value);
  const [notBefore, notAfter] = readTlvs(fields.take(TAG.sequence).value);
  if (!notBefore || !notAfter) throw new TlvError("validity");
  const subject = distinguishedName(fields.take(TAG.sequence).value);
  const spki = fields.take(TAG.sequence).raw;
  fields.maybe(0x81, 0xa1);
  fields.maybe(0x82, 0xa2);
  const extensions = extensionsOf(fields.maybe(0xa3)?.value ?? Uint8Array.of(TAG.sequence, 0));
  const content = (oid: string): Uint8Array | undefined => extensions.get(oid)?.content;

  const subjectKeyId = content("2.5.29.14");
  const constraints = content("2.5.29.19");
  const keyUsage = content("2.5.29.15");
  const extendedKeyUsage = content("2.5.29.37");
  return {
    raw,
    sha256: createHash("sha256").update(raw).digest("hex"),
    subject,
    issuer,
    serial,
    notBeforeMs: timeMs(notBefore),
    notAfterMs: timeMs(notAfter),
    spki,
    signed: { data: tbs.raw, algorithm, signature },
    subjectKeyId: subjectKeyId && toHex(expect(readTlv(subjectKeyId), TAG.octetString).value),
    authorityKeyId: authorityKeyIdOf(content("2.5.29.35")),
    isAuthority: constraints !== undefined && sequence(constraints).maybe(0x01)?.value[0] === 0xff,
    keyUsage: keyUsage && keyUsageOf(keyUsage),
    extendedKeyUsage: extendedKeyUsage
      ? elements(expect(readTlv(extendedKeyUsage), TAG.sequence).value, EXTENSIONS).map((oid) => oidText(oid.value))
      : [],
  };
}

export const mayBeUsedFor = (certificate: Certificate, usage: KeyUsage): boolean => certificate.keyUsage?.has(usage) ?? true;

export const isWithinValidity = (certificate: Certificate, nowMs: number): boolean =>
  nowMs >= certificate.notBeforeMs && nowMs <= certificate.notAfterMs;

/** Signed by its own key: where trust can begin. A link certificate has the same name twice, but another key's signature. */
export const isSelfSigned = (certificate: Certificate): boolean =>
  certificate.subject.key === certificate.issuer.key &&
  (certificate.authorityKeyId === undefined || certificate.authorityKeyId === certificate.subjectKeyId) &&
  signatureVerifies(certificate.signed, certificate.spki);
