import { basename, dirname } from "node:path";
import type { ConfigProblem } from "../config/config-error.js";
import { type Account, accountOf, obstacle } from "./accounts.js";
import { type Checks, type Finding, linksOf, ok, type Station, skipped, word } from "./finding.js";
import type { Machine } from "./machine.js";

/** What the unit's LoadCredential= makes of files in /etc/stationd/credentials. */
const CREDENTIAL = /^\/run\/credentials\/stationd\.service\/stationd_(.+)$/;
const CREDENTIALS = "/etc/stationd/credentials";

/** The configuration: it loads, only the agent may read it, and the files that it names can be read. */
export function configChecks(problems: readonly ConfigProblem[]): Checks {
  return async (machine, station) => {
    const account = await accountOf(machine, station.user);
    return [
      loadFinding(machine, station, problems),
      await accessFinding(machine, station, account),
      ...(await Promise.all(secretFiles(station).map((file) => secretFinding(machine, station, account, file)))),
    ];
  };
}

function loadFinding(machine: Machine, { configFile, config }: Station, problems: readonly ConfigProblem[]): Finding {
  const id = "config.loads";
  if (config) return ok(id, `${configFile}: ${config.devices.length} devices`);
  const [first] = problems;
  if (machine.uid !== 0 && first?.message === "this user may not read the file") {
    const why = "What the devices need is not looked at.";
    return { id, verdict: "warning", finding: `you may not read ${configFile}`, why, advice: "sudo stationd doctor" };
  }
  const place = first?.line === undefined ? "" : ` line ${first.line}:`;
  return {
    id,
    verdict: "failure",
    finding: `${configFile}:${place} ${first?.path ? `${first.path}: ` : ""}${first?.message ?? "it cannot be read"}`,
    why: "The agent does not start with it (exit code 78).",
    advice: `stationd config check ${word(configFile)} lists ${problems.length === 1 ? "it" : `all ${problems.length} problems`}`,
  };
}

async function accessFinding(machine: Machine, station: Station, account: Account | undefined): Promise<Finding> {
  const id = "config.access";
  const { configFile, user } = station;
  const facts = await machine.facts(configFile);
  if (!facts || !account)
    return skipped(id, facts ? `who may read ${configFile}: no user ${user} yet` : `${configFile} cannot be looked at`);
  const closed = await obstacle(machine, account, configFile, "r");
  const mend = `chown root:${word(user)} ${word(configFile)} && chmod 640 ${word(configFile)}`;
  if (closed === configFile)
    return { id, verdict: "failure", finding: `${user} may not read ${configFile}`, why: "The agent does not start.", mend };
  if (closed !== undefined) {
    const fold = `chown root:${word(user)} ${word(closed)} && chmod 750 ${word(closed)}`;
    return { id, verdict: "failure", finding: `${user} may not enter ${closed}`, why: "The agent does not start.", mend: fold };
  }
  if ((facts.mode & 0o007) !== 0 && !(await shut(machine, configFile))) {
    return {
      id,
      verdict: "warning",
      finding: `every user may read ${configFile}`,
      why: "It may hold passwords of payment terminals.",
      mend,
    };
  }
  return ok(id, "only root and the agent may read the configuration");
}

/** A folder that is closed to others closes what is in it. */
async function shut(machine: Machine, file: string): Promise<boolean> {
  return (((await machine.facts(dirname(file)))?.mode ?? 0) & 0o001) === 0;
}

interface SecretFile {
  readonly path: string;
  readonly secret: boolean;
}

function secretFiles(station: Station): SecretFile[] {
  const { tls } = station.config?.server ?? {};
  return [
    ...(tls
      ? [
          { path: tls.certFile, secret: false },
          { path: tls.keyFile, secret: true },
        ]
      : []),
    ...linksOf(station).flatMap(({ link }) => (link.kind === "https" ? [{ path: link.caFile, secret: false }] : [])),
  ];
}

async function secretFinding(machine: Machine, { user }: Station, account: Account | undefined, file: SecretFile): Promise<Finding> {
  // systemd reads them as root: the copy for the agent exists only while it runs.
  const credential = CREDENTIAL.exec(file.path)?.[1];
  const path = credential === undefined ? file.path : `${CREDENTIALS}/${credential}`;
  const id = `config.file.${basename(path)}`;
  const facts = await machine.facts(path);
  const why = "The agent does not start without it.";
  if (!facts) {
    const hidden = machine.uid !== 0 && credential !== undefined;
    return hidden
      ? skipped(id, `only root can look into ${CREDENTIALS}`)
      : { id, verdict: "failure", finding: `${path} is missing`, why, advice: `Copy it there, and run stationd doctor again` };
  }
  if (file.secret && (facts.mode & 0o007) !== 0 && !(await shut(machine, path))) {
    return {
      id,
      verdict: "failure",
      finding: `every user may read the key ${path}`,
      why: "Who has the key can pose as this station.",
      mend: `chown root:${credential === undefined ? word(user) : "root"} ${word(path)} && chmod 640 ${word(path)}`,
    };
  }
  if (credential !== undefined || !account) return ok(id, `${path} is there`);
  const closed = await obstacle(machine, account, path, "r");
  if (closed === undefined) return ok(id, `${path} can be read by ${user}`);
  const mend = closed === path ? `chown root:${word(user)} ${word(path)} && chmod 640 ${word(path)}` : `chmod o+x ${word(closed)}`;
  return { id, verdict: "failure", finding: `${user} may not ${closed === path ? "read" : "enter"} ${closed}`, why, mend };
}
