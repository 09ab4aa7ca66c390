import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { LinkSettings } from "./settings.js";

export type HidSettings = Extract<LinkSettings, { kind: "hid" }>;

/** Where Linux keeps its hidraw devices; other folders in tests. */
export interface HidRoots {
  readonly sysfs: string;
  readonly dev: string;
}
export const HID_ROOTS: HidRoots = { sysfs: "/sys/class/hidraw", dev: "/dev" };

export interface HidNode {
  /** "/dev/hidraw3" */
  readonly path: string;
  readonly reportDescriptor: Uint8Array;
}

/** HID_MAX_DESCRIPTOR_SIZE of the kernel. */
const MAX_DESCRIPTOR_BYTES = 4_096;

/**
 * The interface of a plugged-in device, read from sysfs only: nothing is opened and nothing can hang. A device has one
 * node per interface; wanted is the one whose descriptor has the bar code scanner's page, and its keyboard only where
 * there is nothing else.
 */
export async function findHidNode(settings: HidSettings, roots = HID_ROOTS): Promise<HidNode | undefined> {
  const names = (await readdir(roots.sysfs).catch(() => [])).filter((name) => /^hidraw\d+$/.test(name));
  names.sort((a, b) => Number(a.slice(6)) - Number(b.slice(6)));
  const nodes = await Promise.all(names.map((name) => nodeOf(settings, roots, name)));
  const found = nodes.filter((node) => node !== undefined);
  return found.sort((a, b) => rank(a.reportDescriptor) - rank(b.reportDescriptor))[0];
}

/**
 * Where the interface is on the bus, e.g. "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0": the same for the same
 * socket after a restart, which the kernel's own name of the HID device below it, counted upwards, is not.
 */
export async function hidSocket(settings: HidSettings, roots = HID_ROOTS): Promise<string | undefined> {
  const node = await findHidNode(settings, roots);
  const device = node && (await realpath(`${roots.sysfs}/${basename(node.path)}/device`).catch(() => undefined));
  return device && dirname(device);
}

async function nodeOf(settings: HidSettings, { sysfs, dev }: HidRoots, name: string): Promise<HidNode | undefined> {
  const device = `${sysfs}/${name}/device`;
  const [uevent, descriptor] = await Promise.all([
    readFile(`${device}/uevent`, "utf8").catch(() => ""),
    readFile(`${device}/report_descriptor`).catch(() => undefined),
  ]);
  // HID_ID=0003:00000C2E:00000B81: bus, vendor, product.
  const [, vendor = "", product = ""] = /^HID_ID=[0-9A-F]+:([0-9A-F]+):([0-9A-F]+)$/im.exec(uevent) ?? [];
  if (Number.parseInt(vendor, 16) !== settings.vendorId || Number.parseInt(product, 16) !== settings.productId) return undefined;
  if (settings.serial !== undefined && /^HID_UNIQ=(.*)$/m.exec(uevent)?.[1]?.trim() !== settings.serial) return undefined;
  if (!descriptor || descriptor.length === 0 || descriptor.length > MAX_DESCRIPTOR_BYTES) return undefined;
  return { path: `${dev}/${name}`, reportDescriptor: new Uint8Array(descriptor) };
}

export const BAR_CODE_SCANNER_PAGE = 0x8c;
const GENERIC_DESKTOP_PAGE = 0x01;

/** The lower, the more likely what a driver wants. */
function rank(descriptor: Uint8Array): number {
  const page = applicationPage(descriptor);
  if (page === BAR_CODE_SCANNER_PAGE) return 0;
  return page === GENERIC_DESKTOP_PAGE ? 2 : 1;
}

/** Usage page of the first collection (HID 1.11 §6.2.2.2: prefix with size, type and tag; 3 stands for 4 bytes). */
export function applicationPage(descriptor: Uint8Array): number | undefined {
  let page: number | undefined;
  for (let at = 0; at < descriptor.length; ) {
    const prefix = descriptor[at] ?? 0;
    const size = (prefix & 3) === 3 ? 4 : prefix & 3;
    if ((prefix & 0xfc) === 0x04) page = (descriptor[at + 1] ?? 0) | (size > 1 ? (descriptor[at + 2] ?? 0) << 8 : 0);
    if ((prefix & 0xfc) === 0xa0) return page;
    at += 1 + size;
  }
  return undefined;
}

/** "hid 0c2e:0b81" */
export function hidDescription({ vendorId, productId, serial }: HidSettings): string {
  const hex = (id: number): string => id.toString(16).padStart(4, "0");
  return `hid ${hex(vendorId)}:${hex(productId)}${serial === undefined ? "" : ` ${serial}`}`;
}
