import type { EscposConfig } from "./config.js";

/** What a printer can tell. Learned at the opening, kept in a job's baseline. */
export interface Features {
  /** GS a: tells by itself what changes. */
  readonly autoStatus: boolean;
  /** GS ( H: says when a job is on paper. */
  readonly processId: boolean;
  /** GS r: answers in its turn. */
  readonly inTurn: boolean;
  /** GS g 2: counter of the cutter's movements that survives a power cut. */
  readonly counter: CutCounter | undefined;
}

/** 178 counts the printer's whole life, 50 since a technician reset it. */
export const CUT_COUNTERS = [178, 50] as const;
export type CutCounter = (typeof CUT_COUNTERS)[number];

interface Profile {
  readonly nativeCodes: boolean;
  /** Ask for GS a, GS ( H, GS g and GS I: a clone may print such a question. */
  readonly asksMore: boolean;
}

const PROFILES: Readonly<Record<EscposConfig["profile"], Profile>> = {
  generic: { nativeCodes: false, asksMore: true },
  "epson-tm": { nativeCodes: true, asksMore: true },
  clone: { nativeCodes: false, asksMore: false },
};

export function profileOf(config: EscposConfig): Profile {
  const profile = PROFILES[config.profile];
  return { ...profile, nativeCodes: config.nativeCodes ?? profile.nativeCodes };
}
