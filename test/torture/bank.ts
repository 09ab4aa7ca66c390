import type { PaymentState } from "../../src/protocol/payment-terminal.js";
import type { CuttableWire } from "./cuttable-wire.js";

export type Kind = "sale" | "reversal";
/** How an order may end; `none`: the agent never heard of it. */
export type End = PaymentState | "none";

/** What the bank has booked: the truth. */
export interface Booking {
  readonly amountVnd: number;
  readonly kind: string;
  readonly hostApproved: boolean;
  readonly net: number;
}

/** What a misfortune may lay hands on. */
export interface Scene {
  readonly bank: Bank;
  readonly wire: CuttableWire;
  /** A point of the agent's journal, as `agent.ts` has it. */
  plant(point: string): Promise<void>;
  kill(): void;
  /** The page that asked goes away. */
  leave(): void;
  /** The page asks to stop. */
  cancel(): void;
}

export interface Misfortune {
  /** A line of the table. */
  readonly group: string;
  /** What exactly, to find it again. */
  readonly detail: string;
  /** The ends that are right. The ledger has its word besides. */
  readonly ends: readonly End[];
  /** Why only a person can tell, where the evidence is truly gone. `manual_review` is right then, too. */
  readonly blind?: string;
  /** The same, where this one meets another one that makes the agent ask. */
  readonly blindWithOthers?: string;
  /** Before one more payment, which is then the terminal's last. */
  prepare?(): Promise<void>;
  strike(scene: Scene): Promise<void> | void;
}

/** Draws that a run's seed repeats. */
export interface Draw {
  /** From 0 up to, not including, `below`. */
  int(below: number): number;
  one<T>(from: readonly T[]): T;
  chance(part: number): boolean;
}

/** The far end of the torture: a terminal, and a bank behind it that keeps the books. */
export interface Bank {
  /** The driver, and how it is spoken to. */
  readonly name: string;
  readonly port: number;
  /** Tables of the agent's config that reach it through this port. */
  devices(port: number): string;
  ledger(): readonly Booking[];
  /** Where an order can be struck, in the order in which it gets there. */
  steps(kind: Kind): readonly string[];
  /** Calls back once, when the next order reaches this step. */
  at(step: string, strike: () => void): void;
  /** So many bytes a whole order sends towards the terminal. */
  readonly orderBytes: number;
  /** How an order may end whose agent dies, or whose journal fails, at this point of it. */
  endsAtMark(kind: Kind, what: string, mark: string): readonly End[];
  /** How an order may end whose agent is killed when the terminal is at this step. */
  endsAtStep(kind: Kind, step: string): readonly End[];
  /** How an order may end that was cut, or lost its agent, anywhere. */
  definite(kind: Kind): readonly End[];
  /** A misfortune of the wire's or the terminal's own. */
  wireEnds(draw: Draw, kind: Kind): Misfortune;
  restarts(draw: Draw, kind: Kind): Misfortune;
  fault(draw: Draw, kind: Kind): Misfortune;
  /** Something to go wrong while the agent finds out; it changes no end, unless it is `blind`. */
  duringRecovery(draw: Draw): { readonly detail: string; readonly blind?: string; strike(): Promise<void> };
  /** Link and terminal are as good as new; what they know stays. */
  recover(): Promise<void>;
  close(): Promise<void>;
}
