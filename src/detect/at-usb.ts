import { isStable, stableName } from "../doctor/devices.js";
import type { Machine } from "../doctor/machine.js";
import type { Found } from "./found.js";
import { serialOf, type UsbDevice } from "./usb.js";

const PRINTER = 0x07;
const IPP = 0x04;
const CARD_READER = 0x0b;

/** Printers of the USB printer class; those that only speak IPP are for offices. */
export function usbPrinters(all: readonly UsbDevice[]): Found[] {
  return all
    .filter(({ interfaces }) => interfaces.some((one) => one.class === PRINTER && one.protocol !== IPP))
    .map((device) => ({
      id: "receipt",
      driver: "escpos",
      what: `USB printer ${device.name}`,
      notes: ["Is it a receipt printer (ESC/POS)? An office printer prints rubbish."],
      link: { kind: "usb", vendorId: { hex: device.vendorId }, productId: { hex: device.productId }, ...serialOf(device, all) },
    }));
}

/** Card readers as the PC/SC service names them; where it cannot be asked, those that USB shows. */
export async function cardReaders(machine: Machine, all: readonly UsbDevice[]): Promise<Found[]> {
  const told = (await machine.run("pcsc_scan", "-r"))?.out ?? "";
  const listed = [...told.matchAll(/^\d+: (.+)$/gm)].map(([, name = ""]) => name.slice(0, 128));
  const names =
    listed.length > 0
      ? listed
      : all.filter(({ interfaces }) => interfaces.some((one) => one.class === CARD_READER)).map(({ name }) => name);
  return names.map((name) => ({
    id: "id-reader",
    driver: "pcsc",
    what: `Card reader ${name}`,
    link: { kind: "pcsc", ...(names.length > 1 ? { reader: name } : {}) },
    ...(names.length > 1 ? { notes: ["Which one reads ID cards? Leave the others out."] } : {}),
  }));
}

/** Cameras; of their several nodes the first takes pictures, the others tell of them. */
export async function cameras(machine: Machine): Promise<Found[]> {
  const found: Found[] = [];
  for (const name of await machine.list("/sys/class/video4linux")) {
    const folder = `/sys/class/video4linux/${name}`;
    if (!/^video\d+$/.test(name) || (await machine.text(`${folder}/index`))?.trim() !== "0") continue;
    const device = (await stableName(machine, `/dev/${name}`)) ?? `/dev/${name}`;
    found.push({
      id: "camera",
      driver: "ffmpeg",
      what: `Camera ${((await machine.text(`${folder}/name`)) ?? name).trim()}`,
      notes: [...(isStable(device) ? [] : ["The kernel numbers cameras as they come: this name may change."])],
      link: { kind: "video", device },
    });
  }
  return found;
}
