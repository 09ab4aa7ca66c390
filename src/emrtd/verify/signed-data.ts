import { readTlv, type Tlv, TlvError, tlv } from "../../formats/tlv.js";
import { concatBytes, equalBytes, toHex } from "../../kernel/bytes.js";
import { hashNamed } from "./algorithms.js";
import { withDefiniteLengths } from "./ber.js";
import { type Certificate, parseCertificate } from "./certificate.js";
import { type Algorithm, algorithmOf, elements, expect, fieldsOf, integerHex, oidText, sequence, TAG } from "./der.js";
import { distinguishedName } from "./distinguished-name.js";
import { digest, signatureVerifies } from "./signature.js";

const SIGNED_DATA = "1.2.840.113549.1.7.2";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";

const LIMITS = { certificates: 16, signers: 4, algorithms: 16, attributes: 32 } as const;

interface Signer {
  readonly names: (certificate: Certificate) => boolean;
  readonly digestOid: string;
  /** Value of signedAttrs; absent where the content itself is signed. */
  readonly attributes: Uint8Array | undefined;
  readonly algorithm: Algorithm;
  readonly signature: Uint8Array;
}

/** CMS SignedData (RFC 5652 §5) with its content inside. */
export interface SignedData {
  readonly contentType: string;
  readonly content: Uint8Array;
  readonly certificates: readonly Certificate[];
  readonly signers: readonly Signer[];
}

/** OCTET STRING, also the segmented form that some issuers' software writes (X.690 §8.7.3). */
function octets(object: Tlv): Uint8Array {
  if (object.tag !== 0x24) return expect(object, TAG.octetString).value;
  return concatBytes(elements(object.value, 1_024).map((part) => expect(part, TAG.octetString).value));
}

function parseSigner(object: Tlv): Signer {
  const fields = fieldsOf(expect(object, TAG.sequence).value);
  fields.take(TAG.integer);
  const keyId = fields.maybe(0x80, 0xa0);
  const identity = keyId ? undefined : fieldsOf(fields.take(TAG.sequence).value);
  const issuer = identity && distinguishedName(identity.take(TAG.sequence).value).key;
  const serial = identity && integerHex(identity.take(TAG.integer).value);
  // [0] IMPLICIT OCTET STRING; the explicit form occurs.
  const wanted = keyId && toHex(keyId.tag === 0xa0 ? octets(readTlv(keyId.value)) : keyId.value);
  return {
    names: (certificate) =>
      wanted === undefined ? certificate.issuer.key === issuer && certificate.serial === serial : certificate.subjectKeyId === wanted,
    digestOid: algorithmOf(fields.take(TAG.sequence)).oid,
    attributes: fields.maybe(0xa0)?.value,
    algorithm: algorithmOf(fields.take(TAG.sequence)),
    signature: octets(fields.take(TAG.octetString)),
  };
}

/** Certificates in it that cannot be read are left out. @throws TlvError for bytes that are no SignedData */
export function parseSignedData(bytes: Uint8Array): SignedData {
  const wrapper = sequence(withDefiniteLengths(bytes));
  if (oidText(wrapper.take(TAG.oid).value) !== SIGNED_DATA) throw new TlvError("no SignedData");
  const fields = sequence(wrapper.take(0xa0).value);
  fields.take(TAG.integer);
  fields.take(TAG.set);
  const encapsulated = fieldsOf(fields.take(TAG.sequence).value);
  const contentType = oidText(encapsulated.take(TAG.oid).value);
  const content = octets(readTlv(encapsulated.take(0xa0).value));
  const certificates = elements(fields.maybe(0xa0)?.value ?? new Uint8Array(), LIMITS.certificates).flatMap((object) => {
    try {
      return [parseCertificate(object.raw)];
    } catch (thrown) {
      if (thrown instanceof TlvError) return [];
      throw thrown;
    }
  });
  fields.maybe(0xa1);
  return { contentType, content, certificates, signers: elements(fields.take(TAG.set).value, LIMITS.signers).map(parseSigner) };
}

/** The one value of the one attribute of this type. */
function attribute(attributes: readonly Tlv[], oid: string): Tlv | undefined {
  const found = attributes.filter((object) => oidText(fieldsOf(object.value).take(TAG.oid).value) === oid);
  const [only] = found;
  if (found.length !== 1 || !only) return undefined;
  const fields = fieldsOf(only.value);
  fields.take(TAG.oid);
  const values = elements(fields.take(TAG.set).value, 2);
  return values.length === 1 ? values[0] : undefined;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** RFC 5652 §5.4: what is signed are the attributes as a DER SET OF, of which one is the digest of the content. */
function signerVerifies(signer: Signer, data: SignedData, certificate: Certificate): boolean {
  const hash = hashNamed(signer.digestOid);
  // Content of another type than `data` needs signed attributes (RFC 5652 §5.3).
  if (!hash || !signer.attributes) return false;
  const attributes = elements(signer.attributes, LIMITS.attributes).map((object) => expect(object, TAG.sequence));
  const type = attribute(attributes, CONTENT_TYPE);
  const content = attribute(attributes, MESSAGE_DIGEST);
  if (type?.tag !== TAG.oid || oidText(type.value) !== data.contentType) return false;
  if (content?.tag !== TAG.octetString || !equalBytes(content.value, digest(hash, data.content))) return false;
  const sorted = attributes.map((object) => object.raw).sort(compareBytes);
  const signed = { data: tlv(TAG.set, ...sorted), algorithm: signer.algorithm, signature: signer.signature };
  return signatureVerifies(signed, certificate.spki, signer.digestOid);
}

/** Signed by one of the certificates that it brings along. Says nothing about who that is. */
export interface SignatureCheck {
  readonly valid: boolean;
  /** Whoever signed, or claims to. */
  readonly signer: Certificate | undefined;
}

export function checkSignature(data: SignedData): SignatureCheck {
  let claimed: Certificate | undefined;
  for (const signer of data.signers) {
    const certificate = data.certificates.find(signer.names);
    if (!certificate) continue;
    claimed ??= certificate;
    try {
      if (signerVerifies(signer, data, certificate)) return { valid: true, signer: certificate };
    } catch (thrown) {
      if (!(thrown instanceof TlvError)) throw thrown;
    }
  }
  return { valid: false, signer: claimed };
}
