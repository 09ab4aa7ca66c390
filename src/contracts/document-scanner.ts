import type { DeviceError } from "../kernel/errors.js";
import type { ScanMode, ScanSource } from "../protocol/document-scanner.js";
import type { OpenDevice } from "./driver.js";

/** What the device is asked for. What it cannot do is refused with `unsupported` before anything moves. */
export interface ScanOrder {
  /** `auto`: the feeder where it has paper, else the glass. */
  readonly source: ScanSource | "auto";
  readonly mode: ScanMode;
  readonly resolutionDpi: number;
  readonly widthMm: number;
  readonly heightMm: number;
  readonly maxPages: number;
}

/** One side of one sheet, as the device gave it: hostile bytes that nobody has looked into. */
export interface RawPage {
  readonly mediaType: "image/jpeg" | "image/png" | "image/tiff" | "image/x-portable-anymap";
  readonly bytes: Uint8Array;
  /** As asked for, or as the device says it really was. */
  readonly resolutionDpi: number;
}

export interface ScanSteps {
  /** Part of the page that is under the lamp, 0 to 1, where the device tells. */
  progress(fraction: number | undefined): void;
  /** In the order of the sheets. Resolves when there is room for the next: a slow receiver slows the scanner, or the driver's buffer of few pages. */
  page(page: RawPage): Promise<void>;
}

/** How a scan ended. Whatever was handed to `page` before is good. */
export type ScanEnd =
  | { readonly state: "done" }
  /** Jam, cover, link: after at least one page. Before the first, `scan` rejects. */
  | { readonly state: "broken_off"; readonly reason: DeviceError };

export interface DocumentScanner extends OpenDevice {
  /**
   * Scans until the feeder is empty, or `maxPages`; the glass gives one page. On abort the device is asked to stop and nobody waits for it.
   * @throws DeviceError `scan_empty`, `feeder_empty`, `document_jam`, `cover_open`, `busy`, `unsupported`, `device_absent`, `device_fault`,
   * `too_large`; the signal's reason on abort
   */
  scan(order: ScanOrder, steps: ScanSteps, signal: AbortSignal): Promise<ScanEnd>;
}
