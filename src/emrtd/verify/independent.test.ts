import { X509Certificate } from "node:crypto";
import { ContentInfo, SignedData } from "@peculiar/asn1-cms";
import { AsnConvert } from "@peculiar/asn1-schema";
import { CertificateList } from "@peculiar/asn1-x509";
import { expect, it } from "vitest";
import { unwrapTlv } from "../../formats/tlv.js";
import { toHex } from "../../kernel/bytes.js";
import { parseDg1 } from "../lds/dg1.js";
import { listedDataGroups, parseSod } from "../lds/security-object.js";
import { BSI_DG1, BSI_DG14, BSI_SOD } from "../testing/bsi-reference.js";
import { ecKey, state } from "../testing/test-pki.js";
import type { ChipContents, FileName } from "../types.js";
import { parseCertificate } from "./certificate.js";
import { parseRevocationList } from "./revocation-list.js";
import { EMPTY_TRUST } from "./trust-store.js";
import { verifyContents } from "./verify.js";

const chip = (files: readonly [FileName, Uint8Array][]): ChipContents => ({
  access: { protocol: "bac", password: "mrz", cipher: "3des" },
  files: new Map(files),
  chipAuthentication: { state: "done", oid: "0.4.0.127.0.7.2.2.3.2.1" },
  activeAuthentication: { state: "not_asked" },
  apdus: 0,
});

it("verifies the specimen of BSI TR-03105-5", () => {
  const files: [FileName, Uint8Array][] = [
    ["sod", BSI_SOD],
    ["dg1", BSI_DG1],
    ["dg14", BSI_DG14],
  ];
  const verdicts = verifyContents(chip(files), EMPTY_TRUST, Date.parse("2014-01-01"));
  expect(verdicts).toMatchObject({ signature: "valid", hashes: { verdict: "match", mismatched: [] }, issuer: "unknown", chip: "unproven" });
  expect(verdicts.signer).toMatchObject({ subject: "C=DE, O=HJP Consulting, OU=Document Signer, CN=HJP PB DS", serial: "0142fd5cf927" });
  expect(listedDataGroups(BSI_SOD)).toEqual([1, 2, 3, 14, 4]);
  expect(parseDg1(BSI_DG1)).toMatchObject({ format: "td3", lines: [expect.stringMatching(/^P</), expect.stringMatching(/^C11T002JM4/)] });

  const altered = BSI_SOD.slice();
  altered[BSI_SOD.length - 1] = 0;
  expect(verifyContents(chip([["sod", altered]]), EMPTY_TRUST, 0).signature).toBe("invalid");
});

const utopia = state({
  csca: { key: ecKey("brainpoolP512r1", "explicit"), scheme: "ecdsa", hash: "sha512" },
  signer: { key: ecKey("brainpoolP384r1", "explicit"), scheme: "ecdsa", hash: "sha384" },
});
const sod = utopia.sod(new Map([[1, BSI_DG1]]), { signer: "key id" });

it("reads certificates as OpenSSL does", () => {
  const authority = new X509Certificate(utopia.authority);
  const ours = parseSod(sod).certificates[0];
  const theirs = new X509Certificate(ours?.raw ?? new Uint8Array());
  expect(theirs.verify(authority.publicKey)).toBe(true);
  expect(theirs.checkIssued(authority)).toBe(true);
  for (const [own, other] of [[ours, theirs] as const, [parseCertificate(utopia.authority), authority] as const]) {
    expect(own?.serial).toBe(other.serialNumber.toLowerCase());
    expect(own?.sha256).toBe(other.fingerprint256.replaceAll(":", "").toLowerCase());
    expect(own?.subject.text).toBe(other.subject.replaceAll("\n", ", "));
    expect(own?.notAfterMs).toBe(Date.parse(other.validTo));
    expect(own?.isAuthority).toBe(other.ca);
    expect(toHex(own?.spki ?? new Uint8Array())).toBe(other.publicKey.export({ type: "spki", format: "der" }).toString("hex"));
  }
});

it.each([["made here", sod] as const, ["of the specimen", BSI_SOD] as const])("reads a SOD as @peculiar/asn1-cms does: %s", (_, file) => {
  const ours = parseSod(file);
  const cms = unwrapTlv(file, 0x77);
  const theirs = AsnConvert.parse(AsnConvert.parse(cms, ContentInfo).content, SignedData);
  expect(ours.contentType).toBe(theirs.encapContentInfo.eContentType);
  expect(toHex(ours.content)).toBe(toHex(new Uint8Array(theirs.encapContentInfo.eContent?.single?.buffer ?? new ArrayBuffer(0))));
  const signer = theirs.signerInfos[0];
  expect(ours.signers[0]?.digestOid).toBe(signer?.digestAlgorithm.algorithm);
  expect(ours.signers[0]?.algorithm.oid).toBe(signer?.signatureAlgorithm.algorithm);
  expect(toHex(ours.signers[0]?.signature ?? new Uint8Array())).toBe(toHex(new Uint8Array(signer?.signature.buffer ?? new ArrayBuffer(0))));
  expect(signer?.sid.subjectKeyIdentifier === undefined).toBe(file === BSI_SOD);
});

it("reads a CRL as @peculiar/asn1-x509 does", () => {
  const crl = utopia.crl(["1001", "f00d"]);
  const ours = parseRevocationList(crl);
  const theirs = AsnConvert.parse(crl, CertificateList).tbsCertList;
  expect([...ours.revoked]).toEqual(["1001", "f00d"]);
  expect(theirs.revokedCertificates?.map((entry) => toHex(new Uint8Array(entry.userCertificate)))).toEqual(["1001", "00f00d"]);
  expect(ours.thisUpdateMs).toBe(theirs.thisUpdate.getTime().getTime());
  expect(ours.nextUpdateMs).toBe(theirs.nextUpdate?.getTime().getTime());
});
