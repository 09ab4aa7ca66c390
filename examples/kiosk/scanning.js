/** How long after a scanner that could not be enabled the next attempt comes, unless its state changes first. */
const RETRY_MS = 2_000;

/**
 * Hands every code that is scanned to `scanned` until the signal aborts.
 * @returns what a screen calls when the scanner may have come back
 */
export function readCodes(client, signal, scanned) {
  let wake = () => {};
  const read = async () => {
    while (!signal.aborted) {
      try {
        for await (const code of client.barcodeScanner.scans({ signal })) scanned(code);
      } catch {
        // Absent, busy or out of service: the screen's state line says so, and the codes come once that has changed.
        await new Promise((resolve) => {
          wake = resolve;
          setTimeout(resolve, RETRY_MS);
        });
      }
    }
  };
  void read();
  return () => wake();
}
