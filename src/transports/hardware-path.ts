import { readdir, realpath } from "node:fs/promises";
import { basename } from "node:path";
import { hidSocket } from "./hid-sysfs.js";
import type { LinkSettings } from "./settings.js";
import { findInSysfs } from "./usb-sysfs.js";

const BY_PATH = "/dev/serial/by-path";

/**
 * A name of the socket that a device is plugged into, the same after a restart and for a replaced device; for its identity.
 * Best effort: undefined where there is no such thing or the device is away.
 */
export async function hardwarePath(settings: LinkSettings): Promise<string | undefined> {
  switch (settings.kind) {
    case "tcp":
      return `tcp:${settings.host}:${settings.port}`;
    case "usb":
      return await findInSysfs(settings);
    case "serial":
      return (await byPath(settings.path)) ?? (await inSysfs("tty", settings.path));
    case "file":
      return await inSysfs("usbmisc", settings.path);
    case "video":
    case "webcam":
      return settings.device;
    case "http":
    case "https":
      return `${settings.kind}:${settings.host}:${settings.port}`;
    case "hid":
      return await hidSocket(settings);
    case "sane":
    case "none":
    case "process":
    case "pcsc":
    case "simulator":
      return undefined;
  }
}

/** The name under by-path that leads to the same node: made by udev from the bus, not from the device. */
async function byPath(path: string): Promise<string | undefined> {
  const node = await realpath(path).catch(() => undefined);
  if (node === undefined) return undefined;
  for (const name of await readdir(BY_PATH).catch(() => [])) {
    if ((await realpath(`${BY_PATH}/${name}`).catch(() => undefined)) === node) return `${BY_PATH}/${name}`;
  }
  return undefined;
}

async function inSysfs(kind: "tty" | "usbmisc", path: string): Promise<string | undefined> {
  const node = await realpath(path).catch(() => undefined);
  if (node === undefined) return undefined;
  return await realpath(`/sys/class/${kind}/${basename(node)}/device`).catch(() => undefined);
}
