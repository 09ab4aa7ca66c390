import type { Transceiver } from "../kernel/card.js";
import type { Secret } from "../kernel/secret.js";

/** Files of the eMRTD application that this reader knows (ICAO 9303-10 §4.6); DG3 and DG4 need terminal authentication. */
export type DataGroup = "dg1" | "dg2" | "dg11" | "dg12" | "dg13" | "dg14" | "dg15";
export type FileName = "com" | "sod" | DataGroup;

/** The MRZ's part of the access key (ICAO 9303-11 §4.3.2), as printed: dates `yyMMdd`. */
export interface MrzKey {
  /** As in the MRZ; check digits and fillers are added by the reader. */
  readonly documentNumber: string;
  readonly birthDate: string;
  readonly expiryDate: string;
}

/** What opens the chip. */
export type AccessKey = { readonly kind: "can"; readonly can: Secret<string> } | { readonly kind: "mrz"; readonly mrz: Secret<MrzKey> };

/** Largest Le and Lc that worked, per ATR; kept by the owner of one reader. */
export interface LengthMemory {
  get(atr: string): number | undefined;
  set(atr: string, maxBytes: number): void;
}

export interface ChipRequest {
  readonly access: AccessKey;
  /** `auto`: PACE where the chip has it, else BAC. `bac`: no look at EF.CardAccess. */
  readonly protocol: "auto" | "pace" | "bac";
  /** Read besides SOD and DG14, in the order of the list. Ones that the chip has not are left out of the answer. */
  readonly files: readonly DataGroup[];
  /** Exactly 8 bytes: active authentication is asked for (DG15 is read, too). */
  readonly challenge?: Uint8Array;
}

export interface ChipRead {
  /** `file`: which one is being read; `fraction` of all bytes that are expected. */
  progress(stage: "access" | "reading" | "authenticating", fraction?: number): void;
  /** Answer to reset, hexadecimal: names the length memory's entry. */
  readonly atr: string;
  /** Longest APDU that the reader passes on. */
  readonly maxApduBytes?: number | undefined;
  readonly lengths: LengthMemory;
  /** Random bytes for nonces and ephemeral keys. */
  randomBytes(length: number): Uint8Array;
  readonly signal: AbortSignal;
}

/** How the chip was opened. */
export interface Access {
  readonly protocol: "pace" | "bac";
  readonly password: "can" | "mrz";
  /** PACE: object identifier of the protocol, dotted; domain parameters (ICAO 9303-11 §9.5.1). */
  readonly oid?: string;
  readonly parameterId?: number;
  readonly mapping?: "gm" | "im" | "cam";
  readonly cipher: "3des" | "aes-128" | "aes-192" | "aes-256";
  /** Implemented after the standard, but no independent example of it was found to test against. */
  readonly unproved?: true;
}

export type ChipAuthentication =
  /** Answers under the new keys verify (ICAO 9303-11 §6.2): genuine where DG14 is authentic, too. */
  | { readonly state: "done"; readonly oid: string; readonly parameterId?: number }
  | { readonly state: "failed" }
  /** DG14 has no chip authentication key, or is absent. */
  | { readonly state: "not_supported" };

export type ActiveAuthentication =
  /** The chip's answer to the challenge, not yet verified (ICAO 9303-11 §6.1). */
  | { readonly state: "answered"; readonly challenge: Uint8Array; readonly signature: Uint8Array }
  /** The chip has a key in DG15 that this reader knows, and would not sign with it. */
  | { readonly state: "refused" }
  | { readonly state: "not_asked" }
  | { readonly state: "not_supported" }
  /** The signature does not fit into the answers that this chip or reader takes. */
  | { readonly state: "not_possible" };

/** Everything that was read from a chip: raw, none of it judged. */
export interface ChipContents {
  readonly access: Access;
  /** EF.CardAccess, where it was read. */
  readonly cardAccess?: Uint8Array;
  /** EF.CardSecurity, read for PACE-CAM. */
  readonly cardSecurity?: Uint8Array;
  /** PACE-CAM: the chip authentication data verified against a public key of EF.CardSecurity, each time the chip was opened. */
  readonly camVerified?: boolean;
  readonly files: ReadonlyMap<FileName, Uint8Array>;
  readonly chipAuthentication: ChipAuthentication;
  readonly activeAuthentication: ActiveAuthentication;
  /** Command APDUs that were sent. */
  readonly apdus: number;
}

/**
 * Reads a chip in the fewest round trips: EF.CardAccess, PACE (or BAC), application, SOD, DG14, chip authentication, the files,
 * active authentication. Stops at the first answer that no longer verifies.
 * @throws DeviceError `access_denied` (wrong key; tried once), `mrz_required` (the chip wants BAC and only a CAN is known),
 * `card_unsupported` (no eMRTD), `card_removed`, `card_error`; the signal's reason on abort.
 */
export type ReadChip = (card: Transceiver, request: ChipRequest, read: ChipRead) => Promise<ChipContents>;

/** Verdicts of `verify`, kept apart on purpose: a page decides what it needs (ICAO 9303-11 §5, §6). */
export interface Verdicts {
  /** Of the SOD, by the document signer's certificate in it. */
  readonly signature: "valid" | "invalid" | "missing";
  /** Of every data group that was read, against the SOD. */
  readonly hashes: { readonly verdict: "match" | "mismatch" | "not_checked"; readonly mismatched: readonly DataGroup[] };
  /**
   * `untrusted`: an issuer of this name is in the trust store and its key did not sign, or it is another state's than the MRZ's;
   * `unknown`: no issuer of this name.
   */
  readonly issuer: "trusted" | "untrusted" | "unknown";
  /** `unknown`: no CRL of the issuer, or a stale one. */
  readonly revoked: "no" | "yes" | "unknown";
  /** The document signer's or its issuer's certificate, now. */
  readonly certificateExpired: boolean | "unknown";
  /** EF.CardAccess, which is unsigned, against DG14, which is signed: a way of PACE slipped in or taken away (ICAO 9303-11 §9.2). */
  readonly cardAccess: "confirmed" | "downgraded" | "not_checked";
  /**
   * Chip authentication (or PACE-CAM). `unproven`: the chip has the key, but the key's own signature is not trusted; `failed` also
   * where the SOD lists DG14 and the chip keeps it back or has another.
   */
  readonly chip: "genuine" | "failed" | "unproven" | "not_supported";
  readonly activeAuthentication: "genuine" | "failed" | "unproven" | "not_asked" | "not_supported" | "not_possible";
  /** Distinguished names and fingerprints for technicians; no personal data. */
  readonly signer?: { readonly subject: string; readonly issuer: string; readonly serial: string; readonly sha256: string };
}
