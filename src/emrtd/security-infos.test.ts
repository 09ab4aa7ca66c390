import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { tlv } from "../formats/tlv.js";
import { concatBytes, fromHex, toHex } from "../kernel/bytes.js";
import { DeviceError } from "../kernel/errors.js";
import { choosePace } from "./access/choose-pace.js";
import { CURVES } from "./access/curve-table.js";
import { chooseChipAuthentication } from "./chip-authentication.js";
import { decodeOid, encodeOid } from "./oid.js";
import { parseSecurityInfos, securityInfosOfCardSecurity, securityInfosOfDg14 } from "./security-infos.js";
import { signatureBytes } from "./subject-public-key.js";
import { CHIP_AUTHENTICATION_MAPPING, ICAO_EXAMPLES } from "./testing/icao-examples.js";

const integer = (value: number): Uint8Array => tlv(0x02, Uint8Array.of(value));
const info = (oid: string, ...values: Uint8Array[]): Uint8Array => tlv(0x30, tlv(0x06, encodeOid(oid)), ...values);
const infos = (...entries: Uint8Array[]): Uint8Array => tlv(0x31, ...entries);
const BSI = "0.4.0.127.0.7.2.2";

test("EF.CardAccess of the citizen card", () => {
  const parsed = parseSecurityInfos(fromHex(ICAO_EXAMPLES.cccdCardAccess.hex));
  expect(parsed.all.map(({ oid }) => oid)).toEqual([`${BSI}.2`, `${BSI}.3.2.2`, `${BSI}.4.2.2`]);
  expect(parsed.pace).toMatchObject([{ agreement: "ecdh", mapping: "gm", version: 2, parameterId: 13, suite: { name: "aes-128" } }]);
  expect(parsed.chipAuthentication).toMatchObject([{ agreement: "ecdh", version: 1, suite: { name: "aes-128" } }]);
  expect(concatBytes(parsed.all.map(({ raw }) => raw))).toEqual(fromHex(ICAO_EXAMPLES.cccdCardAccess.hex).subarray(2));
});

test("chip authentication keys: standardized, named and explicit curves are the same key", () => {
  const standardized = parseSecurityInfos(fromHex(CHIP_AUTHENTICATION_MAPPING.securityInfos)).chipAuthenticationKeys;
  expect(standardized).toMatchObject([{ keyId: 13, ec: { curve: { name: "brainpoolP256r1" } } }]);
  for (const curve of CURVES) {
    for (const paramEncoding of ["named", "explicit"] as const) {
      const { publicKey } = generateKeyPairSync("ec", { namedCurve: curve.openssl, paramEncoding });
      const spki = publicKey.export({ type: "spki", format: "der" });
      const { chipAuthenticationKeys } = parseSecurityInfos(infos(info(`${BSI}.1.2`, spki)));
      // OpenSSL's own numbers of each curve, in the explicit form: the table is checked against them.
      expect(chipAuthenticationKeys[0]?.ec?.curve.name, `${curve.name} ${paramEncoding}`).toBe(curve.name);
      const point = chipAuthenticationKeys[0]?.ec?.point ?? new Uint8Array();
      expect(point.length).toBeGreaterThan(48);
      expect(toHex(spki).endsWith(toHex(point))).toBe(true);
    }
  }
});

test("explicit parameters with another generator, order or equation are no known curve", () => {
  const spki = generateKeyPairSync("ec", { namedCurve: "brainpoolP256r1", paramEncoding: "explicit" }).publicKey.export({
    type: "spki",
    format: "der",
  });
  const hex = toHex(spki);
  const { gx, n, a } = CURVES[5] ?? { gx: 0n, n: 0n, a: 0n };
  for (const number of [gx, n, a]) {
    const digits = number.toString(16);
    expect(hex).toContain(digits);
    const forged = fromHex(hex.replace(digits, `${digits.slice(0, -1)}${digits.endsWith("1") ? "2" : "1"}`));
    expect(parseSecurityInfos(infos(info(`${BSI}.1.2`, forged))).chipAuthenticationKeys[0]?.ec).toBeUndefined();
  }
});

test("keys that are off the curve are none", () => {
  const bytes = fromHex(CHIP_AUTHENTICATION_MAPPING.securityInfos);
  bytes[60] = (bytes[60] ?? 0) ^ 1;
  expect(parseSecurityInfos(bytes).chipAuthenticationKeys).toMatchObject([{ ec: undefined }]);
});

test("the strongest PACE: cipher, then curve, then mapping; never DH, version 1 or unknown parameters", () => {
  const choose = (...entries: Uint8Array[]): string | undefined => {
    const choice = choosePace(parseSecurityInfos(infos(...entries)));
    return choice && `${choice.info.mapping} ${choice.info.suite.name} ${choice.curve.name}`;
  };
  const pace = (arcs: string, parameter: number, version = 2): Uint8Array => info(`${BSI}.4.${arcs}`, integer(version), integer(parameter));
  expect(choose(pace("2.1", 12), pace("2.2", 12), pace("2.2", 16), pace("4.2", 16))).toBe("gm aes-128 brainpoolP384r1");
  expect(choose(pace("2.2", 18), pace("2.4", 12))).toBe("gm aes-256 P-256");
  expect(choose(pace("2.2", 13), pace("6.2", 13))).toBe("cam aes-128 brainpoolP256r1");
  expect(choose(pace("1.2", 0), pace("3.4", 2))).toBeUndefined();
  expect(choose(pace("2.2", 13, 1))).toBeUndefined();
  expect(choose(pace("2.2", 2), pace("2.2", 19), info(`${BSI}.4.2.2`, integer(2)))).toBeUndefined();
  // P-224 has no integrated mapping.
  expect(choose(pace("4.2", 10))).toBeUndefined();
});

test("proprietary domain parameters that are a known curve's", () => {
  const named = tlv(0x30, tlv(0x06, encodeOid("1.2.840.10045.2.1")), tlv(0x06, encodeOid("1.3.132.0.34")));
  const file = infos(info(`${BSI}.4.2.2`, integer(2), integer(40)), info(`${BSI}.4.2`, named, integer(40)));
  expect(choosePace(parseSecurityInfos(file))?.curve.name).toBe("P-384");
});

test("chip authentication: the strongest protocol that has a key, by its number", () => {
  const key = (curve: string, ...id: Uint8Array[]): Uint8Array =>
    info(`${BSI}.1.2`, generateKeyPairSync("ec", { namedCurve: curve }).publicKey.export({ type: "spki", format: "der" }), ...id);
  const choose = (...entries: Uint8Array[]) => chooseChipAuthentication(securityInfosOfDg14(tlv(0x6e, infos(...entries))));
  const two = choose(
    info(`${BSI}.3.2.1`, integer(1), integer(1)),
    info(`${BSI}.3.2.4`, integer(1), integer(2)),
    key("prime256v1", integer(1)),
    key("brainpoolP512r1", integer(2)),
  );
  expect(two).toMatchObject({ oid: `${BSI}.3.2.4`, keyId: 2, curve: { name: "brainpoolP512r1" } });
  expect(choose(key("prime256v1"))).toMatchObject({ oid: `${BSI}.3.2.1`, suite: { name: "3des" } });
  expect(choose(info(`${BSI}.3.2.2`, integer(1)))).toBeUndefined();
  expect(choose(info(`${BSI}.3.1.2`, integer(1)), info(`${BSI}.1.1`, tlv(0x30)))).toBeUndefined();
});

test("any bytes: infos, or card_error", () => {
  const parsers = [parseSecurityInfos, securityInfosOfDg14, securityInfosOfCardSecurity];
  const real = fromHex(CHIP_AUTHENTICATION_MAPPING.securityInfos);
  const touched = fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { maxLength: 4 }).map((changes) => {
    const bytes = Uint8Array.from(real);
    for (const [at, value] of changes) bytes[at] = value;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), touched), fc.constantFrom(...parsers), (bytes, parse) => {
      try {
        parse(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DeviceError);
        expect(error).toMatchObject({ kind: "card_error" });
      }
    }),
    { numRuns: 500 },
  );
  expect(() => parseSecurityInfos(infos(...Array.from({ length: 65 }, () => info("1.2.3"))))).toThrow(DeviceError);
});

test("object identifiers, both ways", () => {
  for (const oid of ["0.4.0.127.0.7.2.2.4.2.2", "2.23.136.1.1.5", "1.2.840.10045.2.1", "2.999.3"]) {
    expect(decodeOid(encodeOid(oid))).toBe(oid);
  }
  expect(toHex(encodeOid("1.2.840.10045.2.1"))).toBe("2a8648ce3d0201");
  for (const bad of ["", "80", "2a86", "2affffffffffffffffff7f"]) expect(decodeOid(fromHex(bad))).toBeUndefined();
});

test("length of an active authentication signature", () => {
  const spki = (pair: { publicKey: { export(options: { type: "spki"; format: "der" }): Buffer } }): Uint8Array =>
    pair.publicKey.export({ type: "spki", format: "der" });
  expect(signatureBytes(spki(generateKeyPairSync("rsa", { modulusLength: 1_024 })))).toBe(128);
  expect(signatureBytes(spki(generateKeyPairSync("ec", { namedCurve: "secp521r1" })))).toBe(132);
  expect(signatureBytes(Uint8Array.of(0x30, 0))).toBeUndefined();
  expect(signatureBytes(Uint8Array.of(1))).toBeUndefined();
});
