/**
 * The agent with a scaled clock and points of misfortune: `agent STATE_DIR DEVICES TOKEN_SHA256 [POINT [FACTOR [STARTED_AT [TECHNICIAN_SHA256]]]]`;
 * DEVICES are tables. POINT is `WHAT STEP [TIME]`: at the TIMEth write of this STEP of the journal the process kills itself as a power cut would
 * (`before` or `after` the write), or the journal says no (`refuse`: not written; `doubt`: written all the same) or takes its time (`slow`).
 * Each line on stdin is a new point, told on stdout when it is in force.
 */
import { createInterface } from "node:readline";
import { startAgent } from "../../src/agent.js";
import { parseConfig } from "../../src/config/load.js";
import { drivers } from "../../src/drivers/index.js";
import { openJournal } from "../../src/journal/open.js";
import type { Journal, OpenJournal } from "../../src/journal/types.js";
import { type Clock, systemClock } from "../../src/kernel/clock.js";
import { DeviceError } from "../../src/kernel/errors.js";
import { silentLog } from "../../src/kernel/log.js";
import { LIMITS } from "../../src/protocol/version.js";

const [stateDir = "", devices = "", tokenSha256 = "", point = "never", factor = "4", startedAt = `${Date.now()}`, technicianSha256] =
  process.argv.slice(2);

/** Longer than a terminal waits. */
const SLOW_MS = 45_000;
const clock = withRealPings(systemClock(Number(factor), Number(startedAt)));
let planted = { at: "", timesLeft: 0 };
function plant(text: string): void {
  const [what = "", step = "", time = "1"] = text.split(" ");
  planted = { at: `${what} ${step}`, timesLeft: Number(time) };
}
plant(point);

function mortal(journal: Journal): Journal {
  const struck = (at: string): boolean => {
    if (planted.at !== at) return false;
    planted.timesLeft -= 1;
    return planted.timesLeft === 0;
  };
  const no = (): DeviceError => new DeviceError("journal_unavailable", { message: "no space left on the disk" });
  const around = async <T>(step: string, write: () => Promise<T>): Promise<T> => {
    if (struck(`before ${step}`)) process.kill(process.pid, "SIGKILL");
    if (struck(`refuse ${step}`)) throw no();
    if (struck(`slow ${step}`)) await clock.sleep(SLOW_MS);
    const written = await write();
    if (struck(`after ${step}`)) process.kill(process.pid, "SIGKILL");
    if (struck(`doubt ${step}`)) throw no();
    return written;
  };
  return {
    ...journal,
    begin: (record) => around(record.step, () => journal.begin(record)),
    advance: (id, patch) => around(patch.step ?? "", () => journal.advance(id, patch)),
  };
}
const openMortal: OpenJournal = (folder) => mortal(openJournal(folder));

/** Pings look after a process on the same machine, which is no faster than it is: they keep real time. */
function withRealPings(scaled: Clock): Clock {
  const real = systemClock();
  return { ...scaled, timer: (ms, callback) => (ms === LIMITS.pingEveryMs ? real : scaled).timer(ms, callback) };
}

const technician = technicianSha256
  ? `[[server.tokens]]
name = "torturer"
role = "technician"
sha256 = "${technicianSha256}"`
  : "";
const config = parseConfig(
  `[agent]
stateDir = ${JSON.stringify(stateDir)}
[server]
[[server.tokens]]
name = "torture"
role = "kiosk"
sha256 = "${tokenSha256}"
${technician}
${devices}
`,
  "torture",
  drivers,
);
const agent = await startAgent({
  config: { ...config, server: { ...config.server, port: 0, serviceSocket: undefined, technicianSocket: undefined } },
  clock,
  log: silentLog,
  openJournal: openMortal,
});
process.stdout.write(`${agent.url}\n`);
createInterface({ input: process.stdin })
  .on("line", (line) => {
    plant(line);
    process.stdout.write(`${line}\n`);
  })
  .on("close", () => void agent.stop().then(() => process.exit()));
