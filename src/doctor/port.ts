import { type Checks, type Finding, hasSystemd, ok, type Station, skipped, word } from "./finding.js";
import type { Machine } from "./machine.js";

/** Whether the agent or something else answers at its port. */
export const checkPort: Checks = async (machine, station) => [await portFinding(machine, station)];

async function portFinding(machine: Machine, { config }: Station): Promise<Finding> {
  const id = "agent.port";
  if (!config || config.server.port === 0) return skipped(id, "no fixed port is configured");
  const { host, port, tls } = config.server;
  const at = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  if ((await machine.fetch(`${tls ? "https" : "http"}://${at}/healthz`)) === "ok\n") return ok(id, `the agent answers at ${at}`);
  if (await machine.answers({ host, port })) {
    const pid = await holder(machine, port);
    const name = pid === undefined ? undefined : (await machine.text(`/proc/${pid}/comm`))?.trim();
    return {
      id,
      verdict: "failure",
      finding: `port ${port} is taken${name === undefined ? "" : ` by ${name} (process ${pid})`}`,
      why: "The agent cannot listen there, and pages speak to a stranger.",
      ...(pid === undefined ? { advice: `sudo ss -ltnp 'sport = :${port}' says by whom` } : { mend: await ending(machine, pid) }),
    };
  }
  const state = (await hasSystemd(machine)) ? (await machine.run("systemctl", "is-active", "stationd"))?.out.trim() : undefined;
  return {
    id,
    verdict: "failure",
    finding: `nothing answers at ${at}: the agent does not run${state === undefined ? "" : ` (systemd: ${state})`}`,
    why: "No page can reach any device. Why it ended: journalctl -u stationd -n 30",
    // After many failed starts systemd refuses the next one.
    mend: "systemctl reset-failed stationd; systemctl start stationd",
  };
}

/** Who listens, as far as who asks may know. */
async function holder(machine: Machine, port: number): Promise<number | undefined> {
  const ran = await machine.run("ss", "-Hltnp", `sport = :${port}`);
  const pid = /pid=(\d+)/.exec(ran?.out ?? "")?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** A service would be started again: it is stopped for good. */
async function ending(machine: Machine, pid: number): Promise<string> {
  const unit = /\/([\w@:.-]+\.service)$/m.exec((await machine.text(`/proc/${pid}/cgroup`)) ?? "")?.[1];
  const service = unit !== undefined && !/^user@|^stationd\.service$/.test(unit) && (await hasSystemd(machine));
  return service ? `systemctl disable --now ${word(unit)}` : `kill ${pid}`;
}
