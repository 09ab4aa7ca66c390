import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { type Agent, startAgent } from "../../src/agent.js";
import { connectStation, type StationClient } from "../../src/client/node.js";
import { main } from "../../src/commands/main.js";
import { loadConfig } from "../../src/config/load.js";
import { type Clock, systemClock } from "../../src/kernel/clock.js";
import { silentLog } from "../../src/kernel/log.js";

export interface InAFolder {
  readonly folder: string;
  readonly agent: Agent;
  /** For the agent: how far its clock is ahead. */
  readonly time: { aheadMs: number };
  /** The `stationd` command with this station's configuration. */
  stationd(...args: string[]): Promise<{ code: number; out: string; note: string }>;
  /** Over TCP with a token, or by the socket of a role. */
  connect(how: { readonly token: string } | { readonly socket: "service" | "technician" }): Promise<StationClient>;
  stop(): Promise<void>;
}

/** An agent as a service has it: a configuration file, a state folder and two sockets, side by side with its command. */
export async function inAFolder(server: Record<string, unknown> = {}): Promise<InAFolder> {
  const folder = await mkdtemp(join(tmpdir(), "stationd-service-"));
  const file = join(folder, "stationd.toml");
  const sockets = { serviceSocket: join(folder, "service.sock"), technicianSocket: join(folder, "technician.sock") };
  const devices = { scanner: { driver: "serial-scanner", link: { kind: "simulator", simulator: "barcode-scanner" } } };
  await writeFile(file, stringify({ agent: { mode: "test", stateDir: folder }, server: { port: 0, ...sockets, ...server }, devices }));
  const time = { aheadMs: 0 };
  const real = systemClock();
  const clock: Clock = { ...real, now: () => real.now() + time.aheadMs };
  const agent = await startAgent({ config: await loadConfig(file), log: silentLog, clock });
  const clients: StationClient[] = [];
  return {
    folder,
    agent,
    time,
    async stationd(...args) {
      const said = { out: "", note: "" };
      const code = await main([...args, "--config", file], {
        out(text) {
          said.out += text;
        },
        note(text) {
          said.note += text;
        },
        outIsTty: false,
        noteIsTty: false,
        colour: false,
        columns: 80,
        env: {},
      });
      return { code, ...said };
    },
    async connect(how) {
      const url = "token" in how ? agent.url : `ws+unix:${join(folder, `${how.socket}.sock`)}:/v1`;
      const token = "token" in how ? { token: how.token } : {};
      const client = await connectStation({ url, client: { name: "t", version: "1" }, ...token, allowSimulated: true, reconnect: false });
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.close();
      await agent.stop();
      await rm(folder, { recursive: true });
    },
  };
}
