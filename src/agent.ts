import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { openAudit } from "./audit/log.js";
import { diffConfigs } from "./config/diff.js";
import { withoutSecrets } from "./config/show.js";
import { liveTokens } from "./config/token-file.js";
import type { DeviceConfig, StationConfig } from "./config/types.js";
import type { DeviceSpec } from "./devices/device-spec.js";
import { createStation } from "./devices/station.js";
import { drivers } from "./drivers/index.js";
import { createDocuments } from "./imaging/documents.js";
import { createImaging } from "./imaging/imaging.js";
import { openJournal } from "./journal/open.js";
import { stationKey } from "./journal/station-key.js";
import type { OpenJournal } from "./journal/types.js";
import { type Clock, systemClock } from "./kernel/clock.js";
import { asDeviceError, DeviceError, type Json } from "./kernel/errors.js";
import type { Connect } from "./kernel/link.js";
import type { Logger } from "./kernel/log.js";
import { type Random, randomId, systemRandom } from "./kernel/random.js";
import type { Secret } from "./kernel/secret.js";
import { createTap, type Tap } from "./kernel/tap.js";
import { createLogger } from "./observability/log.js";
import { createMeter } from "./observability/metrics.js";
import { createNotifier } from "./observability/notify.js";
import { startServer } from "./server/server.js";
import type { ServerSettings } from "./server/settings.js";
import type { Simulation } from "./simulation.js";
import { connectOther } from "./transports/connect.js";
import { cardReaderFor, hardwarePath, pcscReaders } from "./transports/index.js";
import { type AnyLink, recordingLines, tapped } from "./transports/record.js";
import type { LinkSettings } from "./transports/settings.js";
import { watchDevices } from "./transports/watch.js";
import { trustOf } from "./trust/current.js";
import { packageVersion } from "./version.js";

export interface AgentOptions {
  readonly config: StationConfig;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  readonly openJournal?: OpenJournal;
}

export interface Agent {
  /** `ws://127.0.0.1:7870/v1` */
  readonly url: string;
  /** `http://127.0.0.1:7870` */
  readonly httpUrl: string;
  readonly port: number;
  /** The simulators, in demo and test mode where the config has simulated devices. */
  readonly simulation: Simulation | undefined;
  /** Every configured device has been tried once and what an earlier run left open is settled. */
  ready(): boolean;
  /** Demo and test mode: a token for one connection of the simulator role. @throws DeviceError `unsupported` in production */
  mintSimulatorToken(): string;
  /** Restarts only what changed. `ignored`: keys that need a restart of the agent. */
  reload(config: StationConfig): Promise<{ readonly restarted: readonly string[]; readonly ignored: readonly string[] }>;
  /** Idempotent. Lets a receipt that is coming out come out. */
  stop(): Promise<void>;
}

/** What a running server can take over without a restart. */
const LIVE_KEYS = new Set(["server.origins", "server.hosts", "server.kioskUids", "server.tokens", "console.enabled"]);

/**
 * The whole agent, composed: config → transports → devices → server.
 * @throws DeviceError `busy` where the port or a socket is taken.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  let { config } = options;
  const clock = options.clock ?? systemClock();
  const random = options.random ?? systemRandom;
  const log = options.log ?? createLogger({ level: config.agent.logLevel });
  const meter = createMeter();
  const stateDir = resolve(config.agent.stateDir);
  const audit = openAudit({ folder: stateDir, writer: "agent", clock, log });
  const ownAct = (what: string, outcome = "ok", detail?: string): void => void audit.record({ who: "agent", what, outcome, detail });
  const tokenFile = liveTokens({
    file: resolve(config.server.tokenFile),
    clock,
    log,
    changed(came, gone) {
      for (const name of came) ownAct("token.came", "ok", name);
      for (const name of gone) ownAct("token.went", "ok", name);
    },
  });
  const journal = (options.openJournal ?? openJournal)(stateDir);
  const imaging = createImaging({ log, clock });
  const documents = createDocuments({ log, clock });
  const simulation = await simulationFor(config, clock, random);
  const version = packageVersion();
  let key: Promise<Secret<Uint8Array>> | undefined;

  const station = createStation({
    clock,
    random,
    log,
    meter,
    imaging,
    photos: imaging,
    documents,
    journal,
    stationKey: () => {
      // A key that could not be read is asked for again: the disk may be back.
      key ??= stationKey(stateDir).catch((thrown) => {
        key = undefined;
        throw thrown;
      });
      return key;
    },
    mode: config.agent.mode,
    name: config.agent.name,
    version,
    drivers: [...new Set([...drivers, ...config.devices.map(({ driver }) => driver)])],
    simulators: simulation,
    trust: trustOf(resolve(config.agent.trustDir), log),
    recordingLines,
  });

  const notifier = createNotifier({ clock, log, environment: process.env });
  const tokens = new Set<string>();
  const ending = new AbortController();
  const pcsc = pcscReaders({ clock, log });
  const connectLink = ({ driver }: DeviceConfig, link: LinkSettings, tap: Tap, authority?: string): DeviceSpec["connect"] => {
    const connect =
      driver.class === "chipReader"
        ? cardReaderFor(link, { clock, log, pcsc })
        : connectOther(driver.links, link, { clock, log, authority });
    return tapped(connect as Connect<AnyLink>, tap) as DeviceSpec["connect"];
  };
  const specFor = async (device: DeviceConfig): Promise<DeviceSpec> => {
    const tap = createTap();
    const shown = { link: withoutSecrets(device.link) as Json, settings: withoutSecrets(device.settings) as Json };
    const base = { id: device.id, driver: device.driver, settings: device.settings, enabled: device.enabled, wire: { tap, shown } };
    if (device.link.kind !== "simulator") {
      const { link } = device;
      return {
        ...base,
        // Money by transfer comes from no device: outside production it is play money.
        simulated: link.kind === "none" && config.agent.mode !== "production",
        connect: connectLink(device, link, tap),
        hardwarePath: () => hardwarePath(link),
      } as DeviceSpec;
    }
    const { kind: _, simulator, ...settings } = device.link;
    const wire = await simulation?.add(device.id, simulator, settings);
    if (!wire) throw new DeviceError("unsupported", { device: device.id, message: "this agent was started without simulators" });
    const { host, port, authority, tlsName } = wire;
    const { links } = device.driver;
    const link: LinkSettings = authority
      ? { kind: "https", host, port, caFile: "", serverName: tlsName }
      : { kind: links.includes("http") ? "http" : "tcp", host, port };
    return { ...base, simulated: true, connect: connectLink(device, link, tap, authority) } as DeviceSpec;
  };

  const releaseAll = async (): Promise<void> => {
    ending.abort();
    notifier[Symbol.dispose]();
    await station.stop();
    await Promise.all([simulation?.stop(), imaging.stop(), documents.stop(), journal.close(), audit.close()]);
  };

  try {
    const { serviceSocket, technicianSocket } = config.server;
    for (const socket of [serviceSocket, technicianSocket]) {
      if (socket !== undefined) await mkdir(dirname(resolve(socket)), { recursive: true, mode: 0o700 });
    }
    await station.apply(await Promise.all(config.devices.map(specFor)), new Set());
    const server = await startServer({
      station,
      settings: serverSettings(config),
      mode: config.agent.mode,
      agent: { name: config.agent.name, version },
      clock,
      random,
      log,
      meter,
      metricsText: () => meter.text(),
      simulatorTokens: { redeem: (token) => tokens.delete(token) },
      liveTokens: tokenFile.tokens,
      audit,
    });
    ownAct("agent.started", "ok", version);
    watchDevices({ clock, signal: ending.signal }, () => station.hotplug());
    // The watchdog's ping shows that the event loop turns; this, that the devices are still looked after.
    notifier.ready(() => station.snapshots().every(({ state }) => state !== undefined));
    let stopping: Promise<void> | undefined;
    return {
      url: server.url,
      httpUrl: server.httpUrl,
      port: server.port,
      simulation,
      ready: () => station.ready(),
      mintSimulatorToken() {
        if (config.agent.mode === "production") throw new DeviceError("unsupported", { message: "no simulators in production" });
        const token = randomId(random);
        tokens.add(token);
        return token;
      },
      async reload(wanted) {
        notifier.reloading();
        try {
          const diff = diffConfigs(config, wanted);
          const ignored = diff.keys.filter((name) => !LIVE_KEYS.has(name));
          // Whatever can be refused is refused before anything is taken over.
          const specs = await Promise.all(wanted.devices.map(specFor));
          config = { ...wanted, agent: config.agent, server: { ...config.server, ...live(wanted) } };
          server.update(serverSettings(config));
          await station.apply(specs, new Set(diff.changed));
          const restarted = [...diff.added, ...diff.removed, ...diff.changed];
          log.info("config reloaded", { count: restarted.length });
          ownAct("config.reloaded");
          return { restarted, ignored };
        } catch (thrown) {
          ownAct("config.reloaded", asDeviceError(thrown).kind);
          throw thrown;
        } finally {
          notifier.reloaded();
        }
      },
      stop() {
        stopping ??= (async () => {
          notifier.stopping();
          await server.stop();
          ownAct("agent.stopped");
          await releaseAll();
          log.info("agent stopped");
        })();
        return stopping;
      },
    };
  } catch (thrown) {
    await releaseAll();
    throw thrown;
  }
}

function serverSettings({ server, console }: StationConfig): ServerSettings {
  return { ...server, console: console.enabled };
}

function live({ server }: StationConfig): Pick<StationConfig["server"], "origins" | "hosts" | "kioskUids" | "tokens"> {
  const { origins, hosts, kioskUids, tokens } = server;
  return { origins, hosts, kioskUids, tokens };
}

/** Loaded only where a device asks for it: production never holds a simulator in memory. */
async function simulationFor(config: StationConfig, clock: Clock, random: Random): Promise<Simulation | undefined> {
  const asked = config.devices.some((device) => device.link.kind === "simulator");
  if (config.agent.mode === "production") {
    if (asked) throw new DeviceError("invalid_params", { message: "a production config has a simulated device" });
    return undefined;
  }
  if (!asked) return undefined;
  const { createSimulation } = await import("./simulation.js");
  return createSimulation(clock, random);
}
