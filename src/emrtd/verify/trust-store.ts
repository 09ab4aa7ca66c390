import type { Certificate } from "./certificate.js";
import type { RevocationList } from "./revocation-list.js";

/** Whom the operator trusts: countries' signing authorities (CSCA), their link certificates, their CRLs. */
export interface TrustStore {
  readonly authorities: readonly Certificate[];
  readonly revocationLists: readonly RevocationList[];
}

export const EMPTY_TRUST: TrustStore = { authorities: [], revocationLists: [] };

function once<T extends { readonly sha256: string }>(entries: readonly T[]): T[] {
  return [...new Map(entries.map((entry) => [entry.sha256, entry])).values()];
}

/** All of them, each certificate and list once. */
export function joinTrust(stores: readonly TrustStore[]): TrustStore {
  return {
    authorities: once(stores.flatMap((store) => store.authorities)),
    revocationLists: once(stores.flatMap((store) => store.revocationLists)),
  };
}
