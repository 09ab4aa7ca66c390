import nexoCrypto from "@adyen/api-library/lib/src/security/nexoCrypto.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { systemRandom } from "../../../kernel/random.js";
import { Secret } from "../../../kernel/secret.js";
import { deriveKey, type SharedKey, seal, unseal } from "./envelope.js";

const PASSPHRASE = "mA1nz & fr4nkfurt~!";
const NAME = { keyIdentifier: "station-key", keyVersion: 1 };
const THEIR_KEY = { KeyIdentifier: NAME.keyIdentifier, KeyVersion: 1, AdyenCryptoVersion: 1, Passphrase: PASSPHRASE };
const HEADER = { ProtocolVersion: "3.0", MessageClass: "Service", MessageCategory: "Payment", MessageType: "Request" };
/** The maker's own library: a second reading of the same envelope. Its types hide behind CommonJS. */
interface Peer {
  new (): { decrypt(message: unknown, key: unknown): string };
  encrypt(header: unknown, json: string, key: unknown): unknown;
}
const Theirs = ((nexoCrypto as { default?: unknown }).default ?? nexoCrypto) as Peer;

let key: SharedKey;
beforeAll(async () => {
  key = await deriveKey(new Secret(PASSPHRASE), NAME);
});

const TEXTS = ["", "{}", "đ 50.000 – 🏦", JSON.stringify({ SaleToPOIRequest: { MessageHeader: HEADER } }), "x".repeat(50_000)];

describe("with the maker's library at the other end", () => {
  it.each(TEXTS)("it reads what we seal (%#)", (text) => {
    const sealed = seal(text, HEADER, key, systemRandom);
    expect(new Theirs().decrypt(JSON.parse(JSON.stringify(sealed)), THEIR_KEY)).toBe(text);
    expect(sealed.MessageHeader).toEqual(HEADER);
  });

  it.each(TEXTS)("we read what it seals (%#)", (text) => {
    expect(unseal(Theirs.encrypt(HEADER, text, THEIR_KEY), key)).toBe(text);
  });

  it("neither reads what was sealed with another passphrase", async () => {
    const other = await deriveKey(new Secret(`${PASSPHRASE}!`), NAME);
    expect(unseal(Theirs.encrypt(HEADER, "{}", { ...THEIR_KEY, Passphrase: `${PASSPHRASE}!` }), key)).toBeUndefined();
    expect(() => new Theirs().decrypt(seal("{}", HEADER, other, systemRandom), THEIR_KEY)).toThrow();
  });
});

it("seals the same text differently each time", () => {
  const [one, other] = [seal("{}", HEADER, key, systemRandom), seal("{}", HEADER, key, systemRandom)];
  expect(one.NexoBlob).not.toBe(other.NexoBlob);
  expect(one.SecurityTrailer.Hmac).toBe(other.SecurityTrailer.Hmac);
});

it.each([
  ["AdyenCryptoVersion", 2],
  ["AdyenCryptoVersion", "1"],
  ["KeyIdentifier", "other"],
  ["KeyVersion", 2],
  ["KeyVersion", "1"],
  ["Nonce", ""],
  ["Nonce", Buffer.alloc(17).toString("base64")],
  ["Hmac", ""],
  ["Hmac", Buffer.alloc(32).toString("base64")],
  ["Hmac", Buffer.alloc(31).toString("base64")],
  ["Hmac", "?"],
  ["Hmac", undefined],
])("reads nothing where %s is %s", (name, value) => {
  const sealed = seal("{}", HEADER, key, systemRandom);
  expect(unseal(sealed, key)).toBe("{}");
  expect(unseal({ ...sealed, SecurityTrailer: { ...sealed.SecurityTrailer, [name]: value } }, key)).toBeUndefined();
});

it("reads nothing where one bit was turned", () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 100 }),
      fc.constantFrom("NexoBlob", "Nonce", "Hmac"),
      fc.nat(),
      fc.nat(7),
      (text, where, at, bit) => {
        const sealed = seal(text, HEADER, key, systemRandom);
        const flip = (encoded: string): string => {
          const bytes = Buffer.from(encoded, "base64");
          bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit);
          return bytes.toString("base64");
        };
        const { SecurityTrailer: trailer, NexoBlob } = sealed;
        const damaged =
          where === "NexoBlob"
            ? { ...sealed, NexoBlob: flip(NexoBlob) }
            : { ...sealed, SecurityTrailer: { ...trailer, [where]: flip(trailer[where as "Nonce"]) } };
        expect(unseal(damaged, key)).toBeUndefined();
      },
    ),
  );
});

it("takes anything", () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString("base64"));
  const text = fc.oneof(bytes, fc.string(), fc.constant("A".repeat(600_000)));
  const trailer = fc.record({
    AdyenCryptoVersion: fc.constantFrom(1, 2),
    KeyIdentifier: fc.constantFrom(NAME.keyIdentifier, ""),
    KeyVersion: fc.constantFrom(1, 0),
    Nonce: fc.oneof(text, fc.constant(Buffer.alloc(16).toString("base64"))),
    Hmac: fc.oneof(text, fc.constant(Buffer.alloc(32).toString("base64"))),
  });
  const sealed = fc.oneof(fc.anything(), fc.record({ NexoBlob: text, SecurityTrailer: fc.oneof(trailer, fc.anything()) }));
  fc.assert(
    fc.property(sealed, (value) => {
      expect(unseal(value, key)).toBeUndefined();
    }),
  );
});

it("shows its keys to nobody", () => {
  expect(JSON.stringify(key)).toBe('{"keyIdentifier":"station-key","keyVersion":1,"material":"[secret]"}');
});
