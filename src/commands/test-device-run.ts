import type { StationClient } from "../client/exports.js";
import type { DeviceSnapshot } from "../protocol/devices.js";
import type { ExitCode } from "./exit-codes.js";
import type { Terminal } from "./terminal.js";
import type { Ask } from "./test-device-dialog.js";

/** What the test of one class is handed. */
export interface Trial {
  readonly client: StationClient;
  readonly device: DeviceSnapshot;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly ask: Ask;
  /** Nobody is asked and nobody looks. */
  readonly yes: boolean;
  readonly timeoutMs: number;
  /** Where a picture or page is kept; nowhere unless told. */
  readonly out: string | undefined;
  /** The last six digits of the number of the card that will be laid on the reader. */
  readonly can: string | undefined;
  /** A technician's own token was given: money may be taken back. */
  readonly named: boolean;
}

export interface Finding {
  /** `unseen`: it worked as far as the device says, and nobody looked. */
  readonly result: "passed" | "failed" | "unseen";
  /** What was found, a sentence each. Nothing personal. */
  readonly notes: readonly string[];
  /** The same for programs. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Where it is not that of `result`. */
  readonly code?: ExitCode;
}
