import { type ReceiptPrinter, ReceiptPrinterOptions, receiptPrinter } from "../../../../simulators/receipt-printer/index.js";
import type { Condition, DriverContext } from "../../../contracts/driver.js";
import type { Imaging } from "../../../contracts/imaging.js";
import type { InterruptedPrint, PrintBaseline, Printer, PrintOutcome, PrintSteps } from "../../../contracts/printer.js";
import { drawBlocks } from "../../../imaging/draw.js";
import { encodePng } from "../../../imaging/png.js";
import { type ManualClock, manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { Link } from "../../../kernel/link.js";
import { silentLog } from "../../../kernel/log.js";
import { seededRandom } from "../../../kernel/random.js";
import type { z } from "../../../kernel/schema.js";
import type { PrintDocument } from "../../../protocol/printer.js";
import { memoryPair } from "../../../transports/memory.js";
import { EscposConfig } from "./config.js";
import { escpos } from "./driver.js";
// Loaded by now: a clock that is moved by hand waits for no file.
import "./device.js";

/** Draws in this process; in the agent a child does. */
export const localImaging: Imaging = { draw: drawOnce, png: (bitmap) => encodePng(bitmap) };
const drawn = new Map<string, ReturnType<typeof drawBlocks>>();
function drawOnce(...[blocks, style, signal]: Parameters<Imaging["draw"]>): ReturnType<typeof drawBlocks> {
  const key = JSON.stringify([blocks, style.widthDots, style.fontDots]);
  const known = drawn.get(key) ?? drawBlocks(blocks, style, signal);
  drawn.set(key, known);
  return known;
}
export const never = new AbortController().signal;
export const plain = { reprint: false, simulated: false };

export const slip: PrintDocument = {
  blocks: [
    { type: "text", text: "GIẤY BIÊN NHẬN", align: "center", bold: true, size: 2 },
    { type: "columns", columns: [{ text: "Mã hồ sơ" }, { text: "H29.17-0042", align: "right" }] },
    { type: "rule" },
    { type: "text", text: "Vui lòng giữ giấy này đến ngày nhận kết quả." },
  ],
};

export interface Journal {
  step: InterruptedPrint["step"] | "queued";
  baseline: PrintBaseline;
  readonly stages: string[];
}

export interface Rig {
  readonly clock: ManualClock;
  readonly simulator: ReceiptPrinter;
  readonly conditions: Condition[];
  /** Bytes that the printer still gets before the wire is cut; undefined: no cut. */
  cutAfterBytes: number | undefined;
  act(name: string, params?: unknown): Promise<void>;
  open(): Promise<Printer>;
  /** Lets time pass until the work is done. */
  run<T>(work: Promise<T>): Promise<T>;
  print(printer: Printer, document?: PrintDocument, journal?: Journal): Promise<PrintOutcome>;
  resolve(printer: Printer, journal: Journal): Promise<PrintOutcome>;
  close(): Promise<void>;
}

export function newJournal(): Journal {
  return { step: "queued", baseline: {}, stages: [] };
}

export function stepsInto(journal: Journal): PrintSteps {
  return {
    async sending(baseline) {
      journal.step = "sending";
      journal.baseline = baseline;
    },
    async finishing() {
      journal.step = "finishing";
    },
    async sent() {
      journal.step = "sent";
    },
    progress: (stage) => void journal.stages.push(stage),
  };
}

/** The real driver and a simulated printer at the two ends of a wire, in a time of their own. */
export function createRig(options: z.input<typeof ReceiptPrinterOptions> = {}, config: z.input<typeof EscposConfig> = {}): Rig {
  const clock = manualClock();
  const simulator = receiptPrinter.create(ReceiptPrinterOptions.parse(options), {
    clock,
    random: seededRandom(1),
    changed() {},
  }) as ReceiptPrinter;
  const conditions: Condition[] = [];
  const opened: Printer[] = [];

  const connect: DriverContext["connect"] = async () => {
    const [near, far] = memoryPair();
    simulator.attach(far);
    return fragile(near, rig);
  };
  const run = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    settled.catch(() => {});
    for (let turn = 0; turn < 4_000 && !done; turn++) await clock.advance(100);
    if (!done) throw new Error("it never ends");
    return await settled;
  };
  const rig: Rig = {
    clock,
    simulator,
    conditions,
    cutAfterBytes: undefined,
    async act(name, params = {}) {
      const action = simulator.actions[name];
      if (!action) throw new Error(`no action ${name}`);
      await action.act(action.params.parse(params));
    },
    async open() {
      const context: DriverContext = {
        device: "receipt",
        connect,
        clock,
        random: seededRandom(7),
        log: silentLog,
        signal: never,
        imaging: localImaging,
        simulated: false,
        report: (condition) => void conditions.push(condition),
      };
      const printer = await run(escpos.open(EscposConfig.parse(config), context));
      opened.push(printer);
      return printer;
    },
    run,
    async print(printer, document = slip, journal = newJournal()) {
      return await run(printer.prepare(document, plain, never).then((prepared) => printer.print(prepared, stepsInto(journal), never)));
    },
    async resolve(printer, journal) {
      if (journal.step === "queued") throw new Error("nothing left");
      const voiding = async (): Promise<void> => {
        journal.step = "voiding";
      };
      return await run(printer.resolve({ step: journal.step, baseline: journal.baseline }, voiding, never));
    },
    async close() {
      for (const printer of opened) await printer.close();
      await simulator.close();
    },
  };
  return rig;
}

/** A link that is cut after a number of bytes, some of them of a write that then fails. */
function fragile(link: Link, rig: Pick<Rig, "cutAfterBytes">): Link {
  return {
    ...link,
    async write(bytes, signal) {
      const left = rig.cutAfterBytes;
      if (left === undefined) return await link.write(bytes, signal);
      if (bytes.length < left) {
        rig.cutAfterBytes = left - bytes.length;
        return await link.write(bytes, signal);
      }
      await link.write(bytes.subarray(0, left), signal);
      rig.cutAfterBytes = undefined;
      await link.close();
      throw new DeviceError("device_absent", { message: "cut" });
    },
  };
}
