import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { childrenOf } from "../../bench/process.js";
import { barcodeScanner } from "../../simulators/barcode-scanner/index.js";
import { type ChipCard, chipCard } from "../../simulators/chip-card/index.js";
import { type ReceiptPrinter, receiptPrinter } from "../../simulators/receipt-printer/index.js";
import { connectTcp, servePty } from "../../simulators/serve.js";
import type { Simulator } from "../../simulators/simulator.js";
import { type ZvtTerminal, zvtTerminal } from "../../simulators/zvt-terminal/index.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { openPcscd } from "../real-stack/pcscd.js";
import { type Station, startStation } from "./station.js";
import { type Watched, watched } from "./watched.js";

/** The children of an agent that can be struck, by their device; `imaging` is nobody's. */
export const CHILDREN = ["terminal", "receipt", "scanner", "id-reader", "imaging"] as const;
export type ChildName = (typeof CHILDREN)[number];

/** The whole agent in a process of its own with a child per device, over pseudo-terminals and a pcscd of its own. */
export interface Scene {
  readonly station: Station;
  readonly terminal: Watched<ZvtTerminal>;
  readonly printer: ReceiptPrinter;
  readonly scanner: Simulator;
  /** A second scanner, in a fourth serial child: the device that has nothing to do with what happens. */
  readonly neighbour: Simulator;
  readonly card: ChipCard;
  /** Calls back once, when the printer has got so many more bytes. */
  atByte(bytes: number, strike: () => void): void;
  /** Undefined while there is none. */
  pidOf(child: ChildName | "neighbour"): number | undefined;
  close(): Promise<void>;
}

const clock = systemClock();

/** Millimetres of paper take their time, and so do a cardholder and a bank: there is a middle to strike at. */
const PRINTER = { rowsPerSecond: 1_000, keepReceipts: 10_000 };
/** A terminal that was left alone takes a payment back after seconds; the standard has minutes. */
const TERMINAL = {
  framing: "serial",
  earlierReceipt: true,
  lastAfterAutoReversal: "reversal",
  presentMs: 300,
  hostMs: 300,
  removeMs: 100,
  t2Ms: 700,
  t3Ms: 1_500,
  autoReversalMs: 500,
};

export async function openScene({ cards, seed }: { readonly cards: boolean; readonly seed: number }): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "stationd-isolation-"));
  const context = { clock, random: seededRandom(seed), changed() {} };
  let told: { readonly at: number; strike(): void } | undefined;
  const bytesNow = (): number => Number(printer.state().bytesReceived);
  const printer = receiptPrinter.create(receiptPrinter.options.parse(PRINTER), {
    ...context,
    changed() {
      if (!told || bytesNow() < told.at) return;
      const { strike } = told;
      told = undefined;
      strike();
    },
  });
  const terminal = watched((changed) => zvtTerminal.create(zvtTerminal.options.parse(TERMINAL), { ...context, changed }));
  const newScanner = () => barcodeScanner.create(barcodeScanner.options.parse({}), context);
  const [scanner, neighbour] = [newScanner(), newScanner()];
  const card = chipCard.create(chipCard.options.parse({}), context);

  const path = (device: string): string => join(folder, `tty-${device}`);
  const serial = { terminal: terminal.simulator, receipt: printer, scanner, neighbour };
  const open: (() => Promise<unknown>)[] = [];
  for (const [device, simulator] of Object.entries(serial)) {
    const served = await servePty(simulator, path(device));
    // A port does not vanish with the program that had it open: what is at its far end notices nothing.
    const held = openSync(path(device), constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    open.push(async () => {
      closeSync(held);
      await served.close();
      await simulator.close();
    });
  }
  let reader = "";
  if (cards) {
    const rig = await openPcscd();
    const plugged = connectTcp(card, { host: "127.0.0.1", port: rig.ports[0] });
    reader = `[devices.id-reader]
driver = "pcsc"
link = { kind = "pcsc", reader = "${rig.readers[0]}" }`;
    open.push(async () => {
      await plugged.close();
      await rig[Symbol.asyncDispose]();
    });
  }
  open.push(() => card.close());
  const stateDir = join(folder, "state");
  mkdirSync(join(stateDir, "trust"), { recursive: true, mode: 0o700 });
  for (const [name, bytes] of card.trustFiles()) writeFileSync(join(stateDir, "trust", name), bytes);
  const devices = `[devices.terminal]
driver = "zvt"
password = "123456"
t2Ms = 2000
t3Ms = 4000
t4Ms = 20000
autoReversalMs = 6000
link = { kind = "serial", path = "${path("terminal")}" }
[devices.receipt]
driver = "escpos"
link = { kind = "serial", path = "${path("receipt")}", baudRate = 115200 }
[devices.scanner]
driver = "serial-scanner"
link = { kind = "serial", path = "${path("scanner")}" }
[devices.neighbour]
driver = "serial-scanner"
link = { kind = "serial", path = "${path("neighbour")}" }
${reader}`;
  const station = await startStation({ stateDir, devices, factor: 1, startedAt: Date.now() }, "never");
  if (!station) throw new Error("the agent does not start");
  const agentPid = childrenOf(process.pid).find((pid) => commandOf(pid).includes(stateDir)) ?? 0;

  return {
    station,
    terminal,
    printer,
    scanner,
    neighbour,
    card,
    atByte(bytes, strike) {
      told = { at: bytesNow() + bytes, strike };
    },
    pidOf(child) {
      const all = childrenOf(agentPid);
      if (child === "imaging") return all.find((pid) => commandOf(pid).includes("/imaging/entry.js"));
      if (child === "id-reader") return all.find((pid) => commandOf(pid).includes("card-host-entry.js"));
      const tty = readlinkSync(path(child));
      return all.find((pid) => hasOpen(pid, tty));
    },
    async close() {
      await station.end();
      for (const close of open) await close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function hasOpen(pid: number, file: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === file;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
