import { createHash } from "node:crypto";
import { readTlv, TlvError } from "../../formats/tlv.js";
import { authorityKeyIdOf, type Certificate, extensionsOf, mayBeUsedFor } from "./certificate.js";
import { type Algorithm, algorithmOf, elements, expect, fieldsOf, integerHex, sequence, TAG, timeMs, wholeBits } from "./der.js";
import { type DistinguishedName, distinguishedName } from "./distinguished-name.js";
import { signatureVerifies } from "./signature.js";

/** A certificate revocation list (RFC 5280 §5.1, profile of ICAO 9303-12 §7.1.4). */
export interface RevocationList {
  readonly raw: Uint8Array;
  readonly sha256: string;
  readonly issuer: DistinguishedName;
  readonly thisUpdateMs: number;
  /** Absent: no promise of a next one, so it is stale from the start. */
  readonly nextUpdateMs: number | undefined;
  /** Serial numbers, hexadecimal. */
  readonly revoked: ReadonlySet<string>;
  readonly authorityKeyId: string | undefined;
  readonly signed: { readonly data: Uint8Array; readonly algorithm: Algorithm; readonly signature: Uint8Array };
}

const ENTRIES = 200_000;

/** CRL number and authority key identifier are harmless; others (delta, indirect, partial lists) change what the list means. */
const HARMLESS = new Set(["2.5.29.20", "2.5.29.35"]);

/** @throws TlvError for bytes that are no complete CRL */
export function parseRevocationList(bytes: Uint8Array): RevocationList {
  const { raw } = expect(readTlv(bytes), TAG.sequence);
  const outer = sequence(raw);
  const tbs = outer.take(TAG.sequence);
  outer.take(TAG.sequence);
  const signature = wholeBits(outer.take(TAG.bitString).value);

  const fields = fieldsOf(tbs.value);
  fields.maybe(TAG.integer);
  const algorithm = algorithmOf(fields.take(TAG.sequence));
  const issuer = distinguishedName(fields.take(TAG.sequence).value);
  const thisUpdate = fields.maybe(TAG.utcTime, TAG.generalizedTime);
  if (!thisUpdate) throw new TlvError("thisUpdate");
  const nextUpdate = fields.maybe(TAG.utcTime, TAG.generalizedTime);
  const entries = elements(fields.maybe(TAG.sequence)?.value ?? new Uint8Array(), ENTRIES);
  const extensions = extensionsOf(fields.maybe(0xa0)?.value ?? Uint8Array.of(TAG.sequence, 0));
  for (const [oid, { critical }] of extensions) if (critical && !HARMLESS.has(oid)) throw new TlvError("a partial list");
  return {
    raw,
    sha256: createHash("sha256").update(raw).digest("hex"),
    issuer,
    thisUpdateMs: timeMs(thisUpdate),
    nextUpdateMs: nextUpdate && timeMs(nextUpdate),
    revoked: new Set(entries.map((entry) => integerHex(expect(readTlv(expect(entry, TAG.sequence).value), TAG.integer).value))),
    authorityKeyId: authorityKeyIdOf(extensions.get("2.5.29.35")?.content),
    signed: { data: tbs.raw, algorithm, signature },
  };
}

export const isFresh = (list: RevocationList, nowMs: number): boolean =>
  nowMs >= list.thisUpdateMs && list.nextUpdateMs !== undefined && nowMs <= list.nextUpdateMs;

export const isSignedBy = (list: RevocationList, authority: Certificate): boolean =>
  list.issuer.key === authority.subject.key && mayBeUsedFor(authority, "cRLSign") && signatureVerifies(list.signed, authority.spki);
