import type { BarcodeScanner, ScannedCode } from "../../contracts/barcode-scanner.js";
import type { DriverContext } from "../../contracts/driver.js";
import { concatBytes } from "../../kernel/bytes.js";
import { asDeviceError, DeviceError } from "../../kernel/errors.js";
import type { z } from "../../kernel/schema.js";
import { decodeCode, splitLines } from "./codec.js";
import type { TemplateConfig } from "./config.js";

export async function open(config: z.output<typeof TemplateConfig>, context: DriverContext): Promise<BarcodeScanner> {
  const { device } = context;
  // Rejects with device_absent where nothing is there: let it through, its hint is better than any of ours.
  const link = await context.connect(context.signal);
  // One controller ends whatever is under way, for whatever reason the device ends.
  const ending = new AbortController();
  let onScan: ((code: ScannedCode) => void) | undefined;
  let declareLost: (reason: DeviceError) => void = () => {};
  const lost = new Promise<DeviceError>((resolve) => {
    declareLost = resolve;
  });

  const end = async (reason: DeviceError): Promise<void> => {
    if (!ending.signal.aborted) ending.abort(reason);
    context.signal.removeEventListener("abort", onAbort);
    await link.close();
  };
  const close = (): Promise<void> => end(new DeviceError("device_absent", { device, message: "the device was closed" }));
  const onAbort = (): void => void close();

  // The supervisor may have given up while the link was being made: then nothing may stay behind.
  context.signal.addEventListener("abort", onAbort, { once: true });
  if (context.signal.aborted) {
    await close();
    throw context.signal.reason;
  }

  // A device that can be asked who it is, is asked here, under a deadline: `open` resolves when the device can be used.

  const listen = async (): Promise<void> => {
    let rest = new Uint8Array();
    for (;;) {
      const split = splitLines(concatBytes([rest, await link.read(ending.signal)]), config.maxCodeBytes);
      rest = Uint8Array.from(split.rest);
      for (const bytes of split.codes) onScan?.(decodeCode(bytes));
    }
  };
  listen().catch(async (error: unknown) => {
    const byItself = !ending.signal.aborted;
    const reason = asDeviceError(error, "device_fault", { device });
    await end(reason);
    // Only a device that ends by itself is lost; one that was closed is just closed.
    if (byItself) declareLost(reason);
  });

  context.report({ state: "ready" });
  return {
    identity: {},
    capabilities: { version: 1, trigger: false },
    lost,
    onScan(listener) {
      onScan = listener;
    },
    async trigger() {
      ending.signal.throwIfAborted();
    },
    async selfTest() {
      ending.signal.throwIfAborted();
      return [{ check: "line open", ok: true }];
    },
    close,
  };
}
