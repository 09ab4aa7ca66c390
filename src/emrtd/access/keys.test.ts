import { expect, test } from "vitest";
import { fromHex, toHex } from "../../kernel/bytes.js";
import { CIPHER_SUITES, TRIPLE_DES } from "../ciphers.js";
import { ICAO_EXAMPLES } from "../testing/icao-examples.js";
import { canKey, mrzKey } from "../testing/scripted-card.js";
import { bacKeys, checkDigit, deriveKey, deriveSessionKeys, mrzDigest, mrzInformation, passwordKey, toBytes, toNumber } from "./keys.js";

const AES_128 = CIPHER_SUITES[2] ?? TRIPLE_DES;
const upper = (bytes: Uint8Array): string => toHex(bytes).toUpperCase();
const { bac, paceGmEcdh } = ICAO_EXAMPLES;

test("MRZ information and the keys of BAC are those of Doc 9303-11 D.2", () => {
  const mrz = { documentNumber: bac.documentNumber, birthDate: bac.dateOfBirth, expiryDate: bac.dateOfExpiry };
  expect(mrzInformation(mrz)).toBe(bac.mrzInformation);
  expect(upper(mrzDigest(mrz).subarray(0, 16))).toBe(bac.kSeed);
  const keys = bacKeys(TRIPLE_DES, mrz);
  expect(upper(keys.encryption)).toBe(bac.kEnc);
  expect(upper(keys.mac)).toBe(bac.kMac);
});

test("Kπ of an MRZ is that of Doc 9303-11 G.1", () => {
  const { documentNumber, dateOfBirth, dateOfExpiry } = paceGmEcdh.mrz;
  expect(upper(passwordKey(AES_128, mrzKey(documentNumber, dateOfBirth, dateOfExpiry)))).toBe(paceGmEcdh.kPi);
});

test("document numbers: padded to nine, longer ones in full, small letters as printed", () => {
  const at = (documentNumber: string): string => mrzInformation({ documentNumber, birthDate: "690806", expiryDate: "940623" });
  expect(at("l898902c")).toBe(bac.mrzInformation);
  expect(at("D23145890734")).toBe("D231458907349" + "6908061" + "9406236");
  expect(at("AB 12")).toMatch(/^AB<12<<<<\d/);
  expect(at("L898902C<<<")).toBe(bac.mrzInformation);
  expect(checkDigit("AB2134<<<")).toBe("5");
});

test("keys that cannot be typed from a card are the caller's fault, and not shown", () => {
  const bad = { documentNumber: "L898902C", birthDate: "1969-08-06", expiryDate: "940623" };
  expect(() => mrzInformation(bad)).toThrow(expect.objectContaining({ kind: "invalid_params" }));
  expect(() => mrzInformation({ ...bad, birthDate: "690806", documentNumber: "Ữ2345" })).toThrow(
    expect.objectContaining({ kind: "invalid_params" }),
  );
  for (const can of ["", "12345", "1234567", "12345a"]) {
    expect(() => passwordKey(AES_128, canKey(can))).toThrow(expect.objectContaining({ kind: "invalid_params" }));
  }
  expect(passwordKey(AES_128, canKey("123456"))).not.toEqual(passwordKey(AES_128, canKey("123457")));
});

test("key lengths and hashes by cipher", () => {
  const secret = fromHex("00112233");
  // SHA-1 and SHA-256 of the secret and 00000001, as `sha1sum` and `sha256sum` give them.
  const sha1 = "179e1e41fbdc5e1035eb90b765f01ab2cbfe98c8";
  const sha256 = "a1f2c4ffdc489aa3b597bfa29dd6b0405f4293ff978c315a1ab8064dfb0af213";
  const derived = [2, 3, 4].map((arc) => toHex(deriveKey(CIPHER_SUITES[arc] ?? TRIPLE_DES, secret, 1)));
  expect(derived).toEqual([sha1.slice(0, 32), sha256.slice(0, 48), sha256]);
  for (const byte of Object.values(deriveSessionKeys(TRIPLE_DES, secret)).flatMap((key: Uint8Array) => [...key])) {
    expect(byte.toString(2).replaceAll("0", "").length % 2).toBe(1);
  }
});

test("numbers keep their leading zeros", () => {
  expect(toHex(toBytes(0x1234n, 4))).toBe("00001234");
  expect(toNumber(fromHex("00001234"))).toBe(0x1234n);
  expect(toNumber(new Uint8Array())).toBe(0n);
});
