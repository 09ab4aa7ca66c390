import { accountOf, obstacle } from "./accounts.js";
import { type Checks, type Finding, ok, type Station, skipped, word } from "./finding.js";
import type { Machine } from "./machine.js";

const TOO_LITTLE_BYTES = 64 << 20;
const LITTLE_BYTES = 256 << 20;

/** The state folder: the agent's own, and with room for the journal. */
export const checkStorage: Checks = async (machine, station) => [
  await folderFinding(machine, station),
  await spaceFinding(machine, station),
];

async function folderFinding(machine: Machine, { config, user }: Station): Promise<Finding> {
  const id = "disk.state";
  const account = await accountOf(machine, user);
  if (!config || !account)
    return skipped(
      id,
      config ? `who may write the state folder: no user ${user} yet` : "the state folder: the configuration does not load",
    );
  const folder = config.agent.stateDir;
  const files = (await machine.list(folder)).map((name) => `${folder}/${name}`);
  const closed = await Promise.all([
    obstacle(machine, account, folder, "rwx"),
    ...files.map(async (file) => ((await machine.facts(file))?.kind === "file" ? obstacle(machine, account, file, "rw") : undefined)),
  ]);
  const first = closed.find((path) => path !== undefined);
  if (first === undefined) return ok(id, `${folder} can be written by ${user}`);
  if (machine.uid !== 0 && machine.uid !== account.uid && first.startsWith(`${folder}/`))
    return skipped(id, `only root can look into ${folder}`);
  const owner = `${word(user)}:`;
  return {
    id,
    verdict: "failure",
    finding: `${first} cannot be written by ${user}`,
    why: "Without the journal there are no payments, and no print is kept from happening twice.",
    mend: `install -d -o ${word(user)} -g ${word(user)} -m 700 ${word(folder)} && chown -R ${owner} ${word(folder)}`,
  };
}

async function spaceFinding(machine: Machine, { config }: Station): Promise<Finding> {
  const id = "disk.space";
  const wanted = config?.agent.stateDir ?? "/var/lib/stationd";
  const folder = [wanted, "/var/lib", "/"].find((path) => wanted.startsWith(path)) ?? "/";
  const free = (await machine.freeBytes(wanted)) ?? (await machine.freeBytes(folder)) ?? (await machine.freeBytes("/"));
  if (free === undefined) return skipped(id, "free space cannot be told");
  const words = `${Math.floor(free / (1 << 20)).toLocaleString("en")} MB are free for ${wanted}`;
  if (free >= LITTLE_BYTES) return ok(id, words);
  return {
    id,
    verdict: free < TOO_LITTLE_BYTES ? "failure" : "warning",
    finding: `only ${words}`,
    why: "On a full disk new payments are refused, and terminals take back those under way.",
    mend: "apt-get clean && journalctl --vacuum-size=100M",
  };
}
