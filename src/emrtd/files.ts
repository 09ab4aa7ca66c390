import type { FileName } from "./types.js";

/** Where a file lies and what it may be. */
export interface FileFacts {
  readonly name: string;
  /** File identifier, for SELECT. */
  readonly fid: number;
  /** Short file identifier, for READ BINARY without SELECT. */
  readonly sfi: number;
  /** Tag that it begins with. */
  readonly tag: number;
  /** More than this no honest file has: what declares more is refused before it is read. */
  readonly maxBytes: number;
  /** For the estimate of progress, until the header is known. */
  readonly typicalBytes: number;
}

const KIB = 1_024;

/** ICAO 9303-10 §3.11.3 (table of EFs) and §4.6, §4.7. */
export const FILES: Readonly<Record<FileName, FileFacts>> = {
  com: { name: "EF.COM", fid: 0x011e, sfi: 0x1e, tag: 0x60, maxBytes: 1 * KIB, typicalBytes: 30 },
  sod: { name: "EF.SOD", fid: 0x011d, sfi: 0x1d, tag: 0x77, maxBytes: 64 * KIB, typicalBytes: 2_300 },
  dg1: { name: "DG1", fid: 0x0101, sfi: 0x01, tag: 0x61, maxBytes: 1 * KIB, typicalBytes: 95 },
  dg2: { name: "DG2", fid: 0x0102, sfi: 0x02, tag: 0x75, maxBytes: 1_024 * KIB, typicalBytes: 15_000 },
  dg11: { name: "DG11", fid: 0x010b, sfi: 0x0b, tag: 0x6b, maxBytes: 64 * KIB, typicalBytes: 300 },
  dg12: { name: "DG12", fid: 0x010c, sfi: 0x0c, tag: 0x6c, maxBytes: 256 * KIB, typicalBytes: 300 },
  dg13: { name: "DG13", fid: 0x010d, sfi: 0x0d, tag: 0x6d, maxBytes: 64 * KIB, typicalBytes: 650 },
  dg14: { name: "DG14", fid: 0x010e, sfi: 0x0e, tag: 0x6e, maxBytes: 16 * KIB, typicalBytes: 420 },
  dg15: { name: "DG15", fid: 0x010f, sfi: 0x0f, tag: 0x6f, maxBytes: 16 * KIB, typicalBytes: 300 },
};

/** In the master file (ICAO 9303-10 §3.11.2, §3.11.4). EF.CardSecurity is a CMS ContentInfo. */
export const CARD_ACCESS: FileFacts = { name: "EF.CardAccess", fid: 0x011c, sfi: 0x1c, tag: 0x31, maxBytes: 4 * KIB, typicalBytes: 60 };
export const CARD_SECURITY: FileFacts = {
  name: "EF.CardSecurity",
  fid: 0x011d,
  sfi: 0x1d,
  tag: 0x30,
  maxBytes: 64 * KIB,
  typicalBytes: 2_000,
};

/** AID of the LDS1 eMRTD application (ICAO 9303-10 §4.2). */
export const EMRTD_AID = Uint8Array.of(0xa0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01);
