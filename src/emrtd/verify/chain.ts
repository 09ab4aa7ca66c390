import { type Certificate, isSelfSigned, isWithinValidity, mayBeUsedFor } from "./certificate.js";
import { isFresh, isSignedBy, type RevocationList } from "./revocation-list.js";
import { signatureVerifies } from "./signature.js";
import type { TrustStore } from "./trust-store.js";

/** A link certificate says that a country's new key follows its old one; more than a few in a row are no renewal. */
const LINKS = 4;
/** Authorities and lists of one name that count: a country has a handful at a time. */
const CANDIDATES = 16;
/** Signatures that are tried for one document, in vain or not: authorities of a hostile master list may certify each other in circles. */
const TRIES = 256;

/** One search through the store. */
interface Search {
  readonly store: TrustStore;
  left: number;
}
const mayTry = (search: Search): boolean => search.left-- > 0;

/** Master list and deviation list signers are certified by the same authorities and must not sign documents (ICAO 9303-12 §7.1). */
const OTHER_SIGNERS = new Set(["2.23.136.1.1.3", "2.23.136.1.1.8"]);

export interface IssuerCheck {
  readonly issuer: "trusted" | "untrusted" | "unknown";
  readonly revoked: "no" | "yes" | "unknown";
  readonly certificateExpired: boolean | "unknown";
}

/** A document's state as its MRZ names it, and as certificates do (ICAO 9303-3 §5, ISO 3166-1). Of others nothing is known here. */
const COUNTRIES: Readonly<Record<string, string>> = { VNM: "vn" };

/** By name or key identifier; those with the key identifier first, so that few signatures are tried in vain. */
function candidates(certificate: Certificate, store: TrustStore): Certificate[] {
  const wanted = certificate.authorityKeyId;
  const hasKey = ({ subjectKeyId }: Certificate): boolean => wanted !== undefined && subjectKeyId === wanted;
  const found = store.authorities.filter((authority) => authority.subject.key === certificate.issuer.key || hasKey(authority));
  return [...found.filter(hasKey), ...found.filter((authority) => !hasKey(authority))].slice(0, CANDIDATES);
}

/** From the certificate's issuer to one that signed itself; all of the store. Undefined: there is no such path. */
function pathTo(certificate: Certificate, search: Search, depth = 0): readonly Certificate[] | undefined {
  for (const authority of candidates(certificate, search.store)) {
    if (!authority.isAuthority || !mayBeUsedFor(authority, "keyCertSign")) continue;
    if (!mayTry(search) || !signatureVerifies(certificate.signed, authority.spki)) continue;
    if (isSelfSigned(authority)) return [authority];
    const rest = depth < LINKS ? pathTo(authority, search, depth + 1) : undefined;
    if (rest) return [authority, ...rest];
  }
  return undefined;
}

/** The authority's lists, newest first; its later key may have signed them, too (ICAO 9303-12 §5.5). */
function listsOf(issuer: Certificate, search: Search): readonly RevocationList[] {
  const { store } = search;
  const others = store.authorities.filter((authority) => authority !== issuer && authority.subject.key === issuer.subject.key);
  const signers = [issuer, ...others].slice(0, CANDIDATES);
  const isHeard = (list: RevocationList): boolean =>
    signers.some(
      (signer) =>
        mayTry(search) && isSignedBy(list, signer) && (signer === issuer || isSelfSigned(signer) || pathTo(signer, search) !== undefined),
    );
  const named = store.revocationLists.filter((list) => list.issuer.key === issuer.subject.key);
  named.sort((a, b) => b.thisUpdateMs - a.thisUpdateMs);
  // An operator imports one every month and removes none; forged ones of the name must not crowd out the true.
  const heard: RevocationList[] = [];
  for (const list of named) if (heard.length < CANDIDATES && isHeard(list)) heard.push(list);
  return heard;
}

function revocationOf(certificate: Certificate, issuer: Certificate, search: Search, nowMs: number): "no" | "yes" | "unknown" {
  const lists = listsOf(issuer, search);
  // A revocation is for ever: an old list still tells it.
  if (lists.some((list) => list.revoked.has(certificate.serial))) return "yes";
  return lists.some((list) => isFresh(list, nowMs)) ? "no" : "unknown";
}

/**
 * A trust store with a master list has the authorities of a hundred states, and none of them may speak for another. The name in the
 * store counts, not the one in the signer's certificate.
 */
function isForeign(root: Certificate | undefined, issuingState: string | undefined): boolean {
  const expected = issuingState === undefined ? undefined : COUNTRIES[issuingState];
  return expected !== undefined && root?.subject.country !== undefined && root.subject.country !== expected;
}

/**
 * Who issued a document signer's certificate, and whether that still holds (ICAO 9303-11 §5.1, 9303-12 §5).
 * @param issuingState of the document's MRZ, where it was read
 */
export function checkIssuer(signer: Certificate, store: TrustStore, nowMs: number, issuingState?: string): IssuerCheck {
  const known = candidates(signer, store).length > 0;
  const mayNotSign =
    signer.isAuthority ||
    !mayBeUsedFor(signer, "digitalSignature") ||
    signer.extendedKeyUsage.some((purpose) => OTHER_SIGNERS.has(purpose));
  const search: Search = { store, left: TRIES };
  const found = mayNotSign ? undefined : pathTo(signer, search);
  const path = isForeign(found?.at(-1), issuingState) ? undefined : found;
  const [issuer] = path ?? [];
  const expired = !isWithinValidity(signer, nowMs);
  if (!path || !issuer) return { issuer: known ? "untrusted" : "unknown", revoked: "unknown", certificateExpired: expired || "unknown" };

  const chain = [signer, ...path];
  const states = chain.slice(0, -1).map((certificate, index) => revocationOf(certificate, chain[index + 1] ?? issuer, search, nowMs));
  return {
    issuer: "trusted",
    revoked: states.includes("yes") ? "yes" : states.includes("unknown") ? "unknown" : "no",
    certificateExpired: expired || !isWithinValidity(issuer, nowMs),
  };
}
