import { cmac } from "@noble/ciphers/aes.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../kernel/bytes.js";
import { aesCmac, CIPHER_SUITES, pad, retailMac, TRIPLE_DES, unpad } from "./ciphers.js";
import { ICAO_EXAMPLES } from "./testing/icao-examples.js";

test("AES-CMAC: the examples of RFC 4493 §4", () => {
  const key = fromHex("2b7e151628aed2a6abf7158809cf4f3c");
  const message = fromHex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
  );
  const expected: readonly (readonly [number, string])[] = [
    [0, "bb1d6929e95937287fa37d129b756746"],
    [16, "070a16b46b4d4144f79bdd9dd04a287c"],
    [40, "dfa66747de9ae63030ca32611497c827"],
    [64, "51f0bebf7e3b9d92fc49741779363cfe"],
  ];
  for (const [length, mac] of expected) expect(toHex(aesCmac(key, message.subarray(0, length)))).toBe(mac);
});

test("AES-CMAC of every key length is that of another implementation", () => {
  const keys = fc.constantFrom(16, 24, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
  fc.assert(
    fc.property(keys, fc.uint8Array({ maxLength: 100 }), (key, message) => {
      expect(toHex(aesCmac(key, message))).toBe(toHex(cmac(message, key)));
    }),
  );
});

test("retail MAC and 3DES are those of Doc 9303-11 D.3", () => {
  const { kEnc, kMac, rndIc, rndIfd, kIfd, eIfd, mIfd } = ICAO_EXAMPLES.bac;
  const cryptogram = TRIPLE_DES.encrypt(fromHex(kEnc), new Uint8Array(8), fromHex(rndIfd + rndIc + kIfd));
  expect(toHex(cryptogram).toUpperCase()).toBe(eIfd);
  expect(toHex(TRIPLE_DES.decrypt(fromHex(kEnc), new Uint8Array(8), cryptogram)).toUpperCase()).toBe(rndIfd + rndIc + kIfd);
  expect(toHex(retailMac(fromHex(kMac), pad(cryptogram, 8))).toUpperCase()).toBe(mIfd);
});

test("padding comes off as it went on, whatever the bytes and the block", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.constantFrom(8, 16), (data, block) => {
      const padded = pad(data, block);
      expect(padded.length % block).toBe(0);
      expect(padded.length - data.length).toBeLessThanOrEqual(block);
      expect(unpad(padded)).toEqual(data);
    }),
  );
  expect(unpad(new Uint8Array(16))).toBeUndefined();
  expect(unpad(Uint8Array.of(1, 2, 3))).toBeUndefined();
  expect(unpad(new Uint8Array())).toBeUndefined();
});

test("every cipher decrypts what it encrypted", () => {
  for (const suite of Object.values(CIPHER_SUITES)) {
    const key = Uint8Array.from({ length: suite.keyBytes }, (_, index) => index * 7 + 1);
    const iv = new Uint8Array(suite.blockBytes).fill(3);
    const data = pad(Uint8Array.of(1, 2, 3), suite.blockBytes);
    expect(suite.encrypt(key, iv, data)).not.toEqual(data);
    expect(suite.decrypt(key, iv, suite.encrypt(key, iv, data))).toEqual(data);
    expect(suite.mac(key, data)).toHaveLength(8);
  }
});
