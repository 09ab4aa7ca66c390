import { createPublicKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readTlv, TlvError, tlv } from "../../formats/tlv.js";
import { asciiBytes, fromHex, toHex } from "../../kernel/bytes.js";
import { ecKey, name, oid, rsaKey } from "../testing/test-pki.js";
import { withDefiniteLengths } from "./ber.js";
import { integerHex, oidText, smallInteger, timeMs } from "./der.js";
import { distinguishedName } from "./distinguished-name.js";
import { importPublicKey } from "./public-key.js";

describe("DER", () => {
  it("object identifiers", () => {
    for (const dotted of ["2.23.136.1.1.1", "0.4.0.127.0.7.2.2.4.2.2", "1.2.840.113549.1.1.10", "2.999.3"]) {
      expect(oidText(oid(dotted).subarray(2))).toBe(dotted);
    }
    for (const bad of ["", "2a86", "ff".repeat(20), `2a${"01".repeat(80)}`]) expect(() => oidText(fromHex(bad)), bad).toThrow(TlvError);
  });

  it("integers", () => {
    expect(integerHex(fromHex("00f00d"))).toBe("f00d");
    expect(integerHex(fromHex("0000"))).toBe("00");
    expect(smallInteger(fromHex("0100"))).toBe(256);
    for (const bad of ["", "ff", "0000000001"]) expect(() => smallInteger(fromHex(bad)), bad).toThrow(TlvError);
  });

  it("times", () => {
    const at = (tag: number, text: string): number => timeMs({ ...readTlv(tlv(tag, asciiBytes(text))) });
    expect(at(0x17, "991231235959Z")).toBe(Date.UTC(1999, 11, 31, 23, 59, 59));
    expect(at(0x17, "4912312359Z")).toBe(Date.UTC(2049, 11, 31, 23, 59));
    expect(at(0x18, "20501231235959.5Z")).toBe(Date.UTC(2050, 11, 31, 23, 59, 59));
    for (const [tag, text] of [
      [0x17, "20201231235959Z"],
      [0x18, "991231235959Z"],
      [0x17, "991231235959+0700"],
      [0x0c, "991231235959Z"],
    ] as const) {
      expect(() => at(tag, text), text).toThrow(TlvError);
    }
  });
});

it("names are the same however they are spelled", () => {
  const keyOf = (bytes: Uint8Array): string => distinguishedName(readTlv(bytes).value).key;
  const plain = keyOf(name("Utopia CSCA"));
  expect(keyOf(name(" utopia  csca ", 0x13, "ut"))).toBe(plain);
  expect(keyOf(name("Utopia CSCA", 0x14))).toBe(plain);
  expect(keyOf(name("Utopia CSCB"))).not.toBe(plain);
  expect(keyOf(name("Utopia CSCA", 0x0c, "VN"))).not.toBe(plain);
});

it("frames of indefinite length get one, in moderation", () => {
  const nested = (levels: number): Uint8Array => fromHex("3080".repeat(levels) + "0000".repeat(levels));
  expect(toHex(withDefiniteLengths(nested(3)))).toBe("300430023000");
  expect(() => withDefiniteLengths(nested(20))).toThrow(TlvError);
  expect(() => withDefiniteLengths(fromHex(`3080${"0500".repeat(5_000)}0000`))).toThrow(TlvError);
  const der = fromHex("3003020101");
  expect(withDefiniteLengths(der)).toBe(der);
});

it("keys are of a kind and size that is accepted", () => {
  expect(importPublicKey(ecKey("brainpoolP320r1", "explicit").spki)).toMatchObject({ kind: "ec", bits: 320, label: "brainpoolP320r1" });
  expect(importPublicKey(rsaKey(1024).spki)).toMatchObject({ kind: "rsa", bits: 1024, label: "RSA 1024" });
  for (const spki of [rsaKey(768).spki, ecKey("secp256k1").spki, ecKey("secp160r1").spki, fromHex("3000"), new Uint8Array(5_000)]) {
    expect(importPublicKey(spki)).toBeUndefined();
  }
  const jwk = createPublicKey({ key: Buffer.from(rsaKey(2048).spki), format: "der", type: "spki" }).export({ format: "jwk" });
  const withExponent = (e: bigint): Uint8Array => {
    const bytes = Buffer.from(e.toString(16).padStart(18, "0"), "hex");
    return createPublicKey({ key: { ...jwk, e: bytes.toString("base64url") }, format: "jwk" }).export({ type: "spki", format: "der" });
  };
  expect(importPublicKey(withExponent(3n))).toBeDefined();
  for (const e of [1n, 65_536n, (1n << 64n) + 1n]) expect(importPublicKey(withExponent(e)), String(e)).toBeUndefined();
});

it("a curve of somebody's own making is refused", () => {
  const { spki } = ecKey("brainpoolP256r1", "explicit");
  // The generator's last byte: the equation no longer holds, or the curve has no name.
  const cofactor = toHex(spki).indexOf("020101", 200) / 2;
  const changed = Uint8Array.from(spki);
  changed[cofactor - 40] = (changed[cofactor - 40] ?? 0) ^ 1;
  expect(importPublicKey(spki)).toBeDefined();
  expect(importPublicKey(changed)).toBeUndefined();
});
