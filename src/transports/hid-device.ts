import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { HidLink } from "../kernel/hid.js";
import type { Connect } from "../kernel/link.js";
import { findHidNode, HID_ROOTS, type HidSettings, hidDescription } from "./hid-sysfs.js";
import { watchPresence } from "./presence.js";
import { absent, lostLink, openFailure, wireLink } from "./wire.js";

/** The part of node-hid's `HIDAsync` that is used. */
export interface HidLibraryDevice {
  on(event: "data", listener: (report: Uint8Array) => void): unknown;
  on(event: "error", listener: (reason: unknown) => void): unknown;
  write(report: Buffer): Promise<number>;
  sendFeatureReport(report: Buffer): Promise<number>;
  close(): Promise<void>;
}
export type OpenHid = (path: string) => Promise<HidLibraryDevice>;

/** HID_MAX_BUFFER_SIZE of the kernel: no report is longer, so none is ever cut in two. */
const MAX_REPORT_BYTES = 16_384;

/**
 * A hidraw device in this process. Found in sysfs and opened by its path: the library's own list of devices can block for
 * seconds, and its synchronous class crashes when it is closed in the middle of a read, so neither is used.
 */
export function localHid(settings: HidSettings, clock: Clock, roots = HID_ROOTS, open: OpenHid = openWithLibrary): Connect<HidLink> {
  const description = hidDescription(settings);
  return async (signal) => {
    signal.throwIfAborted();
    const node = await findHidNode(settings, roots);
    if (!node) throw notPluggedIn(settings);
    const opening = open(node.path);
    const device = await raceSignal(opening, signal).catch((thrown: unknown) => {
      opening.then((late) => late.close()).catch(() => {});
      throw signal.aborted ? signal.reason : hidOpenFailure(description, thrown);
    });
    const over = new AbortController();
    let presence: Disposable | undefined;
    const { link, receive, end } = wireLink({
      description,
      chunkBytes: MAX_REPORT_BYTES,
      write: async (report) => void (await device.write(Buffer.from(report))),
      async release() {
        presence?.[Symbol.dispose]();
        over.abort(absent(`${description} is gone`));
        await device.close();
      },
    });
    // Without a listener the library's errors end the process. What it emits may be a string.
    device.on("error", (reason) => end(lostLink(description, reason)));
    device.on("data", receive);
    // The library begins to read in the next tick, and ends the process if it was closed before that.
    await nextTurn();
    presence = watchPresence(node.path, clock, () => end(absent(`${description} is gone`)));
    if (signal.aborted) {
      await link.close();
      throw signal.reason;
    }
    return {
      ...link,
      reportDescriptor: node.reportDescriptor,
      async sendFeature(report, featureSignal) {
        featureSignal.throwIfAborted();
        over.signal.throwIfAborted();
        const sending = device.sendFeatureReport(Buffer.from(report)).catch((thrown: unknown) => {
          throw new DeviceError("device_fault", { message: `${description} refused a feature report`, retryable: false, cause: thrown });
        });
        await raceSignal(raceSignal(sending, over.signal), featureSignal);
      },
    };
  };
}

export function notPluggedIn(settings: HidSettings): DeviceError {
  return new DeviceError("device_absent", {
    message: `${hidDescription(settings)} is not plugged in`,
    hint: "Check the cable; a scanner in another USB mode has another productId: `lsusb` lists what is plugged in",
  });
}

async function openWithLibrary(path: string): Promise<HidLibraryDevice> {
  const { HIDAsync } = await import("node-hid");
  return await HIDAsync.open(path);
}

/** Why a device could not be opened; the library tells it as the text of strerror or of the dynamic linker. */
export function hidOpenFailure(description: string, thrown: unknown): DeviceError {
  const text = thrown instanceof Error ? `${(thrown as NodeJS.ErrnoException).code ?? ""} ${thrown.message}` : String(thrown);
  if (/shared object|ERR_DLOPEN_FAILED|ERR_MODULE_NOT_FOUND|no native build|prebuild/i.test(text)) {
    return new DeviceError("unsupported", {
      message: `${description}: the HID library cannot be loaded`,
      hint: "Install libudev1 and libusb-1.0-0; if they are there, install the agent again on this machine (npm ci)",
      cause: thrown,
    });
  }
  if (/EACCES|EPERM|permission|not permitted/i.test(text)) {
    return new DeviceError("device_fault", {
      message: `${description} may not be opened`,
      hint: "Install systemd/70-stationd.rules with the scanner's vendor in the line of hidraw, so that the group stationd may open it; then plug it in again",
      cause: thrown,
    });
  }
  return openFailure(description, thrown);
}
