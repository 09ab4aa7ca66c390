import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asciiBytes, concatBytes, fromHex } from "../../kernel/bytes.js";
import {
  certificate,
  ecKey,
  int,
  LDS_SECURITY_OBJECT,
  MASTER_LIST,
  name,
  pem,
  revocationList,
  rsaKey,
  seq,
  set,
  signedData,
  state,
} from "../testing/test-pki.js";
import { parseTrustFile } from "./trust-file.js";

const utopia = state({ csca: { key: ecKey("brainpoolP512r1", "explicit"), scheme: "ecdsa", hash: "sha512" } });
const other = state({ csca: { key: rsaKey(2048), scheme: "pss", hash: "sha256" } });
const signer = certificate({ ...utopia.signerSpec, extendedUsage: "2.23.136.1.1.3" });

function masterList(
  certificates: readonly Uint8Array[],
  changes: { contentType?: string; claimed?: { digest: Uint8Array } } = {},
): Uint8Array {
  const content = seq(int(0), set(...certificates));
  return signedData({
    contentType: MASTER_LIST,
    content,
    certificate: signer,
    signing: utopia.signer,
    signer: { issuer: utopia.cscaName },
    ...changes,
  });
}

const counts = (bytes: Uint8Array): [number, number, number] => {
  const { store, problems } = parseTrustFile(bytes);
  return [store.authorities.length, store.revocationLists.length, problems.length];
};
const reasonOf = (bytes: Uint8Array): string | undefined => parseTrustFile(bytes).problems[0]?.reason;

describe("a file of the trust folder", () => {
  it("may be DER or PEM, of certificates and CRLs, each counted once", () => {
    expect(counts(utopia.authority)).toEqual([1, 0, 0]);
    expect(counts(utopia.crl(["05"]))).toEqual([0, 1, 0]);
    const text = concatBytes([
      asciiBytes("0 subject=C=UT\n"),
      pem("CERTIFICATE", utopia.authority),
      pem("X509 CRL", utopia.crl()),
      pem("CERTIFICATE", other.authority),
      pem("CERTIFICATE", utopia.authority),
    ]);
    expect(counts(text)).toEqual([2, 1, 0]);
  });

  it("may be a master list, whole and signed", () => {
    const list = parseTrustFile(masterList([utopia.authority, other.authority]));
    expect(list.masterListSigner).toBe("C=UT, CN=Utopia DS 1");
    expect(list.store.authorities.map(({ sha256 }) => sha256)).toHaveLength(2);
    expect(counts(pem("CMS", masterList([utopia.authority])))).toEqual([1, 0, 0]);
    expect(reasonOf(masterList([utopia.authority], { claimed: { digest: new Uint8Array(32) } }))).toMatch(/signature is not valid/);
    expect(counts(masterList([utopia.authority], { contentType: LDS_SECURITY_OBJECT }))).toEqual([0, 0, 1]);
  });

  it("keeps what is good beside what is not", () => {
    expect(counts(masterList([utopia.authority, fromHex("3003020101"), signer]))).toEqual([1, 0, 2]);
    expect(counts(concatBytes([pem("CERTIFICATE", signer), pem("CERTIFICATE", utopia.authority)]))).toEqual([1, 0, 1]);
  });

  it("is refused with a reason and a hint", () => {
    const cases: [Uint8Array, RegExp][] = [
      [new Uint8Array(), /neither a certificate/],
      [asciiBytes("hello"), /neither a certificate/],
      [utopia.authority.subarray(0, 200), /neither a certificate/],
      [signer, /Utopia DS 1: not an authority/],
      [fromHex(`308180${"00".repeat(128)}`), /neither a whole certificate/],
      [new Uint8Array(16 * 1_048_576 + 1), /larger than 16 MB/],
      [
        revocationList({ issuer: utopia.cscaName, signing: utopia.csca, critical: "2.5.29.27" }),
        /neither a whole certificate nor a whole CRL/,
      ],
    ];
    for (const [bytes, reason] of cases) {
      const { store, problems } = parseTrustFile(bytes);
      expect(store.authorities).toEqual([]);
      expect(problems).toEqual([{ reason: expect.stringMatching(reason), hint: expect.stringMatching(/\w{3}/) }]);
    }
  });

  it("cannot write to a technician's terminal", () => {
    const evil = name("Utopia\u001b[2J\u202e");
    const { store } = parseTrustFile(
      certificate({ subject: evil, issuer: evil, key: utopia.csca.key, signing: utopia.csca, authority: true }),
    );
    expect(store.authorities[0]?.subject.text).toBe("C=UT, CN=Utopia?[2J?");
  });

  it("is never thrown back, whatever its bytes", () => {
    const files = [utopia.authority, utopia.crl(["1001"]), masterList([utopia.authority]), pem("CERTIFICATE", utopia.authority)];
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...files), flips, fc.nat(), (file, changes, cut) => {
        const changed = changes.length === 0 ? file.slice(0, cut % file.length) : file.slice();
        for (const [at, mask] of changes) changed[at % file.length] = (changed[at % file.length] ?? 0) ^ mask;
        const { store, problems } = parseTrustFile(changed);
        expect(store.authorities.length + store.revocationLists.length + problems.length).toBeGreaterThan(0);
      }),
    );
  });
});
