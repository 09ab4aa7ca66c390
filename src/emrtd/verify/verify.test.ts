import { sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTlvs, tlv, unwrapTlv } from "../../formats/tlv.js";
import { asciiBytes, concatBytes, fromHex } from "../../kernel/bytes.js";
import {
  certificate,
  ecKey,
  type Hash,
  int,
  name,
  oid,
  pssKey,
  rsaKey,
  type Signing,
  seq,
  set,
  signedData,
  sodFile,
  state,
} from "../testing/test-pki.js";
import type { ChipContents, FileName } from "../types.js";
import { parseTrustFile } from "./trust-file.js";
import { joinTrust, type TrustStore } from "./trust-store.js";
import { verifyContents } from "./verify.js";

const NOW = Date.parse("2026-06-01T00:00:00Z");
const DG1 = tlv(0x61, tlv(0x5f1f, new Uint8Array(90).fill(0x3c)));
const PACE_INFO = seq(oid("0.4.0.127.0.7.2.2.4.2.2"), int(2), int(13));
const DG14 = tlv(0x6e, set(PACE_INFO, seq(oid("0.4.0.127.0.7.2.2.3.2.2"), int(1))));
const GROUPS = new Map([
  [1, DG1],
  [14, DG14],
]);

const trustIn = (...files: Uint8Array[]): TrustStore => joinTrust(files.map((file) => parseTrustFile(file).store));

function contents(sod: Uint8Array | undefined, changes: Partial<ChipContents> = {}, more: [FileName, Uint8Array][] = []): ChipContents {
  return {
    access: { protocol: "pace", password: "can", cipher: "aes-128" },
    cardAccess: set(PACE_INFO),
    files: new Map<FileName, Uint8Array>([...(sod ? [["sod", sod] as const] : []), ["dg1", DG1], ["dg14", DG14], ...more]),
    chipAuthentication: { state: "done", oid: "0.4.0.127.0.7.2.2.3.2.2" },
    activeAuthentication: { state: "not_asked" },
    apdus: 12,
    ...changes,
  };
}

const PROVED = {
  signature: "valid",
  hashes: { verdict: "match", mismatched: [] },
  issuer: "trusted",
  revoked: "no",
  certificateExpired: false,
  cardAccess: "confirmed",
  chip: "genuine",
};

const utopia = state();
const trusted = trustIn(utopia.authority, utopia.crl());
const judge = (sod: Uint8Array | undefined, trust = trusted, nowMs = NOW) => verifyContents(contents(sod), trust, nowMs);

describe("a card of a trusted state", () => {
  const rsa = rsaKey(2048);
  const ec = (curve: string, encoding?: "explicit"): Signing["key"] => ecKey(curve, encoding);
  const combinations: [string, Signing, Signing, Hash][] = [
    ...(["sha1", "sha224", "sha256", "sha384", "sha512"] as const).flatMap((hash): [string, Signing, Signing, Hash][] => [
      [`rsa ${hash}`, { key: rsa, scheme: "rsa", hash }, { key: rsa, scheme: "rsa", hash }, hash],
      [`ecdsa ${hash}`, { key: ec("secp384r1"), scheme: "ecdsa", hash }, { key: ec("brainpoolP384r1"), scheme: "ecdsa", hash }, "sha1"],
    ]),
    ["pss sha256", { key: rsa, scheme: "pss", hash: "sha256" }, { key: rsa, scheme: "pss", hash: "sha512", salt: 64 }, "sha256"],
    [
      "pss with all defaults",
      { key: rsa, scheme: "pss", hash: "sha1", salt: 20 },
      { key: rsa, scheme: "pss", hash: "sha1", salt: 20 },
      "sha1",
    ],
    [
      "a key's identifier as the signature's",
      { key: rsa, scheme: "rsa", hash: "sha256" },
      { key: rsa, scheme: "rsa-key-oid", hash: "sha384" },
      "sha256",
    ],
    [
      "likewise ECDSA",
      { key: rsa, scheme: "rsa", hash: "sha256" },
      { key: ec("secp521r1"), scheme: "ec-key-oid", hash: "sha512" },
      "sha256",
    ],
    ...["brainpoolP256r1", "brainpoolP512r1", "prime256v1"].map((curve): [string, Signing, Signing, Hash] => [
      `explicit ${curve}`,
      { key: ec(curve, "explicit"), scheme: "ecdsa", hash: "sha512" },
      { key: ec(curve, "explicit"), scheme: "ecdsa", hash: "sha256" },
      "sha512",
    ]),
  ];
  it.each(combinations)("is proved: %s", (_, csca, signer, hash) => {
    const own = state({ csca, signer, hash });
    expect(judge(own.sod(GROUPS), trustIn(own.authority, own.crl()))).toMatchObject(PROVED);
    // A signature of the same kind by someone else is none.
    const forged = own.sod(GROUPS, { signing: { ...signer, key: signer.scheme.startsWith("e") ? ecKey("prime256v1") : rsaKey(2048) } });
    expect(judge(forged, trustIn(own.authority))).toMatchObject({ signature: "invalid", chip: "unproven" });
  });

  it("may mask PSS with another hash, but not with another one than it says", () => {
    const key = pssKey("sha256", "sha1", 20);
    const signer: Signing = { key, scheme: "pss", hash: "sha256", salt: 20, mask: "sha1" };
    const own = state({ signer });
    expect(judge(own.sod(GROUPS), trustIn(own.authority, own.crl()))).toMatchObject(PROVED);
    expect(judge(own.sod(GROUPS, { signing: { ...signer, mask: "sha256" } })).signature).toBe("invalid");
  });

  it("may have a SOD with frames of indefinite length", () => {
    const cms = utopia.sod(GROUPS);
    const [type, inner] = readTlvs(unwrapTlv(unwrapTlv(cms, 0x77), 0x30));
    const open = (tag: number, ...parts: Uint8Array[]): Uint8Array => concatBytes([Uint8Array.of(tag, 0x80), ...parts, new Uint8Array(2)]);
    const fields = readTlvs(unwrapTlv(inner?.value ?? new Uint8Array(), 0x30)).map((field) => field.raw);
    const ber = open(0x30, type?.raw ?? new Uint8Array(), open(0xa0, open(0x30, ...fields)));
    expect(judge(tlv(0x77, ber))).toMatchObject(PROVED);
    for (const cut of [1, 4, 7, 300]) expect(judge(tlv(0x77, ber.subarray(0, -cut))).signature).toBe("invalid");
    expect(judge(tlv(0x77, fromHex("3080".repeat(5_000)))).signature).toBe("invalid");
  });

  it("is named for technicians", () => {
    expect(judge(utopia.sod(GROUPS)).signer).toMatchObject({
      subject: "C=UT, CN=Utopia DS 1",
      issuer: "C=UT, CN=Utopia CSCA",
      serial: "1001",
    });
  });

  it("may name its signer by key, sort attributes wrongly, and digest with two hashes", () => {
    expect(judge(utopia.sod(GROUPS, { signer: "key id" }))).toMatchObject(PROVED);
    expect(judge(utopia.sod(GROUPS, { unsorted: true }))).toMatchObject(PROVED);
    expect(judge(utopia.sod(GROUPS, { digest: "sha512", groupHash: "sha224" }))).toMatchObject(PROVED);
  });

  it("may spell its issuer's name another way", () => {
    const spelled = name(" utopia  csca", 0x13, "ut");
    const sod = utopia.sod(GROUPS, { certificate: certificate({ ...utopia.signerSpec, issuer: spelled }), signer: { issuer: spelled } });
    expect(judge(sod)).toMatchObject(PROVED);
  });
});

describe("a security object", () => {
  it("that is absent, no such thing, or of another type proves nothing", () => {
    expect(judge(undefined)).toMatchObject({
      signature: "missing",
      hashes: { verdict: "not_checked" },
      issuer: "unknown",
      chip: "unproven",
    });
    for (const sod of [new Uint8Array(), fromHex("7700"), fromHex("770430020500"), new Uint8Array(70_000).fill(0x30)]) {
      expect(judge(sod)).toMatchObject({
        signature: "invalid",
        hashes: { verdict: "not_checked", mismatched: [] },
        cardAccess: "not_checked",
      });
    }
    expect(judge(utopia.sod(GROUPS, { contentType: "2.23.136.1.1.2" })).signature).toBe("invalid");
  });

  it("must say in its signed attributes what it signs", () => {
    expect(judge(utopia.sod(GROUPS, { claimed: { digest: new Uint8Array(32) } })).signature).toBe("invalid");
    expect(judge(utopia.sod(GROUPS, { claimed: { type: "1.2.840.113549.1.7.1" } })).signature).toBe("invalid");
    expect(judge(utopia.sod(GROUPS, { withoutAttributes: true })).signature).toBe("invalid");
    expect(judge(utopia.sod(GROUPS, { doubled: "attribute" })).signature).toBe("invalid");
    expect(judge(utopia.sod(GROUPS, { doubled: "value" })).signature).toBe("invalid");
    expect(judge(utopia.sod(GROUPS, { signer: { issuer: utopia.cscaName, serial: "1002" } })).signature).toBe("invalid");
  });

  it("tells which data group was changed or slipped in", () => {
    const changed = utopia.sod(new Map([...GROUPS, [1, tlv(0x61, new Uint8Array(8))]]));
    expect(judge(changed)).toMatchObject({ signature: "valid", hashes: { verdict: "mismatch", mismatched: ["dg1"] }, chip: "genuine" });
    const absent = utopia.sod(new Map([[1, DG1]]));
    expect(judge(absent)).toMatchObject({ hashes: { mismatched: ["dg14"] }, chip: "failed", cardAccess: "not_checked" });
  });

  it("may list data groups that were not read", () => {
    expect(judge(utopia.sod(new Map([...GROUPS, [3, DG1]])))).toMatchObject(PROVED);
  });
});

describe("an issuer", () => {
  const sod = utopia.sod(GROUPS);

  it("is unknown, or known by a name that another key bears", () => {
    expect(judge(sod, trustIn())).toMatchObject({
      signature: "valid",
      hashes: { verdict: "match" },
      issuer: "unknown",
      revoked: "unknown",
      certificateExpired: "unknown",
      chip: "unproven",
    });
    expect(judge(sod, trustIn(state().authority))).toMatchObject({ issuer: "untrusted", chip: "unproven" });
  });

  it("does not lend its key to what is no document signer", () => {
    const as = (changes: object): unknown =>
      judge(utopia.sod(GROUPS, { certificate: certificate({ ...utopia.signerSpec, ...changes }) })).issuer;
    expect(as({})).toBe("trusted");
    expect(as({ usage: 0x06 })).toBe("untrusted");
    expect(as({ authority: true, usage: 0x86 })).toBe("untrusted");
    expect(as({ extendedUsage: "2.23.136.1.1.3" })).toBe("untrusted");
  });

  it("of another state than the MRZ's vouches for nothing", () => {
    const vietnamese = tlv(0x61, tlv(0x5f1f, asciiBytes("IDVNM".padEnd(90, "<"))));
    const listed = utopia.sod(new Map([...GROUPS, [1, vietnamese]]));
    const forged = verifyContents(contents(listed, {}, [["dg1", vietnamese]]), trusted, NOW);
    expect(forged).toMatchObject({ signature: "valid", hashes: { verdict: "match" }, issuer: "untrusted", chip: "unproven" });
  });

  it("without the right to certify certifies nobody", () => {
    const { cscaName, csca } = utopia;
    const weak = certificate({ subject: cscaName, issuer: cscaName, key: csca.key, signing: csca, authority: true, usage: 0x80 });
    expect(judge(sod, trustIn(weak)).issuer).toBe("untrusted");
  });

  it("revokes, and an old revocation still counts", () => {
    expect(judge(sod, trustIn(utopia.authority))).toMatchObject({ revoked: "unknown", chip: "genuine" });
    expect(judge(sod, trustIn(utopia.authority, utopia.crl(["1001"])))).toMatchObject({
      issuer: "trusted",
      revoked: "yes",
      chip: "unproven",
    });
    const stale = { from: "2021-01-01T00:00:00", next: "2021-02-01T00:00:00" };
    expect(judge(sod, trustIn(utopia.authority, utopia.crl([], stale))).revoked).toBe("unknown");
    expect(judge(sod, trustIn(utopia.authority, utopia.crl(["1001"], stale))).revoked).toBe("yes");
    expect(judge(sod, trustIn(utopia.authority, utopia.crl([], { next: undefined }))).revoked).toBe("unknown");
    expect(judge(sod, trustIn(utopia.authority, utopia.crl([], { from: "2026-08-01T00:00:00" }))).revoked).toBe("unknown");
  });

  it("is not heard where another signs in its name", () => {
    expect(judge(sod, trustIn(utopia.authority, state().crl(["1001"]))).revoked).toBe("unknown");
  });

  it("and its signers have certificates that end", () => {
    const ended = utopia.sod(GROUPS, { certificate: certificate({ ...utopia.signerSpec, to: "2026-05-31T23:59:59" }) });
    expect(judge(ended)).toMatchObject({ issuer: "trusted", certificateExpired: true, chip: "genuine" });
    expect(judge(ended, trustIn())).toMatchObject({ certificateExpired: true });
    const { cscaName, csca } = utopia;
    const old = certificate({
      subject: cscaName,
      issuer: cscaName,
      key: csca.key,
      signing: csca,
      authority: true,
      to: "2025-01-01T00:00:00",
    });
    expect(judge(sod, trustIn(old))).toMatchObject({ issuer: "trusted", certificateExpired: true });
  });

  it("may have a new key, which a link certificate of the old one vouches for", () => {
    const { cscaName, csca } = utopia;
    const next: Signing = { key: ecKey("brainpoolP256r1"), scheme: "ecdsa", hash: "sha256" };
    const link = certificate({ subject: cscaName, issuer: cscaName, key: next.key, signing: csca, authority: true, serial: "02" });
    const renewed = utopia.sod(GROUPS, { certificate: certificate({ ...utopia.signerSpec, signing: next }) });
    expect(judge(renewed, trustIn(utopia.authority)).issuer).toBe("untrusted");
    expect(judge(renewed, trustIn(link)).issuer).toBe("untrusted");
    expect(judge(renewed, trustIn(utopia.authority, link, utopia.crl()))).toMatchObject({ issuer: "trusted", revoked: "no" });
    expect(judge(renewed, trustIn(utopia.authority, link, utopia.crl(["02"])))).toMatchObject({ issuer: "trusted", revoked: "yes" });
  });
});

describe("the chip", () => {
  const sod = utopia.sod(GROUPS);
  const chip = (changes: Partial<ChipContents>, trust = trusted) => verifyContents(contents(sod, changes), trust, NOW).chip;

  it("is genuine only by what happened and was signed", () => {
    expect(chip({ chipAuthentication: { state: "failed" } })).toBe("failed");
    expect(chip({ chipAuthentication: { state: "not_supported" } })).toBe("not_supported");
  });

  it("that keeps back or replaces what its SOD lists is a copy without the secret keys", () => {
    const chipOf = (files: [FileName, Uint8Array][], of = sod) =>
      chip({ chipAuthentication: { state: "not_supported" }, files: new Map<FileName, Uint8Array>([["sod", of], ["dg1", DG1], ...files]) });
    expect(chipOf([])).toBe("failed");
    expect(chipOf([["dg14", tlv(0x6e, set(PACE_INFO))]])).toBe("failed");
    expect(chipOf([["dg14", DG14]])).toBe("not_supported");
    expect(chipOf([], utopia.sod(new Map([[1, DG1]])))).toBe("not_supported");
  });

  it("may prove itself in PACE by a signed EF.CardSecurity", () => {
    const cardSecurity = signedData({
      contentType: "0.4.0.127.0.7.3.2.1",
      content: set(PACE_INFO),
      certificate: certificate(utopia.signerSpec),
      signing: utopia.signer,
      signer: { issuer: utopia.cscaName },
    });
    const cam = { chipAuthentication: { state: "not_supported" }, camVerified: true } as const;
    expect(chip({ ...cam, cardSecurity })).toBe("genuine");
    expect(chip({ ...cam, cardSecurity }, trustIn())).toBe("unproven");
    expect(chip({ ...cam, cardSecurity: sod.subarray(4) })).toBe("unproven");
    expect(chip(cam)).toBe("unproven");
    expect(chip({ ...cam, camVerified: false, cardSecurity })).toBe("failed");
  });

  it("must offer in EF.CardAccess what DG14 says", () => {
    const access = (cardAccess: Uint8Array, of = sod) => verifyContents(contents(of, { cardAccess }), trusted, NOW).cardAccess;
    expect(access(set(PACE_INFO, seq(oid("0.4.0.127.0.7.2.2.4.1.1"), int(2), int(12))))).toBe("downgraded");
    expect(access(fromHex("3181"))).toBe("downgraded");
    // The stronger way taken away is the downgrade itself; what is no way of PACE need not be told in the clear.
    expect(access(set())).toBe("downgraded");
    expect(access(set(PACE_INFO), utopia.sod(GROUPS, { claimed: { digest: new Uint8Array(32) } }))).toBe("not_checked");
    const { cardAccess, ...without } = contents(sod);
    expect(cardAccess).toBeDefined();
    expect(verifyContents(without, trusted, NOW).cardAccess).toBe("not_checked");
  });
});

describe("active authentication", () => {
  const challenge = fromHex("0102030405060708");
  const ec = ecKey("brainpoolP256r1");
  const dg15 = tlv(0x6f, ec.spki);
  const answer = sign("sha256", challenge, { key: ec.privateKey, dsaEncoding: "ieee-p1363" });
  const listed = new Map([...GROUPS, [15, dg15] as const]);
  const active = (signature: Uint8Array, sod = utopia.sod(listed), trust = trusted, files: [FileName, Uint8Array][] = [["dg15", dg15]]) => {
    const asked = { activeAuthentication: { state: "answered", challenge, signature } } as const;
    return verifyContents(contents(sod, asked, files), trust, NOW).activeAuthentication;
  };

  it("is genuine by a key that a trusted state signed", () => {
    expect(active(answer)).toBe("genuine");
    expect(active(answer.map((byte) => byte ^ 1))).toBe("failed");
    expect(active(answer, utopia.sod(GROUPS))).toBe("unproven");
    expect(active(answer, utopia.sod(listed), trustIn())).toBe("unproven");
    expect(active(answer, utopia.sod(listed, { claimed: { digest: new Uint8Array(32) } }))).toBe("unproven");
    expect(active(answer, utopia.sod(listed), trusted, [])).toBe("unproven");
    const without = (state: "not_supported" | "refused", of = utopia.sod(listed), files: [FileName, Uint8Array][] = []) =>
      verifyContents(contents(of, { activeAuthentication: { state } }, files), trusted, NOW).activeAuthentication;
    // A copy has the public key, too: it hides it, or will not sign.
    expect(without("not_supported")).toBe("failed");
    expect(without("refused", undefined, [["dg15", dg15]])).toBe("failed");
    expect(without("not_supported", utopia.sod(GROUPS))).toBe("not_supported");
    expect(without("not_supported", undefined, [["dg15", dg15]])).toBe("not_supported");
  });

  it("passes on why there is none", () => {
    for (const state of ["not_asked", "not_supported", "not_possible"] as const) {
      expect(verifyContents(contents(undefined, { activeAuthentication: { state } }), trusted, NOW).activeAuthentication).toBe(state);
    }
  });
});

describe("hostile bytes", () => {
  it("are judged, never thrown back", () => {
    const explicit: Signing = { key: ecKey("brainpoolP256r1", "explicit"), scheme: "ecdsa", hash: "sha256" };
    const sods = [
      utopia.sod(GROUPS),
      state({ signer: explicit }).sod(GROUPS),
      state({ signer: { key: rsaKey(2048), scheme: "pss", hash: "sha256" } }).sod(GROUPS),
    ];
    const flipped = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 });
    let [all, valid] = [0, 0];
    fc.assert(
      fc.property(fc.constantFrom(...sods), flipped, (sod, flips) => {
        const changed = Uint8Array.from(sod);
        for (const [at, mask] of flips) changed[at % sod.length] = (changed[at % sod.length] ?? 0) ^ mask;
        const verdicts = judge(changed);
        all++;
        if (verdicts.signature === "valid") {
          valid++;
          expect(verdicts.hashes.verdict).toBe("match");
        }
        const cut = judge(concatBytes([sod.subarray(0, (flips[0]?.[0] ?? 0) % sod.length), fromHex("30840fffffff")]));
        expect(cut.signature).not.toBe("valid");
      }),
    );
    // Most of a SOD is signed; what is not are a few bytes of the frame around it.
    expect(valid).toBeLessThan(all / 2);
  });

  it("cannot make many numbers of one data group, nor more than sixteen", () => {
    const object = (numbers: readonly number[]): Uint8Array =>
      sodFile(
        signedData({
          contentType: "2.23.136.1.1.1",
          content: seq(
            int(0),
            seq(oid("2.16.840.1.101.3.4.2.1")),
            seq(...numbers.map((number) => seq(int(number), tlv(0x04, new Uint8Array(32))))),
          ),
          certificate: certificate(utopia.signerSpec),
          signing: utopia.signer,
          signer: { issuer: utopia.cscaName },
        }),
      );
    expect(judge(object([1, 2]))).toMatchObject({ signature: "valid", hashes: { verdict: "mismatch" } });
    expect(judge(object([1, 1]))).toMatchObject({ signature: "valid", hashes: { verdict: "not_checked" } });
    expect(judge(object([0]))).toMatchObject({ hashes: { verdict: "not_checked" } });
    expect(judge(object(Array.from({ length: 17 }, (_, index) => index + 1)))).toMatchObject({ hashes: { verdict: "not_checked" } });
  });
});
