import { z } from "../../src/kernel/schema.js";
import { defineAction, defineSimulator, type Simulator, type SimulatorContext } from "../simulator.js";
import { AutoReversal, Fault, HOW, Step } from "./faults.js";
import type { LedgerEntry } from "./ledger.js";
import { Card, ZvtTerminalOptions } from "./options.js";
import { createTerminal } from "./terminal.js";

export type { LedgerEntry } from "./ledger.js";

export interface ZvtTerminal extends Simulator {
  /** What the bank has booked: the truth. */
  ledger(): readonly LedgerEntry[];
}

const none = z.strictObject({});
/** So much of the ledger a side panel shows. */
const LEDGER_SHOWN = 6;
const hex = (byte: number | undefined): string | null => (byte === undefined ? null : byte.toString(16).padStart(2, "0").toUpperCase());

function create(options: ZvtTerminalOptions, { clock, random, changed }: SimulatorContext): ZvtTerminal {
  const terminal = createTerminal(options, { clock, random, changed });
  // Made new by a reset: asked for each time.
  const cardholder = () => terminal.core.cardholder;
  const faults = () => terminal.core.faults;
  let unplugged = false;

  const simple = (summary: string, act: () => void) =>
    defineAction({
      summary,
      params: none,
      async act() {
        act();
        changed();
        return undefined;
      },
    });

  const actions = {
    present: defineAction({
      summary: "The cardholder puts a card in",
      params: z.strictObject({ card: Card.default("napas") }),
      async act({ card }) {
        cardholder().present(card);
        changed();
        return undefined;
      },
    }),
    approve: simple("The PIN is right and the host approves; told early, it holds for the next sale", () =>
      cardholder().say({ kind: "approve" }),
    ),
    decline: defineAction({
      summary: "The host declines, with this result code; told early, it holds for the next sale",
      params: z.strictObject({ code: z.int().min(1).max(255).default(0x05).describe("BMP 27") }),
      async act({ code }) {
        cardholder().say({ kind: "decline", code });
        return undefined;
      },
    }),
    wrongPin: simple("A wrong PIN is typed; the third one ends the sale", () => cardholder().say({ kind: "wrong-pin" })),
    removeCard: simple("The cardholder takes the card", () => cardholder().remove()),
    cancelByCustomer: simple("The cardholder presses cancel; once the host is asked it does nothing", () =>
      cardholder().say({ kind: "cancel" }),
    ),
    slow: defineAction({
      summary: "The cardholder takes longer from now on, by so much at each thing they do (auto)",
      params: z.strictObject({ ms: z.int().min(0).max(3_600_000) }),
      async act({ ms }) {
        cardholder().slow(ms);
        return undefined;
      },
    }),
    inject: defineAction({
      summary: "Something goes wrong when it next can",
      params: Fault,
      async act(fault) {
        faults().add(fault);
        changed();
        return undefined;
      },
    }),
    disconnectAt: defineAction({
      summary: "The wire ends at this step of the next sale or reversal, and the host says this, asked or not",
      params: z.strictObject({
        step: Step,
        host: z.enum(["approved", "declined"]).default("approved"),
        autoReversal: AutoReversal.optional(),
        how: z.enum(HOW).default("close"),
      }),
      async act(wish) {
        faults().add(Fault.parse({ fault: "disconnect", ...wish }));
        changed();
        return undefined;
      },
    }),
    counters: defineAction({
      summary: "Sets the next numbers, to see them wrap",
      params: z.strictObject({
        receipt: z.int().min(1).max(9999).optional(),
        trace: z.int().min(1).max(999_999).optional(),
        turnover: z.int().min(1).max(999_999).optional(),
      }),
      async act({ receipt, trace, turnover }) {
        const { memory } = terminal.core;
        memory.nextReceipt = receipt ?? memory.nextReceipt;
        memory.nextTrace = trace ?? memory.nextTrace;
        memory.nextTurnover = turnover ?? memory.nextTurnover;
        changed();
        return undefined;
      },
    }),
    reboot: defineAction({
      summary: "It restarts, and comes back after rebootMs",
      params: z.strictObject({ history: z.enum(["kept", "lost"]).default("kept") }),
      async act({ history }) {
        const { core } = terminal;
        if (core.running && history === "lost") core.running.forgotten = true;
        await core.reboot(history);
        return undefined;
      },
    }),
    clearFaults: simple("Nothing goes wrong any more", () => faults().clear()),
    unplug: simple("Pulls the wire", () => {
      unplugged = true;
      void terminal.cut("close");
    }),
    plug: simple("Lets the next wire in", () => {
      unplugged = false;
    }),
    reset: simple("As new", () => simulator.reset()),
  };

  const simulator: ZvtTerminal = {
    kind: "zvt-terminal",
    actions,
    ledger: () => [...terminal.core.ledger.entries],
    attach(farEnd) {
      if (unplugged) return void farEnd.close();
      terminal.attach(farEnd);
    },
    detach: () => void terminal.cut("close"),
    state() {
      const { running, memory, ledger, reversing } = terminal.core;
      return {
        framing: options.framing,
        attached: terminal.session !== undefined,
        plugged: !unplugged,
        on: terminal.on,
        registered: memory.registered,
        procedure: running?.name ?? null,
        step: running?.step ?? null,
        lastStatus: hex(memory.shown),
        cardInside: cardholder().cardInside,
        autoReversalPending: reversing > 0,
        sales: ledger.count("sale"),
        reversals: ledger.count("reversal"),
        autoReversals: ledger.count("auto-reversal"),
        netVnd: ledger.netVnd,
        ledger: ledger.entries
          .slice(-LEDGER_SHOWN)
          .map(({ kind, receipt, amountVnd, hostApproved, net }) => ({ kind, receipt, amountVnd, hostApproved, net })),
        nextReceipt: memory.nextReceipt,
        faultsPending: faults().pending,
        unknownCommands: terminal.unknownCommands,
      };
    },
    reset() {
      unplugged = false;
      terminal.reset();
    },
    close: () => terminal.close(),
  };
  return simulator;
}

export const zvtTerminal = defineSimulator({
  kind: "zvt-terminal",
  summary: "A payment terminal that speaks ZVT, with a cardholder and a bank behind it",
  options: ZvtTerminalOptions,
  create,
});
