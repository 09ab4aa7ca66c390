import type { Machine } from "../doctor/machine.js";
import { cameras, cardReaders, usbPrinters } from "./at-usb.js";
import { type Found, named } from "./found.js";
import { hidScanners } from "./hid-scanners.js";
import { paperScanners } from "./paper-scanners.js";
import { serialLines } from "./serial.js";
import { usbDevices } from "./usb.js";

export interface Detected {
  readonly found: readonly Found[];
  /** What was seen and cannot be used as it is. */
  readonly notes: readonly string[];
}

/** Looks for hardware that a driver is there for. Opens no device; readers and paper scanners are asked through their services. */
export async function detect(machine: Machine): Promise<Detected> {
  const usb = await usbDevices(machine);
  const [hid, ...others] = await Promise.all([
    hidScanners(machine),
    usbPrinters(usb),
    serialLines(machine),
    cardReaders(machine, usb),
    paperScanners(machine),
    cameras(machine),
  ]);
  return { found: named([...hid.found, ...others.flat()]), notes: hid.notes };
}
