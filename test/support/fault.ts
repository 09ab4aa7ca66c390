import type { BoundName } from "./bounds.js";

/** Whose faults a table of docs/faults.md holds, in the order of the page. */
export const FAULT_DEVICES = {
  printer: "Receipt printer",
  scanner: "Code scanner",
  reader: "Card reader and card",
  zvt: "Payment terminal: ZVT",
  nexo: "Payment terminal: nexo",
  vietqr: "Payment by VietQR",
  documents: "Document scanner",
  camera: "Camera",
  agent: "The agent itself",
} as const;
export type FaultDevice = keyof typeof FAULT_DEVICES;

/** A line of docs/faults.md, in words for who stands before the station. */
export interface FaultRow {
  readonly device: FaultDevice;
  readonly fault: string;
  /** What of the simulators brings it about: `receipt-printer.paperOut`. */
  readonly knobs?: readonly string[];
  /**
   * What the page is told. Words in backticks are states and kinds of errors, as the test has them; a `kind`! is one of which it is told,
   * too, that trying again is of no use, though it mostly is.
   */
  readonly sees: string;
  readonly does: string;
  /** When it is over, where no time is known or a person has to act. */
  readonly back?: string;
  /** Times that are set or built in. */
  readonly bounds?: readonly BoundName[];
  /** Times that were measured, by their names in test/measured.json. */
  readonly measured?: readonly string[];
  /** Which one of the test's cases: what stands in the title instead of its placeholders. */
  readonly case?: readonly string[];
  /** A longer run that tries the same. */
  readonly also?: string;
}

/** Says that the test after it shows what becomes of this fault. It does nothing: docs/faults.md is made of what stands here in the source. */
export function faultRow(_row: FaultRow): void {}
