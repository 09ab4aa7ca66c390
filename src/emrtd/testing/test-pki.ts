import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { tlv } from "../../formats/tlv.js";
import { asciiBytes, concatBytes, fromHex } from "../../kernel/bytes.js";

/** A state's public key infrastructure, invented: keys, certificates, CRLs, SODs and master lists, well formed or not. */

export type Hash = "sha1" | "sha224" | "sha256" | "sha384" | "sha512";
export interface Key {
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
}
/** How something is signed. */
export interface Signing {
  readonly key: Key;
  readonly scheme: "rsa" | "rsa-key-oid" | "pss" | "ecdsa" | "ec-key-oid";
  readonly hash: Hash;
  readonly salt?: number;
  /** What PSS parameters say of the mask, where it is not `hash`. */
  readonly mask?: Hash;
}

export const ecKey = (curve: string, paramEncoding: "named" | "explicit" = "named"): Key => {
  const pair = generateKeyPairSync("ec", { namedCurve: curve, paramEncoding });
  return { privateKey: pair.privateKey, spki: pair.publicKey.export({ type: "spki", format: "der" }) };
};
export const rsaKey = (modulusLength: number): Key => {
  const pair = generateKeyPairSync("rsa", { modulusLength });
  return { privateKey: pair.privateKey, spki: pair.publicKey.export({ type: "spki", format: "der" }) };
};

/** Whose SubjectPublicKeyInfo itself says RSASSA-PSS, and with which mask. */
export const pssKey = (hashAlgorithm: Hash, mgf1HashAlgorithm: Hash, saltLength: number): Key => {
  // The declared type of saltLength is a mistake: Node wants a number.
  const options = { modulusLength: 2048, hashAlgorithm, mgf1HashAlgorithm, saltLength: saltLength as unknown as string };
  const pair = generateKeyPairSync("rsa-pss", options);
  return { privateKey: pair.privateKey, spki: pair.publicKey.export({ type: "spki", format: "der" }) };
};

export const oid = (dotted: string): Uint8Array => {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tlv(0x06, Uint8Array.from(bytes));
};
export const seq = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x31, ...parts);
export const int = (value: number | string): Uint8Array =>
  tlv(0x02, typeof value === "string" ? fromHex(/^[89a-f]/.test(value) ? `00${value}` : value) : Uint8Array.of(value));
export const octets = (bytes: Uint8Array): Uint8Array => tlv(0x04, bytes);
const bits = (bytes: Uint8Array): Uint8Array => tlv(0x03, Uint8Array.of(0), bytes);
const NULL = Uint8Array.of(5, 0);

const HASH_OIDS: Record<Hash, string> = {
  sha1: "1.3.14.3.2.26",
  sha224: "2.16.840.1.101.3.4.2.4",
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
  sha512: "2.16.840.1.101.3.4.2.3",
};
const RSA_OIDS: Record<Hash, number> = { sha1: 5, sha224: 14, sha256: 11, sha384: 12, sha512: 13 };
const ECDSA_OIDS: Record<Hash, string> = { sha1: "1", sha224: "3.1", sha256: "3.2", sha384: "3.3", sha512: "3.4" };

export const hashAlgorithm = (hash: Hash): Uint8Array => seq(oid(HASH_OIDS[hash]), NULL);

function algorithm({ scheme, hash, salt = 32, mask = hash }: Signing): Uint8Array {
  if (scheme === "rsa") return seq(oid(`1.2.840.113549.1.1.${RSA_OIDS[hash]}`), NULL);
  if (scheme === "rsa-key-oid") return seq(oid("1.2.840.113549.1.1.1"), NULL);
  if (scheme === "ecdsa") return seq(oid(`1.2.840.10045.4.${ECDSA_OIDS[hash]}`));
  if (scheme === "ec-key-oid") return seq(oid("1.2.840.10045.2.1"));
  const generator = seq(oid("1.2.840.113549.1.1.8"), hashAlgorithm(mask));
  // RFC 8017 §A.2.3: the defaults are SHA-1 and a salt of 20, and DER leaves defaults out.
  const fields = hash === "sha1" && salt === 20 ? [] : [tlv(0xa0, hashAlgorithm(hash)), tlv(0xa1, generator), tlv(0xa2, int(salt))];
  return seq(oid("1.2.840.113549.1.1.10"), seq(...fields));
}

function signature({ key, scheme, hash, salt = 32 }: Signing, data: Uint8Array): Uint8Array {
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: salt };
  return sign(hash, data, { key: key.privateKey, ...(scheme === "pss" ? pss : {}) });
}

/** Names: country and common name. A lower-case or otherwise typed name is the same one to a reader. */
export const name = (commonName: string, type = 0x0c, country = "UT"): Uint8Array =>
  seq(set(seq(oid("2.5.4.6"), tlv(0x13, asciiBytes(country)))), set(seq(oid("2.5.4.3"), tlv(type, new TextEncoder().encode(commonName)))));

const time = (iso: string): Uint8Array => tlv(0x18, asciiBytes(`${iso.replaceAll(/[-:T]/g, "").slice(0, 14)}Z`));

const keyId = (spki: Uint8Array): Uint8Array => createHash("sha1").update(spki).digest();

export interface CertificateSpec {
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  readonly key: Key;
  readonly signing: Signing;
  readonly serial?: string;
  readonly from?: string;
  readonly to?: string;
  readonly authority?: boolean;
  /** First byte of keyUsage: 80 digitalSignature, 06 keyCertSign and cRLSign. */
  readonly usage?: number;
  readonly extendedUsage?: string;
}

export function certificate(spec: CertificateSpec): Uint8Array {
  const { subject, issuer, key, signing, serial = "1001", from = "2020-01-01T00:00:00", to = "2040-01-01T00:00:00" } = spec;
  const extension = (id: string, content: Uint8Array): Uint8Array => seq(oid(id), octets(content));
  const extensions = seq(
    extension("2.5.29.14", octets(keyId(key.spki))),
    extension("2.5.29.35", seq(tlv(0x80, keyId(signing.key.spki)))),
    extension("2.5.29.15", tlv(0x03, Uint8Array.of(1, spec.usage ?? (spec.authority ? 0x06 : 0x80)))),
    ...(spec.authority ? [extension("2.5.29.19", seq(Uint8Array.of(1, 1, 0xff), int(0)))] : []),
    ...(spec.extendedUsage === undefined ? [] : [extension("2.5.29.37", seq(oid(spec.extendedUsage)))]),
  );
  const tbs = seq(
    tlv(0xa0, int(2)),
    int(serial),
    algorithm(signing),
    issuer,
    seq(time(from), time(to)),
    subject,
    key.spki,
    tlv(0xa3, extensions),
  );
  return seq(tbs, algorithm(signing), bits(signature(signing, tbs)));
}

export function revocationList(spec: {
  readonly issuer: Uint8Array;
  readonly signing: Signing;
  readonly serials?: readonly string[];
  readonly from?: string;
  readonly next?: string | undefined;
  readonly critical?: string;
}): Uint8Array {
  const { issuer, signing, serials = [], from = "2026-01-01T00:00:00", critical } = spec;
  const next = "next" in spec ? spec.next : "2026-12-31T00:00:00";
  const entries = serials.map((serial) => seq(int(serial), time(from)));
  const extensions = critical === undefined ? [] : [seq(oid(critical), Uint8Array.of(1, 1, 0xff), octets(int(1)))];
  const tbs = seq(
    int(1),
    algorithm(signing),
    issuer,
    time(from),
    ...(next === undefined ? [] : [time(next)]),
    ...(entries.length > 0 ? [seq(...entries)] : []),
    ...(extensions.length > 0 ? [tlv(0xa0, seq(...extensions))] : []),
  );
  return seq(tbs, algorithm(signing), bits(signature(signing, tbs)));
}

export interface SignedDataSpec {
  readonly contentType: string;
  readonly content: Uint8Array;
  readonly certificate: Uint8Array;
  readonly signing: Signing;
  readonly signer: { readonly issuer: Uint8Array; readonly serial?: string } | "key id";
  /** Of the content, in the attributes; as the signature's where absent. */
  readonly digest?: Hash;
  /** What the attributes claim instead of the truth. */
  readonly claimed?: { readonly type?: string; readonly digest?: Uint8Array };
  /** Attributes stand in the wrong order; they are signed in the right one. */
  readonly unsorted?: boolean;
  readonly withoutAttributes?: boolean;
  /** The digest is told twice, and signed so: as two attributes, or as two values of one. */
  readonly doubled?: "attribute" | "value";
}

const sorted = (parts: readonly Uint8Array[]): Uint8Array[] => [...parts].sort((a, b) => Buffer.compare(a, b));

export function signedData(spec: SignedDataSpec): Uint8Array {
  const { contentType, content, signing, signer, claimed = {} } = spec;
  const digestHash = spec.digest ?? signing.hash;
  const digest = octets(claimed.digest ?? createHash(digestHash).update(content).digest());
  const digestOf = (...values: readonly Uint8Array[]): Uint8Array => seq(oid("1.2.840.113549.1.9.4"), set(...values));
  const attributes = sorted([
    seq(oid("1.2.840.113549.1.9.3"), set(oid(claimed.type ?? contentType))),
    ...(spec.doubled === "value" ? [digestOf(digest, digest)] : [digestOf(digest)]),
    ...(spec.doubled === "attribute" ? [digestOf(digest)] : []),
    seq(oid("1.2.840.113549.1.9.5"), set(time("2021-05-05T10:00:00"))),
  ]);
  const identifier = signer === "key id" ? tlv(0x80, keyId(signing.key.spki)) : seq(signer.issuer, int(signer.serial ?? "1001"));
  const stored = spec.unsorted ? [...attributes].reverse() : attributes;
  const signerInfo = seq(
    int(signer === "key id" ? 3 : 1),
    identifier,
    hashAlgorithm(digestHash),
    ...(spec.withoutAttributes ? [] : [tlv(0xa0, ...stored)]),
    algorithm(signing),
    octets(signature(signing, spec.withoutAttributes ? content : set(...attributes))),
  );
  const data = seq(
    int(3),
    set(hashAlgorithm(digestHash)),
    seq(oid(contentType), tlv(0xa0, octets(content))),
    tlv(0xa0, spec.certificate),
    set(signerInfo),
  );
  return seq(oid("1.2.840.113549.1.7.2"), tlv(0xa0, data));
}

export const LDS_SECURITY_OBJECT = "2.23.136.1.1.1";
export const MASTER_LIST = "2.23.136.1.1.2";

/** LDSSecurityObject over whole files, by number of the data group. */
export function securityObject(files: ReadonlyMap<number, Uint8Array>, hash: Hash): Uint8Array {
  const hashes = [...files].map(([number, file]) => seq(int(number), octets(createHash(hash).update(file).digest())));
  return seq(int(0), hashAlgorithm(hash), seq(...hashes));
}

export const sodFile = (cms: Uint8Array): Uint8Array => tlv(0x77, cms);

export const pem = (label: string, der: Uint8Array): Uint8Array => {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return asciiBytes(`-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`);
};

/** A state with one authority and one document signer, all by default well. */
export function state(options: { readonly csca?: Signing; readonly signer?: Signing; readonly hash?: Hash } = {}) {
  const csca = options.csca ?? { key: ecKey("prime256v1"), scheme: "ecdsa", hash: "sha256" };
  const signer = options.signer ?? { key: ecKey("prime256v1"), scheme: "ecdsa", hash: "sha256" };
  const cscaName = name("Utopia CSCA");
  const authority = certificate({ subject: cscaName, issuer: cscaName, key: csca.key, signing: csca, serial: "01", authority: true });
  const signerSpec: CertificateSpec = { subject: name("Utopia DS 1"), issuer: cscaName, key: signer.key, signing: csca };
  return {
    csca,
    cscaName,
    authority,
    signer,
    signerSpec,
    sod(files: ReadonlyMap<number, Uint8Array>, changes: Partial<SignedDataSpec> & { readonly groupHash?: Hash } = {}): Uint8Array {
      const { groupHash = options.hash ?? "sha256", ...spec } = changes;
      return sodFile(
        signedData({
          contentType: LDS_SECURITY_OBJECT,
          content: securityObject(files, groupHash),
          certificate: certificate(signerSpec),
          signing: signer,
          signer: { issuer: cscaName },
          ...spec,
        }),
      );
    },
    crl: (serials: readonly string[] = [], changes: { readonly from?: string; readonly next?: string | undefined } = {}): Uint8Array =>
      revocationList({ issuer: cscaName, signing: csca, serials, ...changes }),
  };
}

/** ISO 9796-2 scheme 1 with partial recovery, as a chip of active authentication makes it. */
export function iso9796(
  key: Key,
  challenge: Uint8Array,
  hash: Hash,
  bytes: number,
  decrypt: (block: Uint8Array) => Uint8Array,
  header: Uint8Array = Uint8Array.of(0x6a),
): Uint8Array {
  const trailers: Record<Hash, string> = { sha1: "bc", sha224: "38cc", sha256: "34cc", sha384: "36cc", sha512: "35cc" };
  const trailer = fromHex(trailers[hash]);
  const length = bytes - header.length - createHash(hash).digest().length - trailer.length;
  const recoverable = createHash("shake256", { outputLength: length }).update(key.spki).digest();
  const hashed = createHash(hash).update(recoverable).update(challenge).digest();
  return decrypt(concatBytes([header, recoverable, hashed, trailer]));
}
