import type { Clock } from "../../src/kernel/clock.js";
import type { Random } from "../../src/kernel/random.js";
import type { Cardholder } from "../cardholder.js";
import type { ErrorCondition, Faults, How, StepName } from "./faults.js";
import type { Ledger } from "./ledger.js";
import type { Body, Header } from "./messages.js";
import type { CardName, NexoTerminalOptions } from "./options.js";

/** What the host declines with. */
export interface Refusal {
  readonly condition: ErrorCondition;
  readonly reason: string;
}

/** A payment or reversal that the terminal works on; one at a time. The connection that brought it may end without it noticing. */
export interface Procedure {
  readonly category: "Payment" | "Reversal";
  readonly header: Header;
  readonly notify: boolean;
  /** The terminal's name for it. */
  readonly transactionId: string;
  readonly timeStamp: string;
  step: StepName | undefined;
  /** An abort request is obeyed: the host has not been asked. */
  abortable: boolean;
  readonly aborted: AbortController;
  /** What the host says to a payment that was broken off on purpose. */
  forced: "approved" | "declined" | undefined;
  /** It restarted meanwhile and knows nothing of this one. */
  forgotten: boolean;
}

/** What the terminal remembers of a payment or reversal, by SaleID and ServiceID. */
export interface Remembered {
  readonly category: "Payment" | "Reversal";
  readonly header: Header;
  /** Undefined: it goes on. */
  body: Body | undefined;
}

export interface Memory {
  readonly transactions: Map<string, Remembered>;
  /** When each pair of SaleID and ServiceID was used last. */
  readonly used: Map<string, number>;
}

export interface Core {
  readonly options: NexoTerminalOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly cardholder: Cardholder<CardName, Refusal>;
  readonly memory: Memory;
  /** Aborts when all is made new or closed: whatever goes on stops where it is. */
  readonly life: AbortSignal;
  end(): void;
  running: Procedure | undefined;
  /** The newest event of a display notification, sent or not. */
  shown: string | undefined;
  changed(): void;
  /** Tells the cashier's display, where it asked for that. */
  show(procedure: Procedure, event: string, result?: string): void;
  cut(how: How): Promise<void>;
  /** Restarts: all connections end and none is let in for a while. */
  reboot(history: "kept" | "lost"): Promise<void>;
}

export const keyOf = ({ SaleID, ServiceID }: Pick<Header, "SaleID" | "ServiceID">): string => JSON.stringify([SaleID, ServiceID]);

/** A step is reached: the faults that wait for it happen. True when the connections were cut. */
export async function passStep(core: Core, procedure: Procedure | undefined, step: StepName): Promise<boolean> {
  const { faults, clock, life } = core;
  if (procedure) procedure.step = step;
  core.changed();
  const silence = faults.take("silence", { step });
  if (silence) await clock.sleep(silence.ms ?? 200_000, life);
  const reboot = faults.take("reboot", { step });
  const cause = reboot ?? faults.take("disconnect", { step });
  if (!cause) return false;
  if (procedure) procedure.forced ??= cause.host;
  if (reboot) {
    if (procedure) procedure.forgotten = reboot.history === "lost";
    await core.reboot(reboot.history);
  } else await core.cut(cause.how);
  return true;
}

/** Whether something waits to break this step off. */
export const breaksAt = ({ faults }: Core, step: StepName): boolean =>
  faults.peek("disconnect", step) !== undefined || faults.peek("reboot", step) !== undefined;

/** What the host says, to a payment or a reversal. */
export type Verdict = { readonly approved: true } | { readonly approved: false; readonly refusal: Refusal };

/** A script that breaks something off somewhere also tells what the host says to it. */
export function forcedVerdict({ faults }: Core, { forced }: Procedure): Verdict | undefined {
  const word = forced ?? faults.peek("disconnect")?.host ?? faults.peek("reboot")?.host;
  if (word === undefined) return undefined;
  return word === "approved" ? { approved: true } : { approved: false, refusal: { condition: "Refusal", reason: "199 Card declined" } };
}

const LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789";
export const letters = (random: Random, count: number): string =>
  Array.from({ length: count }, () => LETTERS[Math.floor(random.fraction() * LETTERS.length)] ?? "").join("");
