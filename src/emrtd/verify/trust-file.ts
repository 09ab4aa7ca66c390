import { readTlv, TlvError } from "../../formats/tlv.js";
import { type Certificate, parseCertificate } from "./certificate.js";
import { elements, expect, sequence, TAG } from "./der.js";
import { parseRevocationList } from "./revocation-list.js";
import { checkSignature, parseSignedData } from "./signed-data.js";
import { EMPTY_TRUST, joinTrust, type TrustStore } from "./trust-store.js";

/** The largest public master list has 1 MB, the largest CRLs stay below that. */
export const TRUST_FILE_BYTES = 16 * 1_048_576;
const AUTHORITIES = 4_096;
const PEM_BLOCKS = 4_096;

const MASTER_LIST = "2.23.136.1.1.2";

export interface TrustProblem {
  readonly reason: string;
  /** What an operator can do about it. */
  readonly hint: string;
}

export interface TrustFile {
  readonly store: TrustStore;
  /** Of single entries, or of the whole file: then the store is empty. */
  readonly problems: readonly TrustProblem[];
  /** Who signed the ICAO master list; its own signature is valid, else nothing of it is taken. */
  readonly masterListSigner?: string;
}

const refused = (reason: string, hint: string): TrustFile => ({ store: EMPTY_TRUST, problems: [{ reason, hint }] });

const NOT_TRUST = refused(
  "neither a certificate, nor a CRL, nor an ICAO master list",
  "Put PEM or DER files of CSCA certificates, CRLs and master lists here; remove others",
);

export const TOO_LARGE = refused("larger than 16 MB", "Remove the file: no certificate, CRL or master list is so large");

/** Undefined where the certificate can begin a chain or link one. Its key is not looked at: 500 of them take half a second. */
function objection(certificate: Certificate): TrustProblem | undefined {
  const name = certificate.subject.text;
  if (!certificate.isAuthority) {
    return { reason: `${name}: not an authority's certificate`, hint: "Trust the CSCA that issued it, not a document signer" };
  }
  return undefined;
}

function fromCertificates(encoded: readonly Uint8Array[]): TrustFile {
  const authorities: Certificate[] = [];
  const problems: TrustProblem[] = [];
  for (const [index, bytes] of encoded.entries()) {
    const certificate = attempt(() => parseCertificate(bytes));
    const problem = certificate
      ? objection(certificate)
      : { reason: `certificate ${index + 1} is damaged`, hint: "Get the file again from where it came" };
    if (problem) problems.push(problem);
    else if (certificate) authorities.push(certificate);
  }
  return { store: { authorities, revocationLists: [] }, problems };
}

/** CscaMasterList (ICAO 9303-12 §9): trusted because the operator put it here; its signature tells whether it is whole. */
function fromMasterList(bytes: Uint8Array): TrustFile {
  const data = parseSignedData(bytes);
  if (data.contentType !== MASTER_LIST) return NOT_TRUST;
  const { valid, signer } = checkSignature(data);
  if (!valid) return refused("the master list's own signature is not valid", "The file is damaged or was changed: get it again");
  const fields = sequence(data.content);
  fields.take(TAG.integer);
  const certificates = elements(fields.take(TAG.set).value, AUTHORITIES).map((certificate) => certificate.raw);
  return { ...fromCertificates(certificates), ...(signer && { masterListSigner: signer.subject.text }) };
}

function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (thrown) {
    if (thrown instanceof TlvError) return undefined;
    throw thrown;
  }
}

/** By its structure: SEQUENCE { OID … } is CMS; certificate and CRL differ inside. */
function fromDer(bytes: Uint8Array): TrustFile {
  if (attempt(() => expect(readTlv(bytes), TAG.sequence)) === undefined) return NOT_TRUST;
  if (attempt(() => sequence(bytes).take(TAG.oid))) {
    return attempt(() => fromMasterList(bytes)) ?? refused("the master list is damaged", "Get the file again from where it came");
  }
  const list = attempt(() => parseRevocationList(bytes));
  if (list) return { store: { authorities: [], revocationLists: [list] }, problems: [] };
  if (attempt(() => parseCertificate(bytes))) return fromCertificates([bytes]);
  return refused("neither a whole certificate nor a whole CRL", "Get the file again from where it came; partial (delta) CRLs are not used");
}

/** Every block of a PEM file (RFC 7468); text around them is ignored. */
function pemBlocks(text: string): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (const match of text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,32})-----([A-Za-z0-9+/=\s]*)-----END \1-----/g)) {
    blocks.push(new Uint8Array(Buffer.from(match[2] ?? "", "base64")));
    if (blocks.length > PEM_BLOCKS) break;
  }
  return blocks;
}

/**
 * Certificates and CRLs of one file of the trust folder: PEM (several), DER, or an ICAO master list (CMS). What cannot be
 * used is told as a problem, never thrown.
 */
export function parseTrustFile(bytes: Uint8Array): TrustFile {
  if (bytes.length > TRUST_FILE_BYTES) return TOO_LARGE;
  // DER of that size has a long length; text may well begin with the character 0.
  if (bytes[0] === TAG.sequence && (bytes[1] ?? 0) >= 0x80) return fromDer(bytes);
  const blocks = pemBlocks(new TextDecoder("latin1").decode(bytes));
  if (blocks.length === 0) return NOT_TRUST;
  const files = blocks.map(fromDer);
  const signer = files.find((file) => file.masterListSigner !== undefined)?.masterListSigner;
  return {
    store: joinTrust(files.map((file) => file.store)),
    problems: files.flatMap((file) => file.problems),
    ...(signer !== undefined && { masterListSigner: signer }),
  };
}
