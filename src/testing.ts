import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "smol-toml";
import { type Agent, startAgent } from "./agent.js";
import { connectStation, type StationClient } from "./client/node.js";
import { ConfigError, describeProblems } from "./config/config-error.js";
import { parseConfig } from "./config/load.js";
import type { StationConfig } from "./config/types.js";
import { drivers } from "./drivers/index.js";
import { type Clock, systemClock } from "./kernel/clock.js";
import { within } from "./kernel/deadline.js";
import { DeviceError, type Json } from "./kernel/errors.js";
import { type Logger, silentLog } from "./kernel/log.js";
import { randomId, seededRandom, systemRandom } from "./kernel/random.js";
import { z } from "./kernel/schema.js";
import type { Role } from "./protocol/method.js";

const ScenarioAction = z.strictObject({
  simulator: z.string(),
  action: z.string(),
  params: z.record(z.string(), z.json()).optional(),
});

const ScenarioFile = z.strictObject({
  /** Same tables as in a config: `[devices.receipt]`. Left out: a receipt printer, a barcode scanner and a chip card reader. */
  devices: z.record(z.string(), z.record(z.string(), z.json())).optional(),
  /** Done in order before the station is handed out, and again at each reset. */
  start: z.array(ScenarioAction).optional(),
});
/** What a station under test looks like; as an object, or the path of a TOML file of the same shape. */
export type Scenario = z.input<typeof ScenarioFile>;

const DEFAULT_DEVICES: NonNullable<Scenario["devices"]> = {
  receipt: { driver: "escpos", link: { kind: "simulator", simulator: "receipt-printer" } },
  scanner: { driver: "serial-scanner", link: { kind: "simulator", simulator: "barcode-scanner" } },
  "id-reader": { driver: "pcsc", link: { kind: "simulator", simulator: "chip-card" } },
};

export interface TestStationOptions {
  /** 0, unless told: any free port, so that stations run in parallel. */
  readonly port?: number;
  readonly scenario?: Scenario | string;
  /** Repeats every random choice of agent and simulators. */
  readonly seed?: number;
  /** Origins that get the kiosk role, for tests with a browser. */
  readonly origins?: readonly string[];
  /** Users whose processes may connect; any, unless told. */
  readonly kioskUids?: readonly number[];
  /** Serves the technicians' page. */
  readonly console?: boolean;
  /** Where journal and station key are kept; a temporary folder, removed at the end, unless told. */
  readonly stateDir?: string;
  readonly log?: Logger;
  readonly clock?: Clock;
}

export interface TestStation extends AsyncDisposable {
  /** `ws://127.0.0.1:PORT/v1` */
  readonly url: string;
  readonly httpUrl: string;
  /** For clients of one's own: each gives its role. */
  readonly tokens: Readonly<Record<"kiosk" | "technician", string>>;
  /** A connected client of this role; closed with the station. */
  connect(role?: Role): Promise<StationClient>;
  /** A token for one simulator connection, e.g. of a page. */
  mintSimulatorToken(): string;
  /** Works a simulator directly, without a connection. Answers with its state, and a PNG where the action makes one. */
  act(
    simulator: string,
    action: string,
    params?: Record<string, Json>,
  ): Promise<{ state: Readonly<Record<string, Json>>; png?: Uint8Array }>;
  /** Simulators as new, the scenario's start actions done again, devices ready. Jobs stay: use new keys. */
  reset(): Promise<void>;
  /** Leaves no process, port or file behind. */
  stop(): Promise<void>;
}

/**
 * A whole agent with simulated devices: no root, no hardware, nothing shared with another.
 * @throws DeviceError `invalid_params` for a scenario that is none; `busy` for a port that is taken.
 */
export async function startStation(options: TestStationOptions = {}): Promise<TestStation> {
  const scenario = await readScenario(options.scenario ?? {});
  const random = options.seed === undefined ? systemRandom : seededRandom(options.seed);
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), "stationd-test-")));
  const removeState = async (): Promise<void> => {
    if (options.stateDir === undefined) await rm(stateDir, { recursive: true, force: true });
  };
  const roleTokens = { kiosk: randomId(systemRandom), technician: randomId(systemRandom) };
  const clients = new Set<StationClient>();
  let agent: Agent;
  try {
    const config = testConfig(scenario, stateDir, options, roleTokens);
    agent = await startAgent({ config, random, log: options.log ?? silentLog, ...(options.clock ? { clock: options.clock } : {}) });
    await agent.simulation?.writeIssuers(config.agent.trustDir);
  } catch (thrown) {
    await removeState();
    throw thrown;
  }

  const act: TestStation["act"] = async (simulator, action, params = {}) => {
    if (!agent.simulation) throw new DeviceError("unsupported", { message: "this scenario has no simulated device" });
    return await agent.simulation.act(simulator, action, params);
  };
  const settle = async (): Promise<void> => {
    for (const { simulator, action, params } of scenario.start ?? []) await act(simulator, action, params as Record<string, Json>);
    const clock = systemClock();
    await within(clock, 20_000, undefined, async (signal) => {
      while (!agent.ready()) await clock.sleep(5, signal);
    });
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...clients].map((client) => client.close()));
    await agent.stop();
    await removeState();
  };
  try {
    await settle();
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  const station: TestStation = {
    url: agent.url,
    httpUrl: agent.httpUrl,
    tokens: roleTokens,
    mintSimulatorToken: () => agent.mintSimulatorToken(),
    act,
    async connect(role = "kiosk") {
      const token = role === "simulator" ? agent.mintSimulatorToken() : roleTokens[role];
      const client = await connectStation({ url: agent.url, client: { name: "test", version: "1" }, token, allowSimulated: true });
      clients.add(client);
      return client;
    },
    async reset() {
      agent.simulation?.reset();
      const technician = await station.connect("technician");
      try {
        await technician.call("agent.maintenance", { on: false });
        for (const { id } of (await technician.call("devices.list", {})).devices) {
          await technician.call("devices.release", { device: id, force: true });
          await technician.call("devices.reset", { device: id });
        }
      } finally {
        clients.delete(technician);
        await technician.close();
      }
      await settle();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return station;
}

async function readScenario(given: Scenario | string): Promise<z.output<typeof ScenarioFile>> {
  const raw: unknown = typeof given === "string" ? parse(await readFile(given, "utf8")) : given;
  const parsed = ScenarioFile.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DeviceError("invalid_params", { message: `scenario: ${issue?.path.join(".")}: ${issue?.message}` });
}

/** The scenario's devices go through the same parser as a kiosk's config. */
function testConfig(
  scenario: z.output<typeof ScenarioFile>,
  stateDir: string,
  options: TestStationOptions,
  roleTokens: Readonly<Record<"kiosk" | "technician", string>>,
): StationConfig {
  const text = stringify({ agent: { mode: "test", stateDir }, devices: scenario.devices ?? DEFAULT_DEVICES });
  const config = readConfig(text);
  const tokens = (["kiosk", "technician"] as const).map((role) => ({
    name: role,
    role,
    sha256: createHash("sha256").update(roleTokens[role]).digest("hex"),
  }));
  return {
    ...config,
    console: { enabled: options.console === true },
    server: {
      ...config.server,
      port: options.port ?? 0,
      origins: options.origins ?? [],
      kioskUids: options.kioskUids ?? [],
      tokens,
      serviceSocket: undefined,
      technicianSocket: undefined,
    },
  };
}

function readConfig(text: string): StationConfig {
  try {
    return parseConfig(text, "scenario", drivers);
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    throw new DeviceError("invalid_params", { message: `scenario: ${describeProblems(thrown)}`, cause: thrown });
  }
}
