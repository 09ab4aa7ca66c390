import type { Scan } from "../protocol/barcode-scanner.js";
import { createQueue } from "./queue.js";
import type { StationClient } from "./station.js";
import { asStationError } from "./station-error.js";

export interface ScanOptions {
  /** May be left out where the station has one scanner. */
  readonly device?: string;
  readonly signal?: AbortSignal;
  /** From now on no code is missed; again after each reconnection. When to say “scan now”. */
  readonly onEnabled?: () => void;
}

/**
 * Every code that is scanned from now on, to this session and no other, until the loop is left or the signal aborts.
 * Enables the scanner again after a reconnection. Throws StationError where the scanner cannot be enabled.
 */
export function scanCodes(
  client: Pick<StationClient, "call" | "subscribe">,
  { device, signal, onEnabled }: ScanOptions,
): AsyncIterableIterator<Scan> {
  const which = device === undefined ? {} : { device };
  const inner = new AbortController();
  const stop = (): void => queue.end();
  const queue = createQueue<Scan>(() => {
    signal?.removeEventListener("abort", stop);
    inner.abort();
    client.call("barcodeScanner.disable", which).catch(() => {});
  });
  const enable = (): void => {
    client.call("barcodeScanner.enable", which).then(
      () => onEnabled?.(),
      (error) => {
        const reason = asStationError(error);
        // A lost connection comes back, and with it the state that makes us enable again.
        if (reason.kind !== "connection_lost") queue.end(reason);
      },
    );
  };
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  client
    .subscribe(
      ["barcodeScanner"],
      (update) => {
        if (update.kind === "state") enable();
        else queue.push(update.data.scanned);
      },
      { signal: inner.signal },
    )
    .catch((error) => queue.end(inner.signal.aborted ? undefined : asStationError(error)));
  return queue;
}
