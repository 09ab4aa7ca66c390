import type { LinkSettings } from "../transports/settings.js";
import { type Account, accountOf, groupName, obstacle } from "./accounts.js";
import { type Checks, type Finding, linksOf, ok, type Station, skipped, word } from "./finding.js";
import type { Machine } from "./machine.js";
import { type Node, nodeOf } from "./nodes.js";

/** Links that lead to a device file of this machine. */
type FileLink = Extract<LinkSettings, { kind: "serial" | "file" | "usb" | "hid" | "video" | "webcam" }>;
const FILE_LINKS = new Set<LinkSettings["kind"]>(["serial", "file", "usb", "hid", "video", "webcam"]);

/** The file of each configured device: there, named by what does not change, open to the agent's user, awake. */
export const checkDevices: Checks = async (machine, station) => {
  const account = await accountOf(machine, station.user);
  const links = linksOf(station).flatMap(({ id, link }) => (isFileLink(link) ? [{ id, link }] : []));
  const found = await Promise.all(links.map(({ id, link }) => deviceFindings(machine, station, account, id, link)));
  return found.flat();
};

function isFileLink(link: LinkSettings): link is FileLink {
  return (
    FILE_LINKS.has(link.kind) && !("device" in link && link.device === "TEST") && !("inputFormat" in link && link.inputFormat === "test")
  );
}

async function deviceFindings(
  machine: Machine,
  station: Station,
  account: Account | undefined,
  device: string,
  link: FileLink,
): Promise<Finding[]> {
  const node = await nodeOf(machine, link);
  if (!node) return [await absentFinding(machine, device, link)];
  return [
    await nameFinding(machine, station, device, link, node),
    await accessFinding(machine, station, account, device, link, node),
    await sleepFinding(machine, device, node),
  ].flatMap((finding) => finding ?? []);
}

async function absentFinding(machine: Machine, device: string, link: FileLink): Promise<Finding> {
  const folder =
    link.kind === "serial" ? "/dev/serial/by-id" : link.kind === "video" || link.kind === "webcam" ? "/dev/v4l/by-id" : undefined;
  const there = folder === undefined ? [] : await machine.list(folder);
  return {
    id: `device.${device}`,
    verdict: "failure",
    finding: `${device}: ${wordsOf(link)} is not there`,
    why:
      there.length === 0 ? "It is not plugged in, has no power, or the configuration names another one." : `There is: ${there.join(", ")}`,
    advice: "Check cable and power, then `stationd detect`: it prints what is plugged in as configuration.",
  };
}

/** Names such as ttyUSB0 are given in the order of plugging in. */
async function nameFinding(machine: Machine, station: Station, device: string, link: FileLink, node: Node): Promise<Finding | undefined> {
  const told = "path" in link ? link.path : "device" in link ? link.device : "";
  if (isStable(told)) return undefined;
  const stable = await stableName(machine, node.path);
  if (stable === undefined || !/^[\w.:+/-]+$/.test(stable)) return undefined;
  return {
    id: `device.${device}.name`,
    verdict: "warning",
    finding: `${device}: ${told} may be another device after the next start`,
    why: "The kernel numbers devices as they come.",
    mend: `sed -i ${word(`s|${told}\\b|${stable}|g`)} ${word(station.configFile)}`,
  };
}

/** Whether the kernel would not give the name to the next device that comes. */
export function isStable(path: string): boolean {
  return !/^\/dev\/(tty(USB|ACM)|video|usb\/lp)\d+$/.test(path);
}

/** A name by what the device is, else by where it is plugged in. */
export async function stableName(machine: Machine, node: string): Promise<string | undefined> {
  for (const folder of ["/dev/serial/by-id", "/dev/v4l/by-id", "/dev/stationd", "/dev/serial/by-path", "/dev/v4l/by-path"]) {
    for (const name of await machine.list(folder)) {
      if ((await machine.real(`${folder}/${name}`)) === node) return `${folder}/${name}`;
    }
  }
  return undefined;
}

async function accessFinding(
  machine: Machine,
  station: Station,
  account: Account | undefined,
  device: string,
  link: FileLink,
  node: Node,
): Promise<Finding> {
  const id = `device.${device}.access`;
  if (!account) return skipped(id, `${device}: who may open it: no user ${station.user} yet`);
  const closed = await obstacle(machine, account, node.path, "rw");
  if (closed === undefined) return ok(id, `${device}: ${node.path} is open to ${account.name}`);
  const facts = await machine.facts(node.path);
  const group = facts && (await groupName(machine, facts.gid));
  const base = {
    id,
    verdict: "failure" as const,
    finding: `${device}: ${closed} is closed to ${account.name}${group === undefined ? "" : ` (group ${group})`}`,
    why: "The agent cannot open it.",
  };
  if (closed === node.path && facts && /^\/dev\/ttyS\d+$/.test(node.path) && group !== "root" && (facts.mode & 0o060) === 0o060) {
    return { ...base, mend: `usermod -aG ${word(group ?? String(facts.gid))} ${word(account.name)} && systemctl try-restart stationd` };
  }
  const rule = await ownRule(machine, station, device, link, node);
  const reload = `udevadm control --reload && udevadm trigger --settle ${word(`--name-match=${node.path}`)}`;
  return { ...base, mend: rule === undefined ? reload : `${rule} && ${reload}` };
}

/** A rule for a device that the shipped ones leave out: HID by vendor, printers that are none to USB. */
async function ownRule(
  machine: Machine,
  { shippedText }: Station,
  device: string,
  link: FileLink,
  { usb }: Node,
): Promise<string | undefined> {
  if (link.kind !== "hid" && link.kind !== "usb") return undefined;
  const hex = (id: number): string => id.toString(16).padStart(4, "0");
  const rules = (await shippedText("70-stationd.rules")) ?? "";
  if (link.kind === "hid" && rules.includes(`*:${hex(link.vendorId).toUpperCase()}:*`)) return undefined;
  if (link.kind === "usb" && usb !== undefined && (await isPrinter(machine, usb))) return undefined;
  const match =
    link.kind === "hid"
      ? `SUBSYSTEM=="hidraw", KERNELS=="*:${hex(link.vendorId).toUpperCase()}:${hex(link.productId).toUpperCase()}.*"`
      : `SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="${hex(link.vendorId)}", ATTR{idProduct}=="${hex(link.productId)}"`;
  return `echo '${match}, GROUP="stationd", MODE="0660", TAG+="stationd"' > /etc/udev/rules.d/71-stationd-${device}.rules`;
}

/** Whether the USB device has an interface of the printer class. */
export async function isPrinter(machine: Machine, usb: string): Promise<boolean> {
  for (const name of await machine.list(usb)) {
    if (name.includes(":") && (await machine.text(`${usb}/${name}/bInterfaceClass`))?.trim() === "07") return true;
  }
  return false;
}

async function sleepFinding(machine: Machine, device: string, { usb }: Node): Promise<Finding | undefined> {
  const id = `device.${device}.autosuspend`;
  const control = usb === undefined ? undefined : `${usb}/power/control`;
  const state = control === undefined ? undefined : (await machine.text(control))?.trim();
  if (control === undefined || state === undefined) return undefined;
  if (state !== "auto") return ok(id, `${device}: stays awake`);
  return {
    id,
    verdict: "failure",
    finding: `${device}: USB autosuspend is on`,
    why: "It would go silent after seconds. The udev rules keep it awake after the next plugging in.",
    mend: `echo on > ${word(control)}`,
  };
}

function wordsOf(link: FileLink): string {
  const hex = (id: number): string => id.toString(16).padStart(4, "0");
  if ("vendorId" in link) return `${link.kind} ${hex(link.vendorId)}:${hex(link.productId)}`;
  return "path" in link ? link.path : link.device;
}
