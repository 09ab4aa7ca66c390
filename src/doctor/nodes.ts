import { dirname } from "node:path";
import { findHidNode } from "../transports/hid-sysfs.js";
import type { LinkSettings } from "../transports/settings.js";
import { findInSysfs } from "../transports/usb-sysfs.js";
import type { Machine } from "./machine.js";

const USB_DEVICES = "/sys/bus/usb/devices";

/** What the kernel has of a device. */
export interface Node {
  /** "/dev/ttyACM0", without links. */
  readonly path: string;
  /** Its USB device in sysfs; undefined where it is at no USB. */
  readonly usb: string | undefined;
}

/** The device file that a link leads to; undefined: the link has none, or nothing is plugged in. */
export async function nodeOf(machine: Machine, link: LinkSettings): Promise<Node | undefined> {
  switch (link.kind) {
    case "serial":
      return await named(machine, link.path, "tty");
    case "file":
      return await named(machine, link.path, "usbmisc");
    case "video":
    case "webcam":
      return link.device.startsWith("/") ? await named(machine, link.device, "video4linux") : undefined;
    case "hid": {
      const found = await findHidNode(link, { sysfs: machine.path("/sys/class/hidraw"), dev: "/dev" });
      return found && { path: found.path, usb: await usbAbove(machine, `/sys/class/hidraw/${found.path.slice(5)}/device`) };
    }
    case "usb": {
      const found = await findInSysfs(link, machine.path(USB_DEVICES));
      const usb = found === undefined ? undefined : await machine.real(found.slice(machine.path("/").length - 1));
      return usb === undefined ? undefined : { path: await usbNode(machine, usb), usb };
    }
    default:
      return undefined;
  }
}

async function named(machine: Machine, path: string, kind: string): Promise<Node | undefined> {
  const node = await machine.real(path);
  if (node === undefined) return undefined;
  return { path: node, usb: await usbAbove(machine, `/sys/class/${kind}/${node.slice(node.lastIndexOf("/") + 1)}/device`) };
}

/** The USB device that an interface or what hangs on it belongs to. */
export async function usbAbove(machine: Machine, path: string): Promise<string | undefined> {
  for (let folder = await machine.real(path); folder !== undefined && folder !== "/"; folder = dirname(folder)) {
    if (await machine.facts(`${folder}/idVendor`)) return folder;
  }
  return undefined;
}

/** "/dev/bus/usb/001/004" */
export async function usbNode(machine: Machine, usb: string): Promise<string> {
  const number = async (name: string): Promise<string> => ((await machine.text(`${usb}/${name}`)) ?? "").trim().padStart(3, "0");
  return `/dev/bus/usb/${await number("busnum")}/${await number("devnum")}`;
}
