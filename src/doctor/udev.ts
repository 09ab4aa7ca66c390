import { type Checks, type Finding, ok, putInPlace, type Station, skipped } from "./finding.js";
import type { Machine } from "./machine.js";

const NAME = "70-stationd.rules";
const INSTALLED = `/usr/lib/udev/rules.d/${NAME}`;
/** A file here replaces the one of the same name of a package. */
const LOCAL = `/etc/udev/rules.d/${NAME}`;
const RELOAD = "udevadm control --reload && udevadm trigger --settle";

/** udev rules: installed, and as shipped with this version. */
export const checkUdev: Checks = async (machine, station) => [await rulesFinding(machine, station)];

/** Whether rules of ours are in force, whichever. */
export async function hasRules(machine: Machine): Promise<boolean> {
  return ((await machine.text(LOCAL)) ?? (await machine.text(INSTALLED)) ?? "") !== "";
}

async function rulesFinding(machine: Machine, station: Station): Promise<Finding> {
  const id = "udev.rules";
  const shipped = await station.shippedText(NAME);
  if (shipped === undefined) return skipped(id, "udev rules: the package has none to compare with");
  const local = await machine.text(LOCAL);
  const installed = await machine.text(INSTALLED);
  const install = `${putInPlace(station, NAME, INSTALLED)} && ${RELOAD}`;
  const why = "They give devices to the agent, keep them awake and keep other programs off.";
  if (local !== undefined && local !== shipped) {
    const empty = local.trim() === "";
    return {
      id,
      verdict: empty ? "failure" : "warning",
      finding: empty ? `${LOCAL} is empty and turns the rules off` : `${LOCAL} replaces the shipped rules`,
      why: empty ? why : "Right where it was written for this station; otherwise it is out of date.",
      mend: `rm ${LOCAL} && ${install}`,
    };
  }
  if (local !== undefined || installed === shipped) return ok(id, "udev rules are installed and current");
  return {
    id,
    verdict: "failure",
    finding: installed === undefined ? "udev rules are not installed" : "udev rules are out of date",
    why,
    mend: install,
  };
}
