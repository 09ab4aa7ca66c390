import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { asn1True, bits, integer, octets, oid, sequence, setOf, time, tlv, utf8 } from "../chip-card/der.js";

/** Validity does not depend on a clock that a test may have stopped. */
const FROM_MS = Date.UTC(2020, 0, 1);
const TO_MS = Date.UTC(2049, 11, 31);
const PAST_MS = Date.UTC(2021, 0, 1);

interface Pair {
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly key: KeyObject;
}

interface Authority extends Pair {
  readonly name: Uint8Array;
  readonly pem: string;
}

const pair = (): Pair => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  return { spki: new Uint8Array(publicKey.export({ type: "spki", format: "der" })), key: privateKey };
};
const nameOf = (commonName: string): Uint8Array => sequence(setOf(sequence(oid("2.5.4.3"), utf8(commonName))));
const pemOf = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der)
    .toString("base64")
    .replaceAll(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`;
const ECDSA_SHA256 = "1.2.840.10045.4.3.2";
const extension = (id: string, value: Uint8Array, critical = false): Uint8Array =>
  sequence(oid(`2.5.29.${id}`), ...(critical ? [asn1True()] : []), octets(value));
const keyId = (spki: Uint8Array): Uint8Array => new Uint8Array(createHash("sha1").update(spki).digest());

interface Facts {
  readonly serial: number;
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  readonly issuer: Pair & { readonly name: Uint8Array };
  readonly toMs: number;
  readonly isAuthority: boolean;
}

/** X.509 version 3 (RFC 5280 §4.1). */
function certificate({ serial, subject, spki, issuer, toMs, isAuthority }: Facts): string {
  const algorithm = sequence(oid(ECDSA_SHA256));
  const extensions = [
    extension("14", octets(keyId(spki))),
    extension("35", sequence(tlv(0x80, keyId(issuer.spki)))),
    // keyCertSign, or digitalSignature.
    extension("15", isAuthority ? bits(Uint8Array.of(0x04), 2) : bits(Uint8Array.of(0x80), 7), true),
    extension("19", sequence(...(isAuthority ? [asn1True()] : [])), true),
  ];
  const body = sequence(
    tlv(0xa0, integer(2)),
    integer(serial),
    algorithm,
    issuer.name,
    sequence(time(FROM_MS), time(toMs)),
    subject,
    spki,
    tlv(0xa3, sequence(...extensions)),
  );
  return pemOf(sequence(body, algorithm, bits(new Uint8Array(sign("sha256", body, issuer.key)))));
}

function authority(commonName: string): Authority {
  const own = { ...pair(), name: nameOf(commonName) };
  return { ...own, pem: certificate({ serial: 1, subject: own.name, spki: own.spki, issuer: own, toMs: TO_MS, isAuthority: true }) };
}

export const IDENTITIES = ["own", "foreign", "other-name", "expired"] as const;
export type Identity = (typeof IDENTITIES)[number];

export interface Certificates {
  /** PEM of the authority that signed all but the foreign one. */
  readonly authority: string;
  /** In the certificate; no DNS knows it. */
  readonly name: string;
  context(identity: Identity): SecureContext;
}

/** A fresh authority and certificates of a terminal; keys stay in memory. The rarer ones are made when they are first needed. */
export function createCertificates(poiId: string): Certificates {
  const root = authority("Invented terminal authority");
  // The form of the names of test terminals (Adyen, Protect local communications).
  const nameFor = (poi: string): string => `${poi}.test.terminal.adyen.com`;
  const made = new Map<Identity, SecureContext>();
  const make = (identity: Identity): SecureContext => {
    const issuer = identity === "foreign" ? authority("Another authority") : root;
    const subject = nameOf(nameFor(identity === "other-name" ? "V400m-999999999" : poiId));
    const { spki, key } = pair();
    const toMs = identity === "expired" ? PAST_MS : TO_MS;
    const cert = certificate({ serial: 2 + IDENTITIES.indexOf(identity), subject, spki, issuer, toMs, isAuthority: false });
    return createSecureContext({ cert, key: key.export({ type: "pkcs8", format: "pem" }), minVersion: "TLSv1.2" });
  };
  return {
    authority: root.pem,
    name: nameFor(poiId),
    context(identity) {
      const context = made.get(identity) ?? make(identity);
      made.set(identity, context);
      return context;
    },
  };
}
