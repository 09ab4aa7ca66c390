import { z } from "../../src/kernel/schema.js";
import { defineAction, defineSimulator, type Simulator, type SimulatorContext } from "../simulator.js";
import { createCertificates } from "./certificates.js";
import { ERROR_CONDITIONS, Fault, HOW, Step } from "./faults.js";
import type { LedgerEntry } from "./ledger.js";
import { Card, NexoTerminalOptions } from "./options.js";
import { createTerminal } from "./terminal.js";

export type { LedgerEntry } from "./ledger.js";

export interface NexoTerminal extends Simulator {
  readonly authority: string;
  readonly tlsName: string;
  /** What the bank has booked: the truth. */
  ledger(): readonly LedgerEntry[];
}

const none = z.strictObject({});

function create(options: NexoTerminalOptions, { clock, random, changed }: SimulatorContext): NexoTerminal {
  let unplugged = false;
  const certificates = createCertificates(options.poiId);
  const terminal = createTerminal(options, { clock, random, certificates, changed, unplugged: () => unplugged });
  // Made new by a reset: asked for each time.
  const cardholder = () => terminal.core.cardholder;
  const faults = () => terminal.core.faults;

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
    approve: simple("The PIN is right and the host approves; told early, it holds for the next payment", () =>
      cardholder().say({ kind: "approve" }),
    ),
    decline: defineAction({
      summary: "The host declines, with this condition and reason; told early, it holds for the next payment",
      params: z.strictObject({
        condition: z.enum(ERROR_CONDITIONS).default("Refusal"),
        reason: z.string().min(1).max(80).default("210 Not enough balance"),
      }),
      async act(code) {
        cardholder().say({ kind: "decline", code });
        return undefined;
      },
    }),
    wrongPin: simple("A wrong PIN is typed; the third one ends the payment", () => cardholder().say({ kind: "wrong-pin" })),
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
      summary: "The connections end at this step of the next payment or reversal, and the host says this, asked or not",
      params: z.strictObject({
        step: Step,
        host: z.enum(["approved", "declined"]).default("approved"),
        how: z.enum(HOW).default("close"),
      }),
      async act(wish) {
        faults().add(Fault.parse({ fault: "disconnect", ...wish }));
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
    unplug: simple("Pulls the wire: all connections end", () => {
      unplugged = true;
      void terminal.cut("close");
    }),
    plug: simple("Lets the next connections in", () => {
      unplugged = false;
    }),
    reset: simple("As new", () => simulator.reset()),
  };

  const simulator: NexoTerminal = {
    kind: "nexo-terminal",
    manyWires: true,
    authority: certificates.authority,
    tlsName: certificates.name,
    actions,
    ledger: () => [...terminal.core.ledger.entries],
    attach: (farEnd) => terminal.attach(farEnd),
    detach: () => void terminal.cut("close"),
    state() {
      const { running, ledger, shown } = terminal.core;
      return {
        poiId: options.poiId,
        attached: terminal.wires > 0,
        connections: terminal.wires,
        procedure: running?.category ?? null,
        step: running?.step ?? null,
        lastStatus: shown ?? null,
        cardInside: cardholder().cardInside,
        sales: ledger.count("sale"),
        reversals: ledger.count("reversal"),
        netVnd: ledger.netVnd,
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

export const nexoTerminal = defineSimulator({
  kind: "nexo-terminal",
  summary: "A payment terminal that speaks nexo Sale-to-POI JSON over HTTPS (Adyen's dialect), with a cardholder and a bank behind it",
  options: NexoTerminalOptions,
  create,
});
