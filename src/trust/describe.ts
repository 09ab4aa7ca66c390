import { type Certificate, isSelfSigned, isWithinValidity } from "../emrtd/verify/certificate.js";
import { importPublicKey } from "../emrtd/verify/public-key.js";
import { isFresh, type RevocationList } from "../emrtd/verify/revocation-list.js";
import type { TrustStore } from "../emrtd/verify/trust-store.js";

/** One line of `stationd trust list`. Times in ISO 8601. */
export interface TrustRow {
  /** `link`: says that a country's new key follows its old one; trusted only along with the old one. */
  readonly kind: "csca" | "link" | "crl";
  /** Of a CRL: as its issuer. */
  readonly subject: string;
  readonly issuer: string;
  /** Of a CRL: how many certificates it revokes, as text. */
  readonly serial: string;
  readonly notBefore: string;
  /** Absent: a CRL that promises no next one. */
  readonly notAfter: string | undefined;
  /** "brainpoolP512r1", "RSA 4096", or "unsupported": then it verifies nothing. Of a CRL absent. */
  readonly key: string | undefined;
  readonly sha256: string;
  /** Of a CRL: stale. */
  readonly expired: boolean;
}

const iso = (ms: number): string => new Date(ms).toISOString();

function authorityRow(certificate: Certificate, nowMs: number): TrustRow {
  return {
    kind: isSelfSigned(certificate) ? "csca" : "link",
    subject: certificate.subject.text,
    issuer: certificate.issuer.text,
    serial: certificate.serial,
    notBefore: iso(certificate.notBeforeMs),
    notAfter: iso(certificate.notAfterMs),
    key: importPublicKey(certificate.spki)?.label ?? "unsupported",
    sha256: certificate.sha256,
    expired: !isWithinValidity(certificate, nowMs),
  };
}

function listRow(list: RevocationList, nowMs: number): TrustRow {
  return {
    kind: "crl",
    subject: list.issuer.text,
    issuer: list.issuer.text,
    serial: `${list.revoked.size} revoked`,
    notBefore: iso(list.thisUpdateMs),
    notAfter: list.nextUpdateMs === undefined ? undefined : iso(list.nextUpdateMs),
    key: undefined,
    sha256: list.sha256,
    expired: !isFresh(list, nowMs),
  };
}

/** Everything in the store, for a technician: authorities, then lists, each in the order of the files. */
export function describeTrust(store: TrustStore, nowMs: number): TrustRow[] {
  return [
    ...store.authorities.map((certificate) => authorityRow(certificate, nowMs)),
    ...store.revocationLists.map((list) => listRow(list, nowMs)),
  ];
}
