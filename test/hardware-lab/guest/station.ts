import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { connectStation, type StationClient } from "../../../src/client/node.js";
import type { DeviceState } from "../../../src/protocol/devices.js";

const COMMAND = "/opt/stationd/dist/bundle/stationd.js";
const RESULTS = "/lab/results";

/** The agent as it is shipped, run as its own user; and a page that talks to it. */
export interface Station {
  readonly page: StationClient;
  readonly pid: number;
  /** Resolves with the moment (ms of `performance.now`) at which the page saw it so. */
  until(device: string, wanted: (state: DeviceState) => boolean, withinMs?: number): Promise<number>;
  state(device: string): DeviceState | undefined;
  stop(): Promise<void>;
}

export async function startStation(devices: string, trust: ReadonlyMap<string, Uint8Array>): Promise<Station> {
  mkdirSync("/etc/stationd/trust", { recursive: true });
  for (const [name, bytes] of trust) writeFileSync(`/etc/stationd/trust/${name}`, bytes);
  mkdirSync("/var/lib/stationd", { recursive: true });
  const token = randomUUID();
  writeFileSync(
    "/etc/stationd/stationd.toml",
    `[agent]
stateDir = "/var/lib/stationd"
trustDir = "/etc/stationd/trust"
logLevel = "debug"
[server]
serviceSocket = false
technicianSocket = false
[[server.tokens]]
name = "lab"
role = "kiosk"
sha256 = "${createHash("sha256").update(token).digest("hex")}"
${devices}`,
  );
  spawnSync("chown", ["-R", "stationd:stationd", "/var/lib/stationd"]);
  const log = openSync(`${RESULTS}/agent.log`, "a");
  const agent: ChildProcess = spawn(
    "setpriv",
    [
      "--reuid",
      "stationd",
      "--regid",
      "stationd",
      "--init-groups",
      "--no-new-privs",
      "--bounding-set",
      "-all",
      "--inh-caps",
      "-all",
    ].concat([process.execPath, COMMAND, "run", "--config", "/etc/stationd/stationd.toml"]),
    { stdio: ["ignore", log, log], cwd: "/", env: { ...process.env, RUNTIME_DIRECTORY: "/run/stationd" } },
  );
  const page = await connectWhenThere(token, agent);
  const states = new Map<string, DeviceState>();
  const listeners = new Set<() => void>();
  await page.subscribe(["devices"], (update) => {
    const told = update.kind === "state" ? update.state : [update.data];
    for (const { id, state } of told) states.set(id, state);
    for (const listener of listeners) listener();
  });
  return {
    page,
    pid: agent.pid ?? 0,
    state: (device) => states.get(device),
    until(device, wanted, withinMs = 10_000) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const state = states.get(device);
          if (state === undefined || !wanted(state)) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve(performance.now());
        };
        const timer = setTimeout(() => {
          listeners.delete(look);
          reject(new Error(`${device} stayed ${states.get(device)}`));
        }, withinMs);
        listeners.add(look);
        look();
      });
    },
    async stop() {
      page.close();
      agent.kill();
      await once(agent, "exit");
    },
  };
}

async function connectWhenThere(token: string, agent: ChildProcess): Promise<StationClient> {
  for (let attempt = 0; agent.exitCode === null; attempt++) {
    try {
      return await connectStation({ url: "ws://127.0.0.1:7870/v1", token, client: { name: "lab", version: "1" }, reconnect: false });
    } catch (thrown) {
      if (attempt > 100) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  throw new Error(`the agent ended with ${agent.exitCode}`);
}
