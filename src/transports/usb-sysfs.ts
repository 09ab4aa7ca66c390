import { readdir, readFile, realpath } from "node:fs/promises";
import type { LinkSettings } from "./settings.js";

export type UsbSettings = Extract<LinkSettings, { kind: "usb" }>;

const DEVICES = "/sys/bus/usb/devices";

/**
 * Where the kernel keeps the device, e.g. "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2": the same for the same socket
 * after a restart. Undefined when it is not plugged in, or the machine has no USB.
 */
export async function findInSysfs(settings: UsbSettings, root = DEVICES): Promise<string | undefined> {
  const names = await readdir(root).catch(() => []);
  for (const name of names.sort()) {
    const [vendor, product, serial] = await Promise.all(
      ["idVendor", "idProduct", "serial"].map((field) => readFile(`${root}/${name}/${field}`, "utf8").catch(() => "")),
    );
    if (Number.parseInt(vendor ?? "", 16) !== settings.vendorId || Number.parseInt(product ?? "", 16) !== settings.productId) continue;
    if (settings.serial !== undefined && serial?.trim() !== settings.serial) continue;
    return await realpath(`${root}/${name}`);
  }
  return undefined;
}
