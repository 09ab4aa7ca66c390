import type { Machine } from "../doctor/machine.js";

const DEVICES = "/sys/bus/usb/devices";

export interface UsbDevice {
  readonly vendorId: number;
  readonly productId: number;
  readonly serial: string;
  /** "EPSON TM-T20III" */
  readonly name: string;
  /** Class and protocol of each interface. */
  readonly interfaces: readonly { readonly class: number; readonly protocol: number }[];
}

/** What is plugged into USB, as the kernel has read it: nothing is opened. */
export async function usbDevices(machine: Machine): Promise<UsbDevice[]> {
  const names = await machine.list(DEVICES);
  const devices = await Promise.all(
    names.filter((name) => !name.includes(":")).map((name) => usbDevice(machine, `${DEVICES}/${name}`, names)),
  );
  return devices.flatMap((device) => device ?? []);
}

/** @param names of everything on the bus; interfaces are named after their device: `1-2:1.0` */
async function usbDevice(machine: Machine, path: string, names: readonly string[]): Promise<UsbDevice | undefined> {
  const text = async (name: string): Promise<string> => ((await machine.text(`${path}/${name}`)) ?? "").trim();
  const [vendorId, productId] = [Number.parseInt(await text("idVendor"), 16), Number.parseInt(await text("idProduct"), 16)];
  if (Number.isNaN(vendorId) || Number.isNaN(productId)) return undefined;
  const own = names.filter((name) => name.startsWith(`${path.slice(DEVICES.length + 1)}:`));
  const code = async (name: string, field: string): Promise<number> =>
    Number.parseInt((await machine.text(`${DEVICES}/${name}/${field}`)) ?? "", 16);
  return {
    vendorId,
    productId,
    serial: await text("serial"),
    name:
      [await text("manufacturer"), await text("product")].filter((part) => part !== "").join(" ") ||
      `USB ${hex(vendorId)}:${hex(productId)}`,
    interfaces: await Promise.all(
      own.map(async (name) => ({ class: await code(name, "bInterfaceClass"), protocol: await code(name, "bInterfaceProtocol") })),
    ),
  };
}

/** The serial number, where it is needed to tell two of a make apart and can be written down. */
export function serialOf(device: UsbDevice, all: readonly UsbDevice[]): { serial?: string } {
  const twins = all.filter(({ vendorId, productId }) => vendorId === device.vendorId && productId === device.productId);
  return twins.length > 1 && /^[\x21-\x7e][\x20-\x7e]{0,127}$/.test(device.serial) ? { serial: device.serial } : {};
}

export function hex(id: number): string {
  return id.toString(16).padStart(4, "0");
}
