import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../bench/process.js";
import { connectStation, type StationClient } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import type { DeviceSnapshot } from "../../src/protocol/devices.js";
import { type SoakAgent, soakAgent } from "./agent.js";
import type { Scene } from "./scene.js";
import { openTunnel, type Tunnel } from "./tunnel.js";

/** The agent, its pages' tunnels, a desk that asks what became of jobs, and a technician who sees the devices. */
export interface Station {
  readonly agent: SoakAgent;
  readonly tunnels: readonly Tunnel[];
  readonly desk: StationClient;
  readonly technician: StationClient;
  connect(tunnel: Tunnel): Promise<StationClient>;
  /** As the technician sees it now; undefined while nobody can tell. */
  device(id: string): DeviceSnapshot | undefined;
  /** Resolves when the device can be used; false: not in this time. */
  ready(id: string, withinMs: number): Promise<boolean>;
  allReady(withinMs: number): Promise<readonly string[]>;
  /** Text of /metrics; undefined: there was no answer. */
  metrics(): Promise<string | undefined>;
  /** Writes the configuration anew, with another setting of a device. */
  reconfigure(turn: number): void;
  close(): Promise<number | undefined>;
}

const TOKENS = { kiosk: randomUUID(), technician: randomUUID() } as const;
const LOOK_MS = 40;
const clock = systemClock();
const RECONNECT = { firstMs: 100, maxMs: 1_000 };
const CLIENT = { name: "soak", version: "1" };

/** @param saw is told each device's state, and events that nobody but the page that asked may have. */
export async function openStation(
  scene: Scene,
  sessions: number,
  saw: { device(snapshot: DeviceSnapshot): void; overheard(): void },
): Promise<Station> {
  const port = await freePort();
  const tunnels = await Promise.all(Array.from({ length: sessions }, () => openTunnel(port)));
  const file = join(scene.folder, "stationd.toml");
  const stateDir = join(scene.folder, "state");
  mkdirSync(stateDir, { mode: 0o700 });
  const reconfigure = (turn: number): void => writeFileSync(file, configOf(scene, stateDir, port, tunnels, turn));
  reconfigure(0);
  const agent = soakAgent({ config: file, port, env: { ...process.env, TMPDIR: join(scene.folder, "tmp") } });
  const connect = (role: keyof typeof TOKENS, at: number): Promise<StationClient> =>
    connectStation({ url: `ws://127.0.0.1:${at}/v1`, client: CLIENT, token: TOKENS[role], reconnect: RECONNECT });

  const devices = new Map<string, DeviceSnapshot>();
  await agent.start();
  const [desk, technician] = await Promise.all([connect("kiosk", port), connect("technician", port)]);
  technician.onState((state) => state !== "open" && devices.clear());
  await technician.subscribe(["devices", "barcodeScanner"], (update) => {
    if (update.topic === "barcodeScanner") {
      if (update.kind === "event") saw.overheard();
      return;
    }
    for (const snapshot of update.kind === "state" ? update.state : [update.data]) {
      devices.set(snapshot.id, snapshot);
      saw.device(snapshot);
    }
  });
  const ready = async (id: string, withinMs: number): Promise<boolean> => {
    const giveUpAt = clock.monotonicMs() + withinMs;
    while (clock.monotonicMs() < giveUpAt) {
      const state = devices.get(id)?.state;
      if (state === "ready" || state === "busy") return true;
      await clock.sleep(LOOK_MS);
    }
    return false;
  };
  const names = [...scene.devices(0).matchAll(/^\[devices\.([\w-]+)\]$/gm)].map(([, name = ""]) => name);
  return {
    agent,
    tunnels,
    desk,
    technician,
    connect: (tunnel) => connect("kiosk", tunnel.port),
    device: (id) => devices.get(id),
    ready,
    async allReady(withinMs) {
      const found = await Promise.all(names.map((name) => ready(name, withinMs)));
      return names.filter((_, index) => !found[index]);
    },
    async metrics() {
      return await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${TOKENS.technician}` } }).then(
        async (response) => (response.ok ? await response.text() : undefined),
        () => undefined,
      );
    },
    reconfigure,
    async close() {
      desk.close();
      technician.close();
      const code = await agent.stop();
      await Promise.all(tunnels.map((tunnel) => tunnel.close()));
      return code;
    },
  };
}

function configOf(scene: Scene, stateDir: string, port: number, tunnels: readonly Tunnel[], turn: number): string {
  const tokens = (Object.entries(TOKENS) as [keyof typeof TOKENS, string][]).map(
    ([role, token]) => `[[server.tokens]]
name = "${role}"
role = "${role}"
sha256 = "${createHash("sha256").update(token).digest("hex")}"
`,
  );
  return `[agent]
stateDir = ${JSON.stringify(stateDir)}
trustDir = ${JSON.stringify(join(scene.folder, "trust"))}
logLevel = "info"
[server]
port = ${port}
hosts = [${tunnels.map((tunnel) => `"127.0.0.1:${tunnel.port}"`).join(", ")}]
serviceSocket = false
technicianSocket = false
${tokens.join("")}
${scene.devices(turn)}`;
}
