import { concatBytes } from "../../src/kernel/bytes.js";
import type { Clock } from "../../src/kernel/clock.js";
import type { Random } from "../../src/kernel/random.js";
import type { Cardholder } from "../cardholder.js";
import type { AutoReversal, Faults, How, StepName } from "./faults.js";
import { encodeStatusInformation, type StatusInformation } from "./fields.js";
import { INDISCREET_STATUS, indiscreet } from "./indiscreet.js";
import type { Ledger } from "./ledger.js";
import type { Line } from "./line.js";
import type { CardName, ZvtTerminalOptions } from "./options.js";

export type Answer = { readonly kind: "yes" } | { readonly kind: "no"; readonly code: number } | { readonly kind: "none" };
export const NONE: Answer = { kind: "none" };

/** One wire with an ECR at its other end. */
export interface Session {
  readonly line: Line;
  /** Aborts when the wire has ended, as far as the terminal knows. */
  readonly gone: AbortSignal;
  cut(how: How): Promise<void>;
  /** Whoever waits for the ECR's 80 or 84. */
  hear: ((answer: Answer) => void) | undefined;
}

/** What the terminal is doing for a session; one thing at a time. */
export interface Procedure {
  readonly session: Session;
  readonly name: string;
  step: StepName | undefined;
  /** 06 B0 is obeyed: no card has been read. */
  abortable: boolean;
  readonly aborted: AbortController;
  /** What the host says to a sale whose wire was cut on purpose: the terminal goes on without an ECR. */
  forced: "approved" | "declined" | undefined;
  autoReversal: AutoReversal | undefined;
  /** It restarted meanwhile and knows nothing of this sale. */
  forgotten: boolean;
}

/** What the terminal remembers. */
export interface Memory {
  registered: boolean;
  config: number;
  nextReceipt: number;
  nextTrace: number;
  nextTurnover: number;
  /** What 06 20 repeats. */
  last: StatusInformation | undefined;
  /** The newest 04 FF. */
  shown: number | undefined;
  /** Entries of the ledger that an end of day has counted. */
  closedEntries: number;
  firstReceiptOfDay: number | undefined;
}

export interface Core {
  readonly options: ZvtTerminalOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly cardholder: Cardholder<CardName, number>;
  readonly memory: Memory;
  /** Aborts when all is made new or closed: whatever goes on stops where it is. */
  readonly life: AbortSignal;
  end(): void;
  running: Procedure | undefined;
  /** Sales that are being taken back, visibly. */
  reversing: number;
  changed(): void;
  /** Restarts: the wire ends and none is let in for a while. */
  reboot(history: "kept" | "lost"): Promise<void>;
}

export const STATUS = {
  enterPin: 0x01,
  hostAsked: 0x04,
  autoReversal: 0x05,
  insertCard: 0x0a,
  removeCard: 0x0b,
  wrongPin: 0x15,
  approved: 0x1c,
  declined: 0x1d,
} as const;

export const RESULT = {
  ok: 0x00,
  declined: 0x05,
  /** 75: allowable number of PIN tries exceeded. */
  pinTries: 0x4b,
  abort: 0x6c,
  currency: 0x6f,
  notPossible: 0x83,
  wait: 0x9c,
  protocol: 0x9a,
  busy: 0xa0,
  reversed: 0xb4,
  notReversible: 0xb5,
} as const;

/** Bits of the config byte of 06 00. */
const PRINTS_RECEIPTS = 0x02;
const INTERMEDIATE_STATUS = 0x08;

export const ecrPrints = ({ memory }: Core): boolean => (memory.config & PRINTS_RECEIPTS) !== 0;

interface ExchangeHooks {
  /** The message is to be cut in the middle here. */
  readonly begun?: StepName;
  /** After it left and before its answer; true when that has cut the wire. */
  sent?(): Promise<boolean>;
}

/** Sends a message and waits for its 80 or 84, at most T3. */
export async function exchange(
  core: Core,
  session: Session,
  command: number,
  body?: Uint8Array,
  hooks: ExchangeHooks = {},
): Promise<Answer> {
  const { running, clock, options } = core;
  if (session.gone.aborted) return NONE;
  if (hooks.begun && running && breaksAt(core, hooks.begun)) {
    await session.line.sendHalf(command, body);
    await passStep(core, running, hooks.begun);
    return NONE;
  }
  let heard = false;
  let resolve: (answer: Answer) => void = () => {};
  const answered = new Promise<Answer>((settle) => {
    resolve = (answer) => {
      heard ||= answer.kind !== "none";
      settle(answer);
    };
  });
  const onGone = (): void => resolve(NONE);
  session.hear = resolve;
  session.gone.addEventListener("abort", onGone, { once: true });
  try {
    // An ECR may answer and hang up before we know that it has our message.
    if (!(await session.line.send(command, body)) && !heard) return NONE;
    if (await hooks.sent?.()) return NONE;
    using timer = clock.timer(options.t3Ms, onGone);
    void timer;
    return await answered;
  } finally {
    if (session.hear === resolve) session.hear = undefined;
    session.gone.removeEventListener("abort", onGone);
  }
}

export async function say(session: Session, command: number, body?: Uint8Array): Promise<void> {
  if (!session.gone.aborted) await session.line.send(command, body);
}

/** 80 00 00 to a command: it will be obeyed. */
export async function acknowledge(core: Core, session: Session, command: number): Promise<void> {
  if (!core.faults.take("no-answer", { command })) await say(session, 0x8000);
}

/** 04 FF, where the ECR asked for it. An ECR that does not answer is not waited for again. */
export async function show(core: Core, session: Session, status: number): Promise<void> {
  core.memory.shown = status;
  core.changed();
  const more = core.faults.peek("indiscreet") ? [INDISCREET_STATUS] : [];
  if (core.memory.config & INTERMEDIATE_STATUS) await exchange(core, session, 0x04ff, concatBytes([Uint8Array.of(status), ...more]));
}

const breaksAt = ({ faults }: Core, step: StepName): boolean =>
  faults.peek("disconnect", step) !== undefined || faults.peek("reboot", step) !== undefined;

/** A step of a sale is reached: the faults that wait for it happen. True when the wire was cut. */
export async function passStep(core: Core, procedure: Procedure, step: StepName): Promise<boolean> {
  const { faults, clock, life } = core;
  const { session } = procedure;
  procedure.step = step;
  core.changed();
  const silence = faults.take("silence", { step });
  if (silence) await clock.sleep(silence.ms ?? 200_000, life);
  const endless = faults.take("endless-status", { step });
  while (endless && !session.gone.aborted && !procedure.aborted.signal.aborted) {
    await exchange(core, session, 0x04ff, Uint8Array.of(STATUS.hostAsked));
    await clock.sleep(endless.ms ?? 1000, life);
  }
  const reboot = faults.take("reboot", { step });
  const disconnect = reboot ? undefined : faults.take("disconnect", { step });
  const cause = reboot ?? disconnect;
  if (!cause) return false;
  procedure.forced ??= cause.host;
  procedure.autoReversal ??= cause.autoReversal;
  if (reboot) {
    procedure.forgotten = reboot.history === "lost";
    await core.reboot(reboot.history);
  } else await session.cut(cause.how);
  return true;
}

/** What the host says, to a sale or to a reversal. */
export type Verdict = { readonly approved: true } | { readonly approved: false; readonly code: number };

/** A script that breaks something off somewhere also tells what the host says to it. */
export function forcedVerdict({ faults }: Core, { forced }: Procedure): Verdict | undefined {
  const word = forced ?? faults.peek("disconnect")?.host ?? faults.peek("reboot")?.host;
  if (word === undefined) return undefined;
  return word === "approved" ? { approved: true } : { approved: false, code: RESULT.declined };
}

/** A counter that begins again at 1. */
export function takeNumber(memory: Memory, counter: "nextReceipt" | "nextTrace" | "nextTurnover"): number {
  const number = memory[counter];
  memory[counter] = number >= (counter === "nextReceipt" ? 9999 : 999_999) ? 1 : number + 1;
  return number;
}

/** Local time in Viet Nam, UTC+7 all year. */
export function localTime(clock: Clock): { readonly date: string; readonly time: string } {
  const digits = new Date(clock.now() + 7 * 3_600_000).toISOString().replaceAll(/\D/g, "");
  return { date: digits.slice(4, 8), time: digits.slice(8, 14) };
}

/** The body of a 04 0F as it goes out, with what is wrong with it on purpose. */
export function statusBody({ faults }: Core, information: StatusInformation): Uint8Array {
  let told = information;
  if (faults.take("wrong-amount")) told = { ...told, amount: (told.amount ?? 0) + 1 };
  if (faults.take("wrong-terminal")) told = { ...told, terminalId: told.terminalId === "99999999" ? "11111111" : "99999999" };
  if (faults.take("indiscreet")) told = indiscreet(told);
  if (faults.take("dle-storm")) told = { ...told, text: new Uint8Array(100).fill(0x10) };
  if (faults.take("long-length")) told = { ...told, text: new Uint8Array(300).fill(0x2e) };
  if (faults.take("no-result")) {
    const { result: _, ...rest } = told;
    told = rest;
  }
  return encodeStatusInformation(told);
}

/** 06 0F to a status enquiry: software version, and the terminal's status at the end. */
export function enquiryBody(version: Uint8Array, status: number): Uint8Array {
  return concatBytes([Uint8Array.of(0xf0), version, Uint8Array.of(status)]);
}
