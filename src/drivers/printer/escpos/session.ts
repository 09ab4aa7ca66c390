import type { Imaging } from "../../../contracts/imaging.js";
import { concatBytes } from "../../../kernel/bytes.js";
import type { Clock } from "../../../kernel/clock.js";
import type { Logger } from "../../../kernel/log.js";
import type { Random } from "../../../kernel/random.js";
import { AUTO_STATUS_ON, INITIALISE } from "./codec.js";
import type { EscposConfig } from "./config.js";
import type { Features } from "./profiles.js";
import type { Talk } from "./talk.js";
import type { Watch } from "./watch.js";

/** One opening of one printer: what its parts share. */
export interface Session {
  readonly device: string;
  readonly config: EscposConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly imaging: Imaging;
  readonly simulated: boolean;
  readonly talk: Talk;
  readonly watch: Watch;
  /** Undefined until the printer stood clear for the first time. */
  features: Features | undefined;
  serial: string | undefined;
}

/** Settings as after power-on; ESC @ also ends automatic status. */
export function initialBytes(features: Features): Uint8Array {
  return features.autoStatus ? concatBytes([INITIALISE, AUTO_STATUS_ON]) : INITIALISE;
}

/** Longest raster command of ours. */
export function bandBytes({ widthDots, bandRows }: EscposConfig): number {
  return 8 + Math.ceil(widthDots / 8) * bandRows;
}
