import { expect, test } from "vitest";
import { certificate, ecKey, name, type Signing, state } from "../testing/test-pki.js";
import { parseCertificate } from "./certificate.js";
import { checkIssuer } from "./chain.js";
import { parseTrustFile } from "./trust-file.js";
import { joinTrust, type TrustStore } from "./trust-store.js";

const NOW = Date.parse("2026-06-01T00:00:00Z");
const utopia = state();
const signer = parseCertificate(certificate(utopia.signerSpec));
const trustIn = (...files: Uint8Array[]): TrustStore => joinTrust(files.map((file) => parseTrustFile(file).store));
const stale = (month: number, serials: readonly string[] = []): Uint8Array => {
  const [from, next] = [month, month + 1].map((at) => new Date(Date.UTC(2023, at, 1)).toISOString().slice(0, 19));
  return utopia.crl(serials, { from: from ?? "", next });
};
const MANY = Array.from({ length: 20 }, (_, index) => index);

test("authorities that certify each other in circles lead nowhere, and that is soon found", () => {
  const { cscaName } = utopia;
  const [a, b] = [1, 2].map((): Signing => ({ key: ecKey("prime256v1"), scheme: "ecdsa", hash: "sha256" })) as [Signing, Signing];
  const link = (of: Signing, by: Signing, serial: number): Uint8Array =>
    certificate({ subject: cscaName, issuer: cscaName, key: of.key, signing: by, authority: true, serial: `20${10 + serial}` });
  const circles = trustIn(...MANY.flatMap((serial) => [link(a, b, serial), link(b, a, serial + 30)]));
  const lost = parseCertificate(certificate({ ...utopia.signerSpec, signing: a }));
  expect(checkIssuer(lost, circles, NOW).issuer).toBe("untrusted");
});

test("no state's authority speaks for another state's documents", () => {
  const own = (country: string): ReturnType<typeof checkIssuer>["issuer"] => {
    const cscaName = name("CSCA", 0x0c, country);
    const authority = certificate({ ...utopia.signerSpec, subject: cscaName, issuer: cscaName, key: utopia.csca.key, authority: true });
    // What the signer's own certificate says of its issuer is that authority's to write.
    const issuer = name("CSCA", 0x0c, "VN");
    return checkIssuer(parseCertificate(certificate({ ...utopia.signerSpec, issuer })), trustIn(authority), NOW, "VNM").issuer;
  };
  expect(["VN", "vn", "UT"].map(own)).toEqual(["trusted", "trusted", "untrusted"]);
  expect(checkIssuer(signer, trustIn(utopia.authority), NOW, "UTO").issuer).toBe("trusted");
});

test("what is no authority issues nobody, and one that may not sign lists revokes nobody", () => {
  const { cscaName, csca } = utopia;
  const own = { subject: cscaName, issuer: cscaName, key: csca.key, signing: csca };
  const store = (changes: object): TrustStore => ({
    authorities: [parseCertificate(certificate({ ...own, ...changes }))],
    revocationLists: trustIn(utopia.crl(["1001"])).revocationLists,
  });
  expect(checkIssuer(signer, store({ authority: true }), NOW)).toMatchObject({ issuer: "trusted", revoked: "yes" });
  expect(checkIssuer(signer, store({ authority: true, usage: 0x04 }), NOW)).toMatchObject({ issuer: "trusted", revoked: "unknown" });
  expect(checkIssuer(signer, store({ usage: 0x06 }), NOW)).toMatchObject({ issuer: "untrusted" });
});

test("a certificate that only claims to have signed itself begins no chain", () => {
  const { cscaName, signer: other } = utopia;
  const claimed = ecKey("prime256v1");
  const signing: Signing = { ...other, key: { ...other.key, spki: claimed.spki } };
  const root = certificate({ subject: cscaName, issuer: cscaName, key: claimed, signing, authority: true });
  const lured = parseCertificate(certificate({ ...utopia.signerSpec, signing: { ...other, key: claimed } }));
  expect(checkIssuer(lured, trustIn(root), NOW).issuer).toBe("untrusted");
});

test("how a certificate is signed is told by what is signed, not by what stands beside", () => {
  const bytes = Buffer.from(certificate(utopia.signerSpec));
  const ecdsaWithSha256 = Buffer.from("2a8648ce3d040302", "hex");
  bytes[bytes.lastIndexOf(ecdsaWithSha256) + 7] = 4;
  expect(checkIssuer(parseCertificate(bytes), trustIn(utopia.authority), NOW).issuer).toBe("trusted");
});

test("of many lists the newest counts, wherever it stands among old ones", () => {
  const old = MANY.map((month) => stale(month));
  expect(checkIssuer(signer, trustIn(utopia.authority, ...old, utopia.crl()), NOW).revoked).toBe("no");
  expect(checkIssuer(signer, trustIn(utopia.authority, ...old, utopia.crl(["1001"])), NOW).revoked).toBe("yes");
  expect(checkIssuer(signer, trustIn(utopia.authority, ...old), NOW).revoked).toBe("unknown");
});

test("lists that others signed in the issuer's name do not crowd out its own", () => {
  const forged = MANY.map((day) => state().crl([], { from: `2026-05-${10 + day}T00:00:00` }));
  expect(checkIssuer(signer, trustIn(utopia.authority, ...forged, utopia.crl(["1001"])), NOW).revoked).toBe("yes");
  expect(checkIssuer(signer, trustIn(utopia.authority, ...forged), NOW).revoked).toBe("unknown");
});
