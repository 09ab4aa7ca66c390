import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { simulatorKinds } from "../simulators/index.js";
import { serveTcp } from "../simulators/serve.js";
import type { Simulator } from "../simulators/simulator.js";
import type { SimulatorDesk } from "./devices/simulator-desk.js";
import type { Clock } from "./kernel/clock.js";
import { DeviceError, type Json } from "./kernel/errors.js";
import type { Random } from "./kernel/random.js";
import { z } from "./kernel/schema.js";
import type { SimulatorSnapshot } from "./protocol/simulators.js";

/** The simulators of one agent, each at the far end of a TCP wire on this machine. */
export interface Simulation extends SimulatorDesk {
  /** Makes the simulator of this device and answers where its wire ends. @throws DeviceError `invalid_params` */
  add(device: string, kind: string, options: unknown): Promise<SimulatedAddress>;
  get(device: string): Simulator | undefined;
  /** Puts the issuers of simulated cards into a trust folder: demo and test stations believe them. */
  writeIssuers(folder: string): Promise<void>;
  reset(): void;
  stop(): Promise<void>;
}

export interface SimulatedAddress {
  readonly host: string;
  readonly port: number;
  /** Those that speak TLS: PEM of the authority to believe, and the name in the certificate. */
  readonly authority?: string;
  readonly tlsName?: string;
}

interface Served {
  /** Kind and options, to know whether a new config wants another one. */
  readonly made: string;
  readonly simulator: Simulator;
  readonly address: SimulatedAddress;
  close(): Promise<void>;
}

export function createSimulation(clock: Clock, random: Random): Simulation {
  const served = new Map<string, Served>();
  let tell: (snapshot: SimulatorSnapshot) => void = () => {};

  const simulatorOf = (id: string): Simulator => {
    const found = served.get(id);
    if (!found)
      throw new DeviceError("unknown_device", { device: id, message: `no simulator ${id}`, details: { simulators: [...served.keys()] } });
    return found.simulator;
  };
  const snapshot = (id: string, simulator: Simulator): SimulatorSnapshot => ({
    simulator: id,
    kind: simulator.kind,
    actions: Object.entries(simulator.actions).map(([name, action]) => ({
      name,
      summary: action.summary,
      params: z.toJSONSchema(action.params, { io: "input" }) as SimulatorSnapshot["actions"][number]["params"],
    })),
    state: simulator.state() as SimulatorSnapshot["state"],
  });

  return {
    async add(device, kind, options) {
      const made = JSON.stringify([kind, options]);
      const known = served.get(device);
      if (known?.made === made) return known.address;
      const maker = simulatorKinds.find((candidate) => candidate.kind === kind);
      if (!maker) {
        const kinds = simulatorKinds.map((candidate) => candidate.kind);
        throw new DeviceError("invalid_params", { device, message: `no simulator of kind ${kind}`, details: { kinds } });
      }
      const parsed = maker.options.safeParse(options);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        throw new DeviceError("invalid_params", { device, message: `link.${issue?.path.join(".")}: ${issue?.message}` });
      }
      const simulator: Simulator = maker.create(parsed.data, { clock, random, changed: () => tell(snapshot(device, simulator)) });
      const { port, close } = await serveTcp(simulator, { host: "127.0.0.1", port: 0 });
      await known?.simulator.close();
      await known?.close();
      const { authority, tlsName } = simulator;
      const address = {
        host: "127.0.0.1",
        port,
        ...(authority === undefined ? {} : { authority }),
        ...(tlsName === undefined ? {} : { tlsName }),
      };
      served.set(device, { made, simulator, close, address });
      return address;
    },
    get: (device) => served.get(device)?.simulator,
    async writeIssuers(folder) {
      const files = [...served].flatMap(([device, { simulator }]) =>
        [...(simulator.trustFiles?.() ?? [])].map(([name, bytes]) => [join(folder, `${device}-${name}`), bytes] as const),
      );
      if (files.length > 0) await mkdir(folder, { recursive: true });
      for (const [path, bytes] of files) await writeFile(path, bytes);
    },
    list: () => [...served].map(([id, { simulator }]) => snapshot(id, simulator)),
    async act(id, name, params) {
      const simulator = simulatorOf(id);
      const action = simulator.actions[name];
      if (!action) {
        const actions = Object.keys(simulator.actions);
        throw new DeviceError("unsupported", { device: id, message: `${simulator.kind} cannot ${name}`, details: { actions } });
      }
      const parsed = action.params.safeParse(params);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        throw new DeviceError("invalid_params", { device: id, message: `params.${issue?.path.join(".")}: ${issue?.message}` });
      }
      const made = await action.act(parsed.data);
      return {
        state: simulator.state() as Readonly<Record<string, Json>> as SimulatorSnapshot["state"],
        ...(made ? { png: made.png } : {}),
      };
    },
    onChange: (listener) => {
      tell = listener;
    },
    reset: () => {
      for (const { simulator } of served.values()) simulator.reset();
    },
    async stop() {
      await Promise.all(
        [...served.values()].map(async ({ simulator, close }) => {
          await simulator.close();
          await close();
        }),
      );
      served.clear();
    },
  };
}
