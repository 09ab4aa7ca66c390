import type { Clock } from "../../src/kernel/clock.js";
import { z } from "../../src/kernel/schema.js";
import { defineAction, defineSimulator, type Simulator, type SimulatorContext } from "../simulator.js";
import { createWire } from "../wire.js";
import { ReceiptPrinterOptions } from "./options.js";
import { createPaper, type Receipt } from "./paper.js";
import { type Circumstances, createPrinterEngine, type PrinterEngine } from "./printer.js";

export { ReceiptPrinterOptions } from "./options.js";
export type { PaperBitmap, Receipt } from "./paper.js";

export interface ReceiptPrinter extends Simulator {
  /** The pieces cut off and still kept, oldest first. */
  readonly receipts: readonly Receipt[];
  /** One receipt, the last one, or everything since the last reset with the uncut piece at the end. */
  png(which: number | "last" | "all"): Promise<Uint8Array>;
}

const none = z.strictObject({});
const SLOW_LINK_TICK_MS = 20;

/** What stands between the printer's socket and its controller, and what happens to it. */
interface Line {
  /** Pulled by hand: nothing can be plugged in until `plug`. */
  unplugged: boolean;
  powered: boolean;
  repliesToLose: number;
  /** 0: as fast as the wire. */
  bytesPerSecond: number;
}

const asNew = (options: ReceiptPrinterOptions): Circumstances => ({
  coverOpen: false,
  jammed: false,
  paperLeftRows: options.paperRows ?? Number.POSITIVE_INFINITY,
  nearEndForced: false,
  panelOffline: false,
});
const newLine = (): Line => ({ unplugged: false, powered: true, repliesToLose: 0, bytesPerSecond: 0 });

/** Hands the engine what came in, no faster than the link is and than the buffer empties. */
async function receiveSlowly(engine: PrinterEngine, line: Line, clock: Clock, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  let taken = 0;
  while (taken < bytes.length && !signal.aborted) {
    let share = bytes.length;
    if (line.bytesPerSecond > 0) {
      await clock.sleep(SLOW_LINK_TICK_MS, signal);
      share = Math.max(1, Math.floor((line.bytesPerSecond * SLOW_LINK_TICK_MS) / 1000));
    }
    taken += engine.accept(bytes.subarray(taken, taken + share));
    if (engine.full) await engine.room(signal);
  }
}

function create(options: ReceiptPrinterOptions, context: SimulatorContext): ReceiptPrinter {
  const { clock } = context;
  const paper = createPaper(options.widthDots, options.keepReceipts);
  const circumstances = asNew(options);
  const line = newLine();
  let revision = 0;
  const changed = (): void => {
    revision += 1;
    context.changed();
  };

  const wire = createWire((bytes, signal) => receiveSlowly(engine, line, clock, bytes, signal));
  const engine = createPrinterEngine(options, {
    clock,
    paper,
    circumstances,
    changed,
    reply(bytes) {
      if (line.repliesToLose > 0) line.repliesToLose -= 1;
      else wire.send(bytes);
    },
  });

  const happens = (change: Partial<Circumstances>): void => {
    Object.assign(circumstances, change);
    // Without power no sensor is read.
    if (line.powered) engine.noteCondition();
    else changed();
  };
  const png = (which: number | "last" | "all"): Promise<Uint8Array> => paper.png(which === "last" ? paper.receipts.length - 1 : which);
  const powerOff = (): void => {
    line.powered = false;
    wire.detach();
    engine.stop();
    engine.restart();
    changed();
  };
  const powerOn = (): void => {
    if (line.powered) return;
    line.powered = true;
    engine.restart();
    engine.noteCondition();
  };

  const knob = (summary: string, turn: () => void) =>
    defineAction({
      summary,
      params: none,
      async act() {
        turn();
        return undefined;
      },
    });

  const actions = {
    paperNearEnd: defineAction({
      summary: "The near-end sensor sees the end of the roll, or no longer",
      params: z.strictObject({ on: z.boolean().default(true) }),
      async act({ on }) {
        happens({ nearEndForced: on });
        return undefined;
      },
    }),
    paperOut: knob("The roll ends here, in mid-job too", () => happens({ paperLeftRows: 0 })),
    paperLeft: defineAction({
      summary: "The roll ends after so many rows of dots (8 to a millimetre)",
      params: z.strictObject({ rows: z.int().min(0).max(10_000_000) }),
      async act({ rows }) {
        happens({ paperLeftRows: rows });
        return undefined;
      },
    }),
    refill: knob("A new roll; printing goes on once the cover is closed", () =>
      happens({ paperLeftRows: Number.POSITIVE_INFINITY, nearEndForced: false }),
    ),
    openCover: knob("Opens the cover; printing stops", () => {
      engine.interrupt();
      happens({ coverOpen: true });
    }),
    closeCover: knob("Closes the cover; printing goes on", () => happens({ coverOpen: false })),
    jamCutter: knob("Paper jams in the cutter", () => happens({ jammed: true })),
    clearJam: knob("Removes the jammed paper; the printer then waits for DLE ENQ or a power cycle", () => happens({ jammed: false })),
    offline: defineAction({
      summary: "Takes the printer offline at its panel, or online again",
      params: z.strictObject({ on: z.boolean().default(true) }),
      async act({ on }) {
        happens({ panelOffline: on });
        return undefined;
      },
    }),
    powerOff: knob("Switches it off: buffers and settings are lost, the wire drops, paper stays", powerOff),
    powerOn: knob("Switches it on", powerOn),
    powerCycle: knob("Off and on again", () => {
      powerOff();
      powerOn();
    }),
    unplug: knob("Pulls the wire; buffers and settings stay", () => {
      line.unplugged = true;
      wire.detach();
      changed();
    }),
    plug: knob("Lets the next wire in", () => {
      line.unplugged = false;
      changed();
    }),
    loseReplies: defineAction({
      summary: "Loses the next replies on their way: so many, or all until switched off",
      params: z.union([z.strictObject({ count: z.int().min(0).max(1_000_000) }), z.strictObject({ on: z.boolean() })]),
      async act(lost) {
        if ("count" in lost) line.repliesToLose = lost.count;
        else line.repliesToLose = lost.on ? Number.POSITIVE_INFINITY : 0;
        return undefined;
      },
    }),
    slowLink: defineAction({
      summary: "Takes bytes no faster than this; 0: as fast as they come",
      params: z.strictObject({ bytesPerSecond: z.int().min(0).max(100_000_000) }),
      async act({ bytesPerSecond }) {
        line.bytesPerSecond = bytesPerSecond;
        return undefined;
      },
    }),
    paper: defineAction({
      summary: "A picture of the paper since the last reset, or of one receipt",
      params: z.strictObject({ receipt: z.union([z.literal("last"), z.int().min(0)]).optional() }),
      async act({ receipt }) {
        return { png: await png(receipt ?? "all") };
      },
    }),
    tear: knob("Takes the receipts away and tears off what hangs out", () => {
      paper.tear();
      changed();
    }),
    reset: knob("As new", () => simulator.reset()),
  };

  const simulator: ReceiptPrinter = {
    kind: "receipt-printer",
    actions,
    get receipts() {
      return paper.receipts;
    },
    png,
    attach(farEnd) {
      if (line.unplugged || !line.powered) return void farEnd.close();
      if (options.resetOnConnect) engine.restart();
      wire.attach(farEnd);
      changed();
    },
    detach() {
      wire.detach();
      changed();
    },
    state() {
      const { coverOpen, paperOut, paperNearEnd, cutterError, offline } = engine.condition;
      const { bytesReceived, repliesSent, rowsPrinted, receipts, drawerKicks, unknownCommands, lastUnknown } = engine.counters;
      return {
        model: options.model,
        powered: line.powered,
        attached: wire.attached,
        online: line.powered && !offline,
        cover: coverOpen ? "open" : "closed",
        paper: paperOut ? "out" : paperNearEnd ? "near_end" : "ok",
        cutter: cutterError ? "jam" : "ok",
        receipts,
        uncutRows: paper.uncutRows,
        rowsPrinted,
        bufferedBytes: engine.bufferedBytes,
        bytesReceived,
        repliesSent,
        drawerKicks,
        unknownCommands,
        lastUnknown,
        revision,
      };
    },
    reset() {
      Object.assign(circumstances, asNew(options));
      Object.assign(line, newLine());
      paper.tear();
      engine.renew();
      engine.noteCondition();
    },
    async close() {
      wire.detach();
      engine.stop();
    },
  };
  return simulator;
}

export const receiptPrinter = defineSimulator({
  kind: "receipt-printer",
  summary: "An ESC/POS receipt printer that renders its paper",
  options: ReceiptPrinterOptions,
  create,
});
