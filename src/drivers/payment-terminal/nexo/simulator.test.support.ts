import { randomInt } from "node:crypto";
import { type LedgerEntry, type NexoTerminal, nexoTerminal } from "../../../../simulators/nexo-terminal/index.js";
import { serveTcp } from "../../../../simulators/serve.js";
import type { Condition, DriverContext } from "../../../contracts/driver.js";
import type {
  InterruptedPayment,
  PaymentFacts,
  PaymentOutcome,
  PaymentSteps,
  PaymentTerminal,
} from "../../../contracts/payment-terminal.js";
import { type Clock, manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { HttpLink } from "../../../kernel/http.js";
import { silentLog } from "../../../kernel/log.js";
import { systemRandom } from "../../../kernel/random.js";
import { http } from "../../../transports/http.js";
import { nexo } from "./driver.js";

const never = new AbortController().signal;
export const AMOUNT = 50_000;
/** So much passes on both ends' clock in each round of this process' event loop: on a busy machine, too, bytes come before deadlines. */
const TURN_MS = 50;
/** Shorter than usual, for each round costs time. */
const TIMES = { orderMs: 60_000, settleMs: 15_000 };
const SHARED_KEY = { keyIdentifier: "station-key", keyVersion: 1, passphrase: "a passphrase of nobody" };

/** The driver and the simulated terminal, with TLS and a port between them. */
export interface Station extends AsyncDisposable {
  readonly clock: Clock;
  readonly simulator: NexoTerminal;
  terminal: PaymentTerminal;
  readonly stages: string[];
  readonly lines: string[];
  readonly conditions: Condition[];
  last: InterruptedPayment;
  open(): Promise<PaymentTerminal>;
  act(name: string, params?: unknown): Promise<void>;
  inject(fault: { readonly fault: string; readonly [key: string]: unknown }): Promise<void>;
  steps(): PaymentSteps;
  /** Pays, and where that rejects asks until there is an answer, as the service does. */
  pay(given?: { readonly previous?: PaymentFacts; readonly signal?: AbortSignal }): Promise<PaymentOutcome>;
  reverse(payment: PaymentFacts): Promise<PaymentOutcome>;
  net(): number;
  ledger(): readonly LedgerEntry[];
}

export async function openStation(options: object = {}, config: object = {}): Promise<Station> {
  const clock = manualClock();
  let closed = false;
  const pump = async (): Promise<void> => {
    while (!closed) await clock.advance(TURN_MS);
  };
  // Of the 16 million addresses of this machine one that no other test has.
  const listen = { host: `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`, port: 8_080 };
  const parsed = nexoTerminal.options.parse({ notifyUrl: `http://${listen.host}:${listen.port}/display`, rebootMs: 3_000, ...options });
  const simulator = nexoTerminal.create(parsed, { clock, random: systemRandom, changed() {} });
  const served = await serveTcp(simulator, { host: "127.0.0.1", port: 0 });
  const serverName = simulator.tlsName;
  const connect = http({ kind: "https", host: "127.0.0.1", port: served.port, caFile: "", serverName, listen }, simulator.authority);

  const settled = async (first: () => Promise<PaymentOutcome>, rest: Partial<InterruptedPayment>): Promise<PaymentOutcome> => {
    let work = first;
    for (let tries = 0; tries < 200; tries++) {
      try {
        return await work();
      } catch (thrown) {
        if (!(thrown instanceof DeviceError) || station.last.markedAt === 0) throw thrown;
        await clock.sleep(5_000);
      }
      work = () => station.terminal.resolve({ ...station.last, ...rest }, never, { showCode() {} });
    }
    throw new RangeError("never settled");
  };
  const station: Station = {
    clock,
    simulator,
    terminal: undefined as unknown as PaymentTerminal,
    stages: [],
    lines: [],
    conditions: [],
    last: unmarked(),
    async open() {
      const context: DriverContext<HttpLink> = {
        device: "terminal",
        connect,
        clock,
        random: systemRandom,
        log: silentLog,
        signal: never,
        imaging: { draw: () => Promise.reject(new DeviceError("unsupported")), png: () => Promise.reject(new DeviceError("unsupported")) },
        simulated: true,
        report: (condition) => void station.conditions.push(condition),
      };
      await station.terminal?.close();
      station.terminal = await nexo.open(
        nexo.config.parse({ poiId: parsed.poiId, saleId: "kiosk-1", ...SHARED_KEY, ...TIMES, ...config }),
        context as never,
      );
      return station.terminal;
    },
    async act(name, params = {}) {
      const action = simulator.actions[name];
      if (!action) throw new RangeError(`no action ${name}`);
      await action.act(action.params.parse(params));
    },
    inject: (fault) => station.act("inject", fault),
    steps() {
      station.last = unmarked();
      const mark = (change: Partial<InterruptedPayment>): void => {
        station.last = { ...station.last, ...change, markedAt: clock.now() };
      };
      return {
        armed: async (baseline) => mark({ step: "armed", baseline }),
        sent: async () => (station.last.step === "armed" ? mark({ step: "sent" }) : undefined),
        held: async (facts) => mark({ step: "held", facts }),
        answering: async () => mark({ step: "answering" }),
        progress: (stage) => void station.stages.push(stage),
        receiptLine: (line) => void station.lines.push(line),
        showCode() {},
      };
    },
    pay({ previous, signal = never } = {}) {
      const request = { amountVnd: AMOUNT, reference: "HS-1", description: "le phi", ...(previous ? { previous } : {}) };
      const steps = station.steps();
      return settled(() => station.terminal.pay(request, steps, signal), {});
    },
    reverse(payment) {
      const steps = station.steps();
      return settled(() => station.terminal.reverse(payment, AMOUNT, steps, never), { reverses: payment });
    },
    net: () => simulator.ledger().reduce((sum, { net }) => sum + net, 0),
    ledger: () => simulator.ledger(),
    async [Symbol.asyncDispose]() {
      await station.terminal?.close();
      await simulator.close();
      await served.close();
      closed = true;
    },
  };
  void pump();
  try {
    await station.open();
  } catch (thrown) {
    await station[Symbol.asyncDispose]();
    throw thrown;
  }
  return station;
}

const unmarked = (): InterruptedPayment => ({ step: "armed", amountVnd: AMOUNT, baseline: {}, facts: undefined, markedAt: 0 });
