import { type Certificate, isSelfSigned, isWithinValidity, mayBeUsedFor } from "./certificate.js";
import { isFresh, isSignedBy, type RevocationList } from "./revocation-list.js";
import { signatureVerifies } from "./signature.js";
import type { TrustStore } from "./trust-store.js";

/** A link certificate says that a country's new key follows its old one; more than a few in a row are no renewal. */
const LINKS = 4;
/** Authorities and lists of one name whose signatures are tried: a country has a handful at a time. */
const CANDIDATES = 16;

/** Master list and deviation list signers are certified by the same authorities and must not sign documents (ICAO 9303-12 §7.1). */
const OTHER_SIGNERS = new Set(["2.23.136.1.1.3", "2.23.136.1.1.8"]);

export interface IssuerCheck {
  readonly issuer: "trusted" | "untrusted" | "unknown";
  readonly revoked: "no" | "yes" | "unknown";
  readonly certificateExpired: boolean | "unknown";
}

/** By name or key identifier; those with the key identifier first, so that few signatures are tried in vain. */
function candidates(certificate: Certificate, store: TrustStore): Certificate[] {
  const wanted = certificate.authorityKeyId;
  const hasKey = ({ subjectKeyId }: Certificate): boolean => wanted !== undefined && subjectKeyId === wanted;
  const found = store.authorities.filter((authority) => authority.subject.key === certificate.issuer.key || hasKey(authority));
  return [...found.filter(hasKey), ...found.filter((authority) => !hasKey(authority))].slice(0, CANDIDATES);
}

/** From the certificate's issuer to one that signed itself; all of the store. Undefined: there is no such path. */
function pathTo(certificate: Certificate, store: TrustStore, depth = 0): readonly Certificate[] | undefined {
  for (const authority of candidates(certificate, store)) {
    if (!authority.isAuthority || !mayBeUsedFor(authority, "keyCertSign")) continue;
    if (!signatureVerifies(certificate.signed, authority.spki)) continue;
    if (isSelfSigned(authority)) return [authority];
    const rest = depth < LINKS ? pathTo(authority, store, depth + 1) : undefined;
    if (rest) return [authority, ...rest];
  }
  return undefined;
}

/** The authority's lists; its later key may have signed them, too (ICAO 9303-12 §5.5). */
function listsOf(issuer: Certificate, store: TrustStore): readonly RevocationList[] {
  const others = store.authorities.filter((authority) => authority !== issuer && authority.subject.key === issuer.subject.key);
  const signers = [issuer, ...others].slice(0, CANDIDATES);
  return store.revocationLists
    .filter((list) => list.issuer.key === issuer.subject.key)
    .slice(0, CANDIDATES)
    .filter((list) =>
      signers.some(
        (signer) => isSignedBy(list, signer) && (signer === issuer || isSelfSigned(signer) || pathTo(signer, store) !== undefined),
      ),
    );
}

function revocationOf(certificate: Certificate, issuer: Certificate, store: TrustStore, nowMs: number): "no" | "yes" | "unknown" {
  const lists = listsOf(issuer, store);
  // A revocation is for ever: an old list still tells it.
  if (lists.some((list) => list.revoked.has(certificate.serial))) return "yes";
  return lists.some((list) => isFresh(list, nowMs)) ? "no" : "unknown";
}

/** Who issued a document signer's certificate, and whether that still holds (ICAO 9303-11 §5.1, 9303-12 §5). */
export function checkIssuer(signer: Certificate, store: TrustStore, nowMs: number): IssuerCheck {
  const known = candidates(signer, store).length > 0;
  const mayNotSign =
    signer.isAuthority ||
    !mayBeUsedFor(signer, "digitalSignature") ||
    signer.extendedKeyUsage.some((purpose) => OTHER_SIGNERS.has(purpose));
  const path = mayNotSign ? undefined : pathTo(signer, store);
  const [issuer] = path ?? [];
  const expired = !isWithinValidity(signer, nowMs);
  if (!path || !issuer) return { issuer: known ? "untrusted" : "unknown", revoked: "unknown", certificateExpired: expired || "unknown" };

  const chain = [signer, ...path];
  const states = chain.slice(0, -1).map((certificate, index) => revocationOf(certificate, chain[index + 1] ?? issuer, store, nowMs));
  return {
    issuer: "trusted",
    revoked: states.includes("yes") ? "yes" : states.includes("unknown") ? "unknown" : "no",
    certificateExpired: expired || !isWithinValidity(issuer, nowMs),
  };
}
