import { type Checks, type Finding, ok, putInPlace, type Station, skipped } from "./finding.js";
import type { Machine } from "./machine.js";

const SYSTEM = "/usr/lib/systemd/system/stationd.service";
/** A file here replaces that of the package; drop-ins beside it are a station's own and stay. */
const LOCAL = "/etc/systemd/system/stationd.service";
const ENABLED = "/etc/systemd/system/multi-user.target.wants/stationd.service";

/** The unit: installed, as shipped, started at boot. */
export const checkUnit: Checks = async (machine, station) => {
  const installed = await unitFinding(machine, station);
  return [installed, ...(installed.verdict === "failure" ? [] : [await enabledFinding(machine)])];
};

async function unitFinding(machine: Machine, station: Station): Promise<Finding> {
  const id = "unit.installed";
  const local = (await machine.facts(LOCAL)) && (await machine.text(LOCAL));
  const installed = local ?? (await machine.text(SYSTEM));
  const shipped = await station.shippedText("stationd.service");
  if (shipped === undefined) return skipped(id, "the unit: the package has none to compare with");
  if (installed === shipped) return ok(id, "the unit is installed and current");
  const install = `${putInPlace(station, "stationd.service", SYSTEM)} && systemctl daemon-reload`;
  if (local !== undefined) {
    return {
      id,
      verdict: "warning",
      finding: `${LOCAL} replaces the shipped unit`,
      why: "It misses what new versions bring. `systemctl edit stationd` keeps changes apart.",
      mend: `rm ${LOCAL} && ${install}`,
    };
  }
  return installed === undefined
    ? { id, verdict: "failure", finding: "the unit is not installed", why: "Nothing starts the agent.", mend: install }
    : { id, verdict: "warning", finding: "the unit is of another version", why: "Its limits may not fit this agent.", mend: install };
}

async function enabledFinding(machine: Machine): Promise<Finding> {
  const id = "unit.enabled";
  if (await machine.facts(ENABLED)) return ok(id, "the agent is started at boot");
  return {
    id,
    verdict: "failure",
    finding: "the agent is not started at boot",
    why: "After the next power cut the station would stay dead.",
    mend: "systemctl enable stationd",
  };
}
