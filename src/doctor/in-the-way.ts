import { type Checks, type Finding, linksOf, ok } from "./finding.js";
import type { Machine } from "./machine.js";
import { hasRules } from "./udev.js";

const UNITS = "/usr/lib/systemd/system";
const MASKS = "/etc/systemd/system";

/** Programs and kernel modules that take devices which the agent wants. */
export const checkInTheWay: Checks = async (machine, station) => {
  const links = linksOf(station).map(({ link }) => link);
  const atUsb = links.some(({ kind }) => kind === "usb");
  const throughFile = links.some((link) => link.kind === "file" && /\/(usb\/lp|stationd\/printer)/.test(link.path));
  const serial = links.some(({ kind }) => kind === "serial");
  return [
    ...(atUsb && !throughFile ? [await usblp(machine)] : []),
    ...(serial ? [await modemManager(machine), await brltty(machine)] : []),
  ];
};

async function usblp(machine: Machine): Promise<Finding> {
  const id = "in-the-way.usblp";
  const loaded = /^usblp /m.test((await machine.text("/proc/modules")) ?? "");
  if (!loaded) return ok(id, "the kernel's usblp is not loaded");
  return {
    id,
    verdict: "warning",
    finding: "the kernel's usblp is loaded",
    why: "It takes the printer whenever the agent does not hold it, and CUPS may print through it.",
    mend: "echo 'blacklist usblp' > /etc/modprobe.d/stationd-usblp.conf && modprobe -r usblp",
  };
}

async function modemManager(machine: Machine): Promise<Finding> {
  const id = "in-the-way.modemmanager";
  if (!(await machine.facts(`${UNITS}/ModemManager.service`))) return ok(id, "ModemManager is not installed");
  if ((await machine.real(`${MASKS}/ModemManager.service`)) === "/dev/null") return ok(id, "ModemManager is masked");
  if (await hasRules(machine)) return ok(id, "ModemManager is kept off by the udev rules");
  return {
    id,
    verdict: "failure",
    finding: "ModemManager probes serial devices",
    why: "It sends AT commands to printers and scanners. Only a station with a modem needs it.",
    mend: "systemctl mask --now ModemManager.service",
  };
}

async function brltty(machine: Machine): Promise<Finding> {
  const id = "in-the-way.brltty";
  const there =
    (await machine.facts("/usr/bin/brltty")) ?? (await machine.facts("/usr/sbin/brltty")) ?? (await machine.facts("/sbin/brltty"));
  if (!there) return ok(id, "brltty is not installed");
  return {
    id,
    verdict: "warning",
    finding: "brltty is installed",
    why: "It takes CH340 and other serial adapters for Braille displays, and the device is gone.",
    mend: "apt-get purge -y brltty",
  };
}
