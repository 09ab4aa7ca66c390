import type { Machine } from "../doctor/machine.js";
import { applicationPage, BAR_CODE_SCANNER_PAGE, findHidNode } from "../transports/hid-sysfs.js";
import type { Found } from "./found.js";
import { SCANNER_MAKERS } from "./serial.js";
import { hex } from "./usb.js";

const HIDRAW = "/sys/class/hidraw";

/** Barcode scanners in HID POS mode, told by their report descriptor, and those of known makers that type as keyboards. */
export async function hidScanners(machine: Machine): Promise<{ readonly found: Found[]; readonly notes: string[] }> {
  const devices = new Map<string, { vendorId: number; productId: number; name: string; serials: Set<string> }>();
  for (const name of await machine.list(HIDRAW)) {
    const uevent = (await machine.text(`${HIDRAW}/${name}/device/uevent`)) ?? "";
    const [, vendor = "", product = ""] = /^HID_ID=[0-9A-F]+:([0-9A-F]+):([0-9A-F]+)$/im.exec(uevent) ?? [];
    const ids = { vendorId: Number.parseInt(vendor, 16), productId: Number.parseInt(product, 16) };
    if (!(ids.vendorId <= 0xffff && ids.productId <= 0xffff)) continue;
    const key = `${ids.vendorId}:${ids.productId}`;
    const device = devices.get(key) ?? { ...ids, name: /^HID_NAME=(.*)$/m.exec(uevent)?.[1] ?? name, serials: new Set<string>() };
    device.serials.add(/^HID_UNIQ=(.*)$/m.exec(uevent)?.[1]?.trim() ?? "");
    devices.set(key, device);
  }
  const found: Found[] = [];
  const notes: string[] = [];
  for (const { vendorId, productId, name, serials } of devices.values()) {
    const node = await findHidNode({ kind: "hid", vendorId, productId, hosted: true }, { sysfs: machine.path(HIDRAW), dev: "/dev" });
    const link = { kind: "hid", vendorId: { hex: vendorId }, productId: { hex: productId } };
    if (node && applicationPage(node.reportDescriptor) === BAR_CODE_SCANNER_PAGE) {
      // The number is needed only to tell two of a make apart.
      const written = [...serials].filter((serial) => /^[\x21-\x7e][\x20-\x7e]{0,127}$/.test(serial));
      const links = serials.size > 1 ? written.map((serial) => ({ ...link, serial })) : [link];
      found.push(...links.map((own): Found => ({ id: "scanner", driver: "hid-pos", what: `Barcode scanner ${name}`, link: own })));
    } else if (Object.hasOwn(SCANNER_MAKERS, hex(vendorId))) {
      notes.push(
        `${name} types as a keyboard, and Vietnamese letters are lost: scan the maker's code for "USB HID POS" or "USB COM port", and detect again.`,
      );
    }
  }
  return { found, notes };
}
