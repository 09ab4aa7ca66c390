import { simulatorKinds } from "../../simulators/index.js";
import { serveTcp } from "../../simulators/serve.js";
import type { Simulator } from "../../simulators/simulator.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";

/** Six devices on this machine's loopback, as an installed agent in production sees them: addresses and nothing else. */
export interface SixDevices extends AsyncDisposable {
  readonly toml: string;
  act(device: string, action: string, params?: object): Promise<void>;
  /** What a station must trust to believe the card. */
  readonly issuers: ReadonlyMap<string, Uint8Array>;
}

const DEVICES: Readonly<Record<string, { kind: string; driver: string; link: string; options: object; more?: string }>> = {
  receipt: { kind: "receipt-printer", driver: "escpos", link: "tcp", options: {} },
  scanner: { kind: "barcode-scanner", driver: "serial-scanner", link: "tcp", options: {} },
  "id-reader": { kind: "chip-card", driver: "pcsc", link: "tcp", options: { inserted: true } },
  terminal: {
    kind: "zvt-terminal",
    driver: "zvt",
    link: "tcp",
    options: { presentMs: 10, hostMs: 10, removeMs: 10 },
    more: 'password = "123456"',
  },
  documents: { kind: "document-scanner", driver: "escl", link: "http", options: { pageMs: 10 } },
  camera: { kind: "camera", driver: "ffmpeg", link: "tcp", options: {} },
};

export async function startSixDevices(): Promise<SixDevices> {
  const clock = systemClock();
  const running = new Map<string, { simulator: Simulator; close(): Promise<void> }>();
  const tables: string[] = [];
  for (const [id, { kind, driver, link, options, more = "" }] of Object.entries(DEVICES)) {
    const maker = simulatorKinds.find((candidate) => candidate.kind === kind);
    if (!maker) throw new RangeError(kind);
    const simulator = maker.create(maker.options.parse(options), { clock, random: seededRandom(7), changed: () => {} });
    const { port, close } = await serveTcp(simulator, { host: "127.0.0.1", port: 0 });
    running.set(id, { simulator, close });
    tables.push(`[devices.${id}]\ndriver = "${driver}"\n${more}\nlink = { kind = "${link}", host = "127.0.0.1", port = ${port} }\n`);
  }
  const get = (id: string): Simulator => {
    const found = running.get(id);
    if (!found) throw new RangeError(id);
    return found.simulator;
  };
  return {
    toml: tables.join("\n"),
    issuers: get("id-reader").trustFiles?.() ?? new Map(),
    async act(device, action, params = {}) {
      const wanted = get(device).actions[action];
      if (!wanted) throw new RangeError(action);
      await wanted.act(wanted.params.parse(params));
    },
    async [Symbol.asyncDispose]() {
      for (const { simulator, close } of running.values()) {
        await simulator.close();
        await close();
      }
    },
  };
}
