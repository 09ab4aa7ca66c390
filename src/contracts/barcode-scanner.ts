import type { OpenDevice } from "./driver.js";

/** One code as the device gave it. */
export interface ScannedCode {
  readonly bytes: Uint8Array;
  /** UTF-8, decoded once over the whole code. */
  readonly text: string;
  /** AIM identifier such as `]Q1`. */
  readonly symbology?: string;
  readonly encoding: "utf-8" | "lossy";
}

export interface BarcodeScanner extends OpenDevice {
  /** The one listener of codes; codes nobody listens for are dropped by the service, never kept. */
  onScan(listener: (code: ScannedCode) => void): void;
  /** Starts or stops reading where the device has a trigger; resolves at once where it reads all the time. */
  trigger(on: boolean, signal: AbortSignal): Promise<void>;
}
