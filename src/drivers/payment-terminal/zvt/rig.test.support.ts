import { type LedgerEntry, type ZvtTerminal, zvtTerminal } from "../../../../simulators/zvt-terminal/index.js";
import type { Condition, DriverContext } from "../../../contracts/driver.js";
import type {
  InterruptedPayment,
  PaymentFacts,
  PaymentOutcome,
  PaymentSteps,
  PaymentTerminal,
} from "../../../contracts/payment-terminal.js";
import { toHex } from "../../../kernel/bytes.js";
import { type ManualClock, manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { Link } from "../../../kernel/link.js";
import type { LogFields, Logger } from "../../../kernel/log.js";
import { seededRandom } from "../../../kernel/random.js";
import { memoryPair } from "../../../transports/memory.js";
import { zvt } from "./driver.js";
// Loaded by now: a clock that is moved by hand waits for no file.
import "./device.js";

export const never = new AbortController().signal;
/** Nobody scans anything at a card terminal. */
export const noCode = { showCode() {} };
export const AMOUNT = 50_000;

export type Mark = InterruptedPayment["step"];
/** What a journal would hold of one payment. */
export interface Record {
  step: Mark | "created";
  baseline: PaymentFacts;
  facts: PaymentFacts | undefined;
  markedAt: number;
  readonly stages: string[];
  readonly lines: string[];
}

export interface Rig {
  readonly clock: ManualClock;
  readonly simulator: ZvtTerminal;
  readonly conditions: Condition[];
  /** Marks as they resolve, and each message that reaches the terminal: "armed", "> 0601". */
  readonly events: string[];
  readonly logged: string[];
  terminal: PaymentTerminal;
  act(name: string, params?: unknown): Promise<void>;
  inject(fault: { readonly fault: string; readonly [key: string]: unknown }): Promise<void>;
  /** Opens anew as a supervisor would, as often as it takes. */
  open(): Promise<PaymentTerminal>;
  run<T>(work: Promise<T>): Promise<T>;
  pay(amountVnd?: number, given?: { readonly steps?: Partial<PaymentSteps>; readonly signal?: AbortSignal }): Promise<PaymentOutcome>;
  /** The payment of the last `pay`. */
  readonly record: Record;
  steps(given?: Partial<PaymentSteps>): PaymentSteps;
  /** Asks until there is an answer, opening anew where the link is gone; undefined where there never is one. */
  resolve(payment?: InterruptedPayment, tries?: number): Promise<PaymentOutcome | undefined>;
  /** `pay`, and where it rejects `resolve`, as the service does. */
  settle(amountVnd?: number, given?: Parameters<Rig["pay"]>[1]): Promise<PaymentOutcome | undefined>;
  net(): number;
  ledger(): readonly LedgerEntry[];
  close(): Promise<void>;
}

const STEP_MS = 500;

export async function createRig(
  options: { readonly [key: string]: unknown } = {},
  config: { readonly [key: string]: unknown } = {},
): Promise<Rig> {
  const clock = manualClock();
  const parsed = zvtTerminal.options.parse({ presentMs: 100, hostMs: 100, removeMs: 100, autoReversalMs: 1000, ...options });
  const simulator = zvtTerminal.create(parsed, { clock, random: seededRandom(1), changed() {} });
  const opened: PaymentTerminal[] = [];
  const conditions: Condition[] = [];
  const events: string[] = [];
  const logged: string[] = [];
  const write = (event: string, fields?: LogFields): void => void logged.push(`${event} ${JSON.stringify(fields ?? {})}`);
  const log: Logger = { debug: write, info: write, warn: write, error: write, with: () => log };
  let record: Record = emptyRecord();

  const connect = async (): Promise<Link> => {
    const [near, far] = memoryPair(parsed.framing === "serial" ? "serial /dev/ttyTEST" : "tcp test");
    simulator.attach({
      ...far,
      async read(signal) {
        const bytes = await far.read(signal);
        const hex = toHex(bytes);
        const commands = parsed.framing === "serial" ? [...hex.matchAll(/1002(....)/g)].map(([, control]) => control) : [hex.slice(0, 4)];
        events.push(...commands.map((control) => `> ${control}`));
        return bytes;
      },
    });
    return near;
  };
  const run = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    settled.catch(() => {});
    for (let turn = 0; turn < 4_000 && !done; turn++) await clock.advance(STEP_MS);
    if (!done) throw new RangeError("it never ends");
    return await settled;
  };
  const mark = (step: Mark) => {
    record.step = step;
    record.markedAt = clock.now();
    events.push(step);
  };

  const rig: Rig = {
    clock,
    simulator,
    conditions,
    events,
    logged,
    terminal: undefined as unknown as PaymentTerminal,
    get record() {
      return record;
    },
    async act(name, params = {}) {
      const action = simulator.actions[name];
      if (!action) throw new RangeError(`no action ${name}`);
      await action.act(action.params.parse(params));
    },
    inject: (fault) => rig.act("inject", fault),
    async open() {
      const context: DriverContext = {
        device: "terminal",
        connect,
        clock,
        random: seededRandom(7),
        log,
        signal: never,
        imaging: { draw: () => Promise.reject(new DeviceError("unsupported")), png: () => Promise.reject(new DeviceError("unsupported")) },
        simulated: false,
        report: (condition) => void conditions.push(condition),
      };
      const settings = zvt.config.parse({ password: "123456", ...config });
      for (let attempt = 0; ; attempt++) {
        try {
          rig.terminal = await run(zvt.open(settings, context));
          opened.push(rig.terminal);
          return rig.terminal;
        } catch (thrown) {
          if (attempt === 20 || !(thrown instanceof DeviceError)) throw thrown;
          await clock.advance(5_000);
        }
      }
    },
    run,
    steps: (given = {}) => ({
      async armed(baseline) {
        record.baseline = baseline;
        mark("armed");
      },
      async sent() {
        mark("sent");
      },
      async held(facts) {
        record.facts = facts;
        mark("held");
      },
      async answering() {
        mark("answering");
      },
      progress: (stage) => void record.stages.push(stage),
      showCode() {},
      receiptLine: (line) => void record.lines.push(line),
      ...given,
    }),
    async pay(amountVnd = AMOUNT, { steps, signal = never } = {}) {
      record = emptyRecord();
      const request = { amountVnd, reference: "HS-1", description: "le phi" };
      return await run(rig.terminal.pay(request, rig.steps(steps), signal));
    },
    async resolve(payment = interrupted(record), tries = 60) {
      for (let count = 0; count < tries; count++) {
        try {
          return await run(rig.terminal.resolve(payment, never, noCode));
        } catch (thrown) {
          if (!(thrown instanceof DeviceError)) throw thrown;
          if (thrown.kind !== "terminal_busy") await rig.open().catch(() => {});
          await clock.advance(20_000);
        }
      }
      return undefined;
    },
    async settle(amountVnd = AMOUNT, given = {}) {
      try {
        return await rig.pay(amountVnd, given);
      } catch (thrown) {
        if (!(thrown instanceof DeviceError)) throw thrown;
        return await rig.resolve(interrupted(record, amountVnd));
      }
    },
    net: () => simulator.ledger().reduce((sum, { net }) => sum + net, 0),
    ledger: () => simulator.ledger(),
    async close() {
      for (const terminal of opened) await terminal.close();
      await simulator.close();
    },
  };
  await rig.open();
  return rig;
}

function emptyRecord(): Record {
  return { step: "created", baseline: {}, facts: undefined, markedAt: 0, stages: [], lines: [] };
}

export function interrupted({ step, baseline, facts, markedAt }: Record, amountVnd = AMOUNT): InterruptedPayment {
  if (step === "created") throw new RangeError("nothing left");
  return { step, amountVnd, baseline, facts, markedAt };
}
