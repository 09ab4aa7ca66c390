import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError, type ConfigProblem } from "../config/config-error.js";
import { processEnvironment } from "../config/environment.js";
import { loadConfig } from "../config/load.js";
import type { StationConfig } from "../config/types.js";
import { drivers } from "../drivers/index.js";
import { checkBrowser } from "./browser.js";
import { checkCardService } from "./card-service.js";
import { configChecks } from "./config-file.js";
import { checkDevices } from "./devices.js";
import type { Checks, Finding } from "./finding.js";
import { checkInTheWay } from "./in-the-way.js";
import type { Machine } from "./machine.js";
import { checkPort } from "./port.js";
import { checkPrograms } from "./programs.js";
import { checkSoftware } from "./software.js";
import { checkStorage } from "./storage.js";
import { checkTime } from "./time.js";
import { checkUdev } from "./udev.js";
import { checkUnit } from "./unit.js";
import { checkUsers } from "./users.js";

/** What the unit sets: the agent's folders, whoever asks. */
const UNIT = { STATE_DIRECTORY: "/var/lib/stationd", RUNTIME_DIRECTORY: "/run/stationd" };
/** In the order in which one mends: what comes later often needs what comes before. */
const CHECKS: readonly Checks[] = [
  checkSoftware,
  checkUsers,
  checkStorage,
  checkUdev,
  checkInTheWay,
  checkDevices,
  checkCardService,
  checkPrograms,
  checkBrowser,
  checkTime,
  checkUnit,
  checkPort,
];

export interface DoctorOptions {
  readonly configFile: string;
  /** Whom the agent runs as. */
  readonly user: string;
}

/** Looks at everything that the agent needs of a machine. Changes nothing, and needs no agent. */
export async function examine(machine: Machine, { configFile, user }: DoctorOptions): Promise<readonly Finding[]> {
  let config: StationConfig | undefined;
  let problems: readonly ConfigProblem[] = [];
  try {
    config = await loadConfig(machine.path(configFile), drivers, processEnvironment(UNIT));
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    problems = thrown.problems;
  }
  const shipped = fileURLToPath(new URL("../../../systemd", import.meta.url));
  const shippedText = (name: string): Promise<string | undefined> => readFile(join(shipped, name), "utf8").catch(() => undefined);
  const station = { configFile, config, user, shipped, shippedText };
  const findings: Finding[] = [];
  for (const check of [configChecks(problems), ...CHECKS]) findings.push(...(await check(machine, station)));
  return findings;
}
