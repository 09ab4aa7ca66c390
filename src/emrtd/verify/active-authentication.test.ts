import { constants, createPublicKey, privateDecrypt, sign } from "node:crypto";
import { expect, it } from "vitest";
import { tlv } from "../../formats/tlv.js";
import { concatBytes, fromHex } from "../../kernel/bytes.js";
import { ecKey, type Hash, int, iso9796, oid, rsaKey, seq, set } from "../testing/test-pki.js";
import { answersChallenge } from "./active-authentication.js";

const challenge = fromHex("0102030405060708");
const answers = (spki: Uint8Array, signature: Uint8Array, options: { asked?: Uint8Array; dg14?: Uint8Array } = {}): boolean =>
  answersChallenge(tlv(0x6f, spki), options.dg14, { challenge: options.asked ?? challenge, signature });

const key = rsaKey(2048);
const raw = (block: Uint8Array): Uint8Array => privateDecrypt({ key: key.privateKey, padding: constants.RSA_NO_PADDING }, block);
const answer = (hash: Hash, header = fromHex("6a")): Uint8Array => iso9796(key, challenge, hash, 256, raw, header);

it("verifies a published answer of a chip to a challenge of zeros (RSA-1024, SHA-1)", () => {
  const modulus =
    "cdcbdabbf93be8e8294e32b055256bbd0397735189bf75816341bb0d488d05d627991221df7d59835c76a4bb4808adeeb779e7794504e956adc2a661b46904cd" +
    "c71337dd29dddd454124ef79cfdd7bc2c21952573cefba485cc38c6bd2428809b5a31a898a6b5648caa4ed678d9743b589134b7187478996300edba16271a861";
  const signature = fromHex(
    "482e20d1edded34359c38f5e7c01203f9d6b2641cdca5c404d49adaede034c7481d781d043722587761c90468de69c6585a1e8b9c322f90e1b580eedab3f6007" +
      "d0c366cf92b4db8b41c8314929dce2be889c0129123484d2fd3d12763d2ebfd12ac8e51d7061afca1a53dedec7b9a617472a78c952ccc72467ae008e5f132994",
  );
  const jwk = { kty: "RSA", n: Buffer.from(modulus, "hex").toString("base64url"), e: "AQAB" };
  const spki = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "der" });
  expect(answers(spki, signature, { asked: new Uint8Array(8) })).toBe(true);
  expect(answers(spki, signature)).toBe(false);
});

it.each(["sha1", "sha224", "sha256", "sha384", "sha512"] as const)("by RSA with %s", (hash) => {
  expect(answers(key.spki, answer(hash))).toBe(true);
  expect(answers(key.spki, answer(hash), { asked: new Uint8Array(8) })).toBe(false);
  expect(answers(key.spki, answer(hash), { asked: new Uint8Array(7) })).toBe(false);
  expect(answers(key.spki, answer(hash).subarray(0, -1))).toBe(false);
  expect(answers(key.spki, new Uint8Array(256).fill(0xff))).toBe(false);
  expect(answers(rsaKey(1024).spki, answer(hash))).toBe(false);
});

it("by RSA needs a whole frame", () => {
  expect(answers(key.spki, answer("sha256", fromHex("6bbbbbba")))).toBe(true);
  for (const header of ["4a", "4bba", "5bba", "6b", "6bbbab", "60", "7a"])
    expect(answers(key.spki, answer("sha256", fromHex(header))), header).toBe(false);
  const padding = raw(concatBytes([fromHex("6b"), new Uint8Array(254).fill(0xbb), fromHex("bc")]));
  expect(answers(key.spki, padding)).toBe(false);
});

it.each(["prime256v1", "brainpoolP256r1", "secp384r1", "brainpoolP512r1", "secp521r1", "brainpoolP224r1", "prime192v1"])(
  "by ECDSA on %s",
  (curve) => {
    const ec = ecKey(curve);
    const hash = /192/.test(curve)
      ? "sha1"
      : /224/.test(curve)
        ? "sha224"
        : /256/.test(curve)
          ? "sha256"
          : /384/.test(curve)
            ? "sha384"
            : "sha512";
    for (const dsaEncoding of ["ieee-p1363", "der"] as const) {
      const signature = sign(hash, challenge, { key: ec.privateKey, dsaEncoding });
      expect(answers(ec.spki, signature)).toBe(true);
      expect(answers(ec.spki, signature, { asked: new Uint8Array(8) })).toBe(false);
      expect(answers(ecKey(curve).spki, signature)).toBe(false);
    }
    const other = hash === "sha1" ? "sha256" : "sha1";
    expect(answers(ec.spki, sign(other, challenge, { key: ec.privateKey, dsaEncoding: "ieee-p1363" }))).toBe(false);
  },
);

it("takes an ECDSA signature's hash from DG14", () => {
  const info = (signatureOid: string): Uint8Array => tlv(0x6e, set(seq(oid("2.23.136.1.1.5"), int(1), oid(signatureOid))));
  const ec = ecKey("brainpoolP256r1");
  const signature = sign("sha1", challenge, { key: ec.privateKey, dsaEncoding: "ieee-p1363" });
  expect(answers(ec.spki, signature, { dg14: info("0.4.0.127.0.7.1.1.4.1.1") })).toBe(true);
  expect(answers(ec.spki, signature, { dg14: info("1.2.840.10045.4.1") })).toBe(true);
  expect(answers(ec.spki, signature, { dg14: info("0.4.0.127.0.7.1.1.4.1.3") })).toBe(false);
  expect(answers(ec.spki, signature, { dg14: fromHex("6e0431020500") })).toBe(false);
});

it("refuses keys that are none, and challenges of another length", () => {
  const signature = answer("sha256");
  for (const spki of [fromHex("3000"), new Uint8Array(), ecKey("secp256k1").spki, seq(new Uint8Array(3_000))]) {
    expect(answers(spki, signature)).toBe(false);
  }
  const ec = ecKey("prime256v1");
  for (const length of [0, 7, 9, 16]) {
    const asked = new Uint8Array(length);
    expect(answers(ec.spki, sign("sha256", asked, { key: ec.privateKey, dsaEncoding: "ieee-p1363" }), { asked })).toBe(false);
  }
});
