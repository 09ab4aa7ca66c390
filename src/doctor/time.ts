import { type Checks, type Finding, hasSystemd, ok, type Station, skipped } from "./finding.js";
import type { Machine } from "./machine.js";

const SERVICES = ["systemd-timesyncd.service", "chrony.service", "ntpsec.service", "ntp.service", "openntpd.service"] as const;
/** Clocks of two machines are never quite the same. */
const GRACE_MS = 10 * 60_000;

/** The clock: kept by a service, synchronised, and not before what has already happened. */
export const checkTime: Checks = async (machine, station) => [
  await serviceFinding(machine),
  await synchronisedFinding(machine),
  await plausibleFinding(machine, station),
];

async function serviceFinding(machine: Machine): Promise<Finding> {
  const id = "clock.service";
  for (const name of SERVICES) {
    if (await machine.facts(`/usr/lib/systemd/system/${name}`)) return ok(id, `${name.replace(".service", "")} keeps the clock`);
  }
  return {
    id,
    verdict: "failure",
    finding: "nothing keeps the clock right",
    why: "Expiry of cards and certificates, payments and receipts go by it.",
    mend: "apt-get update && apt-get install -y systemd-timesyncd",
  };
}

async function synchronisedFinding(machine: Machine): Promise<Finding> {
  const id = "clock.synchronised";
  if (!(await hasSystemd(machine))) return skipped(id, "whether the clock is synchronised: systemd does not run here");
  const answer = (await machine.run("timedatectl", "show", "--property=NTP", "--property=NTPSynchronized"))?.out ?? "";
  if (answer.includes("NTPSynchronized=yes")) return ok(id, "the clock is synchronised");
  const off = answer.includes("NTP=no");
  return {
    id,
    verdict: "warning",
    finding: off ? "synchronisation of the clock is turned off" : "the clock is not synchronised (yet)",
    why: "Expiry of cards and certificates, payments and receipts go by it.",
    ...(off ? { mend: "timedatectl set-ntp true" } : { advice: "Does the station reach a time server? `timedatectl timesync-status`" }),
  };
}

/** A board whose battery is empty starts in the past. */
async function plausibleFinding(machine: Machine, { config, configFile, shipped }: Station): Promise<Finding> {
  const id = "clock.plausible";
  const witnesses = [`${shipped}/stationd.service`, configFile, ...(config ? [`${config.agent.stateDir}/journal.sqlite`] : [])];
  const times = await Promise.all(witnesses.map(async (file) => (await machine.facts(file))?.modifiedMs ?? 0));
  const latest = Math.max(...times);
  const text = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  if (machine.now() >= latest - GRACE_MS) return ok(id, `it is ${text(machine.now())}`);
  return {
    id,
    verdict: "failure",
    finding: `it is ${text(machine.now())}, before ${text(latest)}, when ${witnesses[times.indexOf(latest)]} was written`,
    why: "An empty battery on the board? Until it is right, cards and certificates are judged wrongly.",
    mend: `date --set=@${Math.ceil(latest / 1_000)}`,
  };
}
