import type { Machine } from "../doctor/machine.js";
import { usbAbove } from "../doctor/nodes.js";
import type { Found } from "./found.js";

/** Makers of barcode scanners by USB vendor id, with the dialect of their commands. */
export const SCANNER_MAKERS: Readonly<Record<string, string>> = {
  "0c2e": "honeywell",
  "1eab": "newland",
  "05e0": "plain",
  "05f9": "plain",
};

/** Serial lines by the name that stays; what hangs on an adapter, nothing can tell. */
export async function serialLines(machine: Machine): Promise<Found[]> {
  const found: Found[] = [];
  const seen = new Set<string>();
  for (const folder of ["/dev/serial/by-id", "/dev/serial/by-path"]) {
    for (const name of await machine.list(folder)) {
      const path = `${folder}/${name}`;
      const node = await machine.real(path);
      if (node === undefined || seen.has(node)) continue;
      seen.add(node);
      const usb = await usbAbove(machine, `/sys/class/tty/${node.slice(node.lastIndexOf("/") + 1)}/device`);
      const vendor = usb === undefined ? "" : ((await machine.text(`${usb}/idVendor`)) ?? "").trim().toLowerCase();
      found.push(lineOf(name, path, SCANNER_MAKERS[vendor]));
    }
  }
  return found;
}

function lineOf(name: string, path: string, dialect: string | undefined): Found {
  const what = `Serial line ${name}`;
  if (dialect === undefined) {
    return {
      id: "serial",
      driver: "escpos",
      what,
      notes: [
        '"escpos": a receipt printer, "serial-scanner": a barcode scanner, "zvt": a card terminal.',
        "baudRate: as the device is set.",
      ],
      link: { kind: "serial", path, baudRate: 9_600 },
      open: true,
    };
  }
  return {
    id: "scanner",
    driver: "serial-scanner",
    what,
    notes: ["baudRate: over USB any will do."],
    settings: { dialect },
    link: { kind: "serial", path, baudRate: 115_200 },
  };
}
