import type { DeviceError, Json } from "../kernel/errors.js";
import type { PrintDocument, PrinterStatus } from "../protocol/printer.js";
import type { OpenDevice } from "./driver.js";

/** How a print ended, as far as the evidence goes. */
export type PrintOutcome =
  | { readonly state: "printed"; readonly confirmation: "confirmed" | "inferred" }
  /** One-way link: all bytes were taken, nothing can be asked. */
  | { readonly state: "sent" }
  /** Certainly not whole on paper, and never will be. */
  | { readonly state: "failed"; readonly reason: DeviceError }
  /** The evidence is gone for good. */
  | { readonly state: "unknown"; readonly reason: DeviceError }
  /** Certainly no byte of it left. */
  | { readonly state: "not_started"; readonly reason: DeviceError };

/** Facts of the printer noted before a job, to compare with afterwards (e.g. its cutter counter). No document content. */
export type PrintBaseline = { readonly [key: string]: Json };

/**
 * The durable marks of a job. Each resolves when the mark is on disk, and the driver awaits it before the
 * bytes that depend on it leave; where it rejects, those bytes must not leave.
 */
export interface PrintSteps {
  /** Before the first byte of the job. */
  sending(baseline: PrintBaseline): Promise<void>;
  /** Before the tail: the final cut and what asks for confirmation. Until then the receipt cannot be whole. */
  finishing(): Promise<void>;
  /** After the link took the last byte. */
  sent(): Promise<void>;
  progress(stage: "checking" | "sending" | "waiting_for_person" | "confirming", fraction?: number): void;
}

export interface PrintMarks {
  /** "BẢN IN LẠI" on top. */
  readonly reprint: boolean;
  /** "BẢN THỬ" on top. */
  readonly simulated: boolean;
}

/** A laid-out document, ready to go. Opaque to all but its driver. */
export interface PreparedPrint {
  /** Size on the wire, bytes. */
  readonly byteLength: number;
}

/** How far a job of an earlier run, or of before the link was lost, had come by its durable marks. */
export interface InterruptedPrint {
  /** `voiding`: found torn by an earlier `resolve`, which may have begun to void it. */
  readonly step: "sending" | "finishing" | "sent" | "voiding";
  readonly baseline: PrintBaseline;
}

export interface Printer extends OpenDevice {
  /** Validates and lays out. No byte leaves. @throws DeviceError `invalid_params`, `unsupported`, `too_large` */
  prepare(document: PrintDocument, marks: PrintMarks, signal: AbortSignal): Promise<PreparedPrint>;
  /**
   * Preflight, marks, bytes, confirmation. One at a time. A refused preflight resolves `not_started` with its reason.
   * The signal asks to stop: obeyed only until `steps.sending` was called.
   * Rejects (with the link's error) where the device is lost in mid-job: the caller then uses `resolve` on the next opening.
   */
  print(prepared: PreparedPrint, steps: PrintSteps, signal: AbortSignal): Promise<PrintOutcome>;
  /**
   * Finds out, from the printer's own word, what became of an interrupted job, and leaves the printer clean for the next:
   * a torn receipt is closed, marked void and cut off. Rejects where the device is lost meanwhile (ask again later).
   * `voiding` is a durable mark of the job (its step becomes `voiding`), awaited before the void line leaves: cutting the torn paper
   * off moves the same counter that proves a whole receipt, so without the mark a second `resolve` would find it printed.
   */
  resolve(job: InterruptedPrint, voiding: () => Promise<void>, signal: AbortSignal): Promise<PrintOutcome>;
  /** Asked now. @throws DeviceError `device_absent`, `timeout` */
  status(signal: AbortSignal): Promise<Omit<PrinterStatus, "device" | "simulated">>;
  cut(signal: AbortSignal): Promise<void>;
}

/** Preview needs no device, only the driver's settings: see `Driver.preview`. */
export interface PrintPreview {
  readonly png: Uint8Array;
  readonly widthDots: number;
  readonly heightDots: number;
}
