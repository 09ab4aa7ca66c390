import { type DriverContext, defineDriver } from "../../contracts/driver.js";
import type { Imaging } from "../../contracts/imaging.js";
import type { InterruptedPrint, Printer, PrintOutcome, PrintSteps } from "../../contracts/printer.js";
import type { Clock } from "../../kernel/clock.js";
import { DeviceError } from "../../kernel/errors.js";
import { silentLog } from "../../kernel/log.js";
import { noMeter } from "../../kernel/meter.js";
import { seededRandom } from "../../kernel/random.js";
import { z } from "../../kernel/schema.js";
import type { BayContext, DeviceSpec } from "../device-spec.js";

const noImaging: Imaging = {
  draw: () => Promise.reject(new DeviceError("internal")),
  png: () => Promise.reject(new DeviceError("internal")),
};

export function bayContext(clock: Clock): BayContext {
  return { clock, random: seededRandom(1), log: silentLog, meter: noMeter, imaging: noImaging };
}

/** A printer whose every step the test decides. */
export interface ScriptedPrinter {
  opens: number;
  /** Contexts of each opening, newest last: to report conditions. */
  readonly contexts: DriverContext[];
  readonly resolved: InterruptedPrint[];
  open: (context: DriverContext) => Promise<void>;
  print: (steps: PrintSteps, signal: AbortSignal) => Promise<PrintOutcome>;
  resolve: (job: InterruptedPrint, voiding: () => Promise<void>) => Promise<PrintOutcome>;
  status: () => Promise<never>;
  close: () => Promise<void>;
  /** Ends the newest opening as a pulled cable would. */
  lose(reason?: DeviceError): void;
}

export function scriptedPrinter(): { script: ScriptedPrinter; spec: DeviceSpec<"printer"> } {
  let lose: (reason: DeviceError) => void = () => {};
  const script: ScriptedPrinter = {
    opens: 0,
    contexts: [],
    resolved: [],
    open: async () => {},
    print: async (steps) => {
      await steps.sending({ cuts: 7 });
      await steps.finishing();
      await steps.sent();
      return { state: "printed", confirmation: "confirmed" };
    },
    resolve: async () => ({ state: "printed", confirmation: "confirmed" }),
    status: () => Promise.reject(new DeviceError("device_fault")),
    close: async () => {},
    lose: (reason = new DeviceError("device_absent")) => lose(reason),
  };
  const driver = defineDriver({
    class: "printer",
    id: "scripted",
    summary: "",
    config: z.strictObject({}),
    links: ["tcp"],
    open: async (_config, context) => {
      script.opens++;
      script.contexts.push(context);
      await script.open(context);
      const printer: Printer = {
        identity: { model: "Scripted" },
        capabilities: {},
        lost: new Promise((resolve) => {
          lose = resolve;
        }),
        selfTest: async () => [],
        close: () => script.close(),
        prepare: async () => ({ byteLength: 1 }),
        print: (_prepared, steps, signal) => script.print(steps, signal),
        resolve: async (job, voiding) => {
          script.resolved.push(job);
          return await script.resolve(job, voiding);
        },
        status: () => script.status(),
        cut: async () => {},
      };
      return printer;
    },
  });
  const connect = (): Promise<never> => Promise.reject(new DeviceError("device_absent"));
  return { script, spec: { id: "receipt", driver, settings: {}, connect, simulated: false, enabled: true } };
}

/** Lets everything that is ready to run, run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
