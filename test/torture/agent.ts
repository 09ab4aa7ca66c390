/**
 * The agent with a scaled clock and points of sudden death: `agent STATE_DIR DEVICES TOKEN_SHA256 [POINT [FACTOR [STARTED_AT]]]`; DEVICES are tables.
 * POINT is `before STEP` or `after STEP` of the journal; the process kills itself there as a power cut would.
 */
import { startAgent } from "../../src/agent.js";
import { parseConfig } from "../../src/config/load.js";
import { drivers } from "../../src/drivers/index.js";
import { openJournal } from "../../src/journal/open.js";
import type { Journal, OpenJournal } from "../../src/journal/types.js";
import { systemClock } from "../../src/kernel/clock.js";
import { silentLog } from "../../src/kernel/log.js";

const [stateDir = "", devices = "", tokenSha256 = "", point = "never", factor = "4", startedAt = `${Date.now()}`] = process.argv.slice(2);

function mortal(journal: Journal): Journal {
  const around = async <T>(step: string, write: () => Promise<T>): Promise<T> => {
    if (point === `before ${step}`) process.kill(process.pid, "SIGKILL");
    const written = await write();
    if (point === `after ${step}`) process.kill(process.pid, "SIGKILL");
    return written;
  };
  return {
    ...journal,
    begin: (record) => around(record.step, () => journal.begin(record)),
    advance: (id, patch) => around(patch.step ?? "", () => journal.advance(id, patch)),
  };
}
const openMortal: OpenJournal = (folder) => mortal(openJournal(folder));

const config = parseConfig(
  `[agent]
stateDir = ${JSON.stringify(stateDir)}
[server]
[[server.tokens]]
name = "torture"
role = "kiosk"
sha256 = "${tokenSha256}"
${devices}
`,
  "torture",
  drivers,
);
const agent = await startAgent({
  config: { ...config, server: { ...config.server, port: 0, serviceSocket: undefined, technicianSocket: undefined } },
  clock: systemClock(Number(factor), Number(startedAt)),
  log: silentLog,
  openJournal: openMortal,
});
process.stdout.write(`${agent.url}\n`);
process.stdin.on("end", () => void agent.stop().then(() => process.exit())).resume();
