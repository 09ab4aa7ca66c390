import { accountOf, groupId, userName } from "./accounts.js";
import { type Checks, type Finding, ok, putInPlace, type Station, skipped, word } from "./finding.js";
import type { Machine } from "./machine.js";

const GROUPS = ["stationd-service", "stationd-technician"] as const;
const TMPFILES = "/usr/lib/tmpfiles.d/stationd.conf";

/** The agent's user, the groups of its sockets, who asks, and the folders whose permissions tell the sockets apart. */
export const checkUsers: Checks = async (machine, station) => [
  await userFinding(machine, station),
  await callerFinding(machine),
  await foldersFinding(machine, station),
];

async function userFinding(machine: Machine, station: Station): Promise<Finding> {
  const id = "users.agent";
  const missing = [
    ...((await accountOf(machine, station.user)) ? [] : [`user ${station.user}`]),
    ...(await Promise.all(GROUPS.map(async (name) => ((await groupId(machine, name)) === undefined ? [`group ${name}`] : [])))).flat(),
  ];
  if (missing.length === 0) return ok(id, `user ${station.user}, groups ${GROUPS.join(" and ")}`);
  return {
    id,
    verdict: "failure",
    finding: `missing: ${missing.join(", ")}`,
    why: "The agent runs as a user of its own, and its two sockets are told apart by group.",
    mend: `${putInPlace(station, "stationd.sysusers.conf", "/usr/lib/sysusers.d/stationd.conf")} && systemd-sysusers`,
  };
}

/** Root may do everything; anybody else needs the group for the agent, and sudo for most of what is looked at here. */
async function callerFinding(machine: Machine): Promise<Finding> {
  const id = "users.you";
  if (machine.uid === undefined || machine.uid === 0) return ok(id, "you are root");
  const name = await userName(machine, machine.uid);
  const technician = await groupId(machine, "stationd-technician");
  const account = name === undefined ? undefined : await accountOf(machine, name);
  if (name !== undefined && technician !== undefined && !account?.gids.has(technician)) {
    return {
      id,
      verdict: "warning",
      finding: `${name} is not in the group stationd-technician`,
      why: "The agent's socket for technicians is closed to you. Log in again afterwards.",
      mend: `usermod -aG stationd-technician ${word(name)}`,
    };
  }
  return skipped(id, "you are not root: what only root can read is not looked at (sudo stationd doctor)");
}

async function foldersFinding(machine: Machine, station: Station): Promise<Finding> {
  const id = "users.folders";
  const wanted = [...((await station.shippedText("stationd.tmpfiles.conf")) ?? "").matchAll(/^d (\S+) +(\d+) (\S+) +(\S+)/gm)];
  const wrong: { readonly path: string; readonly finding: string }[] = [];
  for (const [, path = "", mode = "", user = "", group = ""] of wanted) {
    const facts = await machine.facts(path);
    const owner = await accountOf(machine, user);
    if (!facts) {
      // Below a folder that is closed to who asks, nothing can be said.
      if (machine.uid !== 0 && (await machine.facts(path.slice(0, path.lastIndexOf("/"))))) continue;
      wrong.push({ path, finding: `${path} is missing` });
    } else if (facts.mode !== Number.parseInt(mode, 8) || facts.uid !== owner?.uid || facts.gid !== (await groupId(machine, group))) {
      wrong.push({ path, finding: `${path} is not ${user}:${group} ${mode.replace(/^0/, "")}` });
    }
  }
  const [first] = wrong;
  if (first === undefined) return ok(id, "the agent's folders have the right owners and modes");
  return {
    id,
    verdict: "failure",
    finding: wrong.length === 1 ? first.finding : `folders are missing or not as they must be: ${wrong.map(({ path }) => path).join(", ")}`,
    why: "These permissions keep the state private and tell citizens' pages from technicians.",
    mend: `${putInPlace(station, "stationd.tmpfiles.conf", TMPFILES)} && systemd-tmpfiles --create ${TMPFILES}`,
  };
}
