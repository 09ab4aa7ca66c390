import { toHex } from "../../src/kernel/bytes.js";
import type { Clock } from "../../src/kernel/clock.js";
import type { Random } from "../../src/kernel/random.js";
import { createCardholder } from "../cardholder.js";
import type { FarEnd } from "../simulator.js";
import type { Apdu } from "./apdu.js";
import { type Core, type Memory, type Procedure, RESULT, type Session, say } from "./core.js";
import { createFaults, type How } from "./faults.js";
import { fromBcd, readFields } from "./fields.js";
import { createLedger } from "./ledger.js";
import { createSerialLine, createTcpLine, type LineContext } from "./line.js";
import type { ZvtTerminalOptions } from "./options.js";
import { type Plug, plugIn } from "./plug.js";
import { answerEnquiry, type Planned, planEndOfDay, planRegistration, planRepeat } from "./procedures.js";
import { earlierReceipt } from "./receipt.js";
import { planReversal } from "./reversal.js";
import { authorise } from "./sale.js";

export interface Terminal {
  readonly core: Core;
  readonly session: Session | undefined;
  /** False while it restarts. */
  readonly on: boolean;
  readonly unknownCommands: number;
  attach(farEnd: FarEnd): void;
  cut(how: How): Promise<void>;
  /** Forgets everything, the bank too. */
  reset(): void;
  close(): Promise<void>;
}

export interface TerminalContext {
  readonly clock: Clock;
  readonly random: Random;
  changed(): void;
}

export function createTerminal(options: ZvtTerminalOptions, { clock, random, changed }: TerminalContext): Terminal {
  let current: Session | undefined;
  let off = false;
  let unknownCommands = 0;
  const enquiring = new WeakSet<Session>();

  const blank = (): Memory => ({
    registered: false,
    config: 0,
    nextReceipt: options.nextReceipt,
    nextTrace: options.nextTrace,
    nextTurnover: options.nextTurnover,
    last: options.earlierReceipt ? earlierReceipt(options, clock) : undefined,
    shown: undefined,
    closedEntries: 0,
    firstReceiptOfDay: undefined,
  });
  const cut = async (how: How): Promise<void> => {
    const leaving = current;
    if (how !== "half-open") current = undefined;
    await leaving?.cut(how);
  };
  /** All that a reset makes new. What still goes on then goes on with the old one, and ends there. */
  const createCore = (): Core => {
    const life = new AbortController();
    const made: Core = {
      options,
      clock,
      random,
      faults: createFaults(options.faults),
      ledger: createLedger(),
      cardholder: createCardholder(options, "napas", clock),
      memory: blank(),
      life: life.signal,
      end: () => life.abort(),
      running: undefined,
      reversing: 0,
      changed,
      reboot: (history) => reboot(made, history),
    };
    return made;
  };
  const reboot = async ({ memory, ledger, life }: Core, history: "kept" | "lost"): Promise<void> => {
    off = true;
    const lost = { ...blank(), last: undefined, nextReceipt: 1, nextTrace: 1, nextTurnover: 1, closedEntries: ledger.entries.length };
    Object.assign(memory, history === "lost" ? lost : { registered: false, config: 0 });
    clock.timer(options.rebootMs, () => {
      if (life.aborted) return;
      off = false;
      changed();
    });
    changed();
    await cut("close");
  };
  let core = createCore();

  /** A password stands before the fields in most commands; 06 01 has none. */
  const planSale = ({ body }: Apdu): Planned => {
    const fields = readFields(body);
    const amount = fields?.get(0x04);
    const amountVnd = amount && fromBcd(amount);
    if (!fields || !amountVnd) return { refuse: RESULT.protocol };
    const currency = fields.get(0x49);
    if (currency && toHex(currency) !== options.currency) return { refuse: RESULT.currency };
    const wish = { amountVnd, paymentType: fields.get(0x19)?.[0] ?? 0x40 };
    return { go: (core, procedure) => authorise(core, procedure, wish) };
  };

  const plan = (apdu: Apdu): Planned | undefined => {
    switch (apdu.command) {
      case 0x0600:
        return planRegistration(core, apdu.body);
      case 0x0601:
        return planSale(apdu);
      case 0x0620:
        return planRepeat(core, apdu.body);
      case 0x0630:
        return planReversal(core, apdu.body);
      case 0x0650:
        return planEndOfDay(core, apdu.body);
      default:
        return undefined;
    }
  };

  const refuse = (session: Session, code: number): Promise<void> => say(session, 0x8400 | code);

  /** What goes on in the background stops at a reset; anything else that goes wrong there must be seen. */
  const run = (session: Session, work: () => Promise<void>, over: () => unknown): void => {
    const { life } = core;
    work()
      .catch((thrown) => {
        if (!life.aborted) throw thrown;
      })
      .finally(() => {
        if (!life.aborted) over();
        if (!session.gone.aborted) changed();
      });
  };

  const begin = (session: Session, apdu: Apdu): void => {
    const { command } = apdu;
    const scripted = core.faults.take("refuse", { command });
    const planned = scripted ? { refuse: scripted.code ?? RESULT.busy } : plan(apdu);
    if (!planned) {
      unknownCommands += 1;
      changed();
    }
    const unregistered = options.needsRegistration && !core.memory.registered && command !== 0x0600;
    if (!planned || (unregistered && !scripted)) return void refuse(session, RESULT.notPossible);
    if (core.running || (core.reversing > 0 && command !== 0x0600)) return void refuse(session, RESULT.busy);
    if ("refuse" in planned) return void refuse(session, planned.refuse);
    const mine = core;
    const procedure: Procedure = {
      session,
      name: command.toString(16).padStart(4, "0"),
      step: undefined,
      abortable: command === 0x0601,
      aborted: new AbortController(),
      forced: undefined,
      autoReversal: undefined,
      forgotten: false,
    };
    mine.running = procedure;
    changed();
    run(
      session,
      () => planned.go(mine, procedure),
      () => {
        mine.running = undefined;
        changed();
      },
    );
  };

  /** 06 B0 is always answered; what it does is another matter. */
  const abort = async (session: Session): Promise<void> => {
    const { running, faults, cardholder } = core;
    await say(session, 0x8000);
    if (!running?.abortable) return;
    if (faults.take("abort-ignored")) return;
    if (!faults.take("approve-races-abort")) return running.aborted.abort();
    cardholder.present("napas");
    cardholder.say({ kind: "approve" });
  };

  const onApdu = (session: Session, apdu: Apdu): void => {
    const [high, low] = [apdu.command >> 8, apdu.command & 0xff];
    if (high === 0x80 || high === 0x84) {
      // 80 00 and 84 00 are a yes (PA00P015, positive acknowledgement); anything else is none.
      const hear = session.hear;
      session.hear = undefined;
      return hear?.(low === 0 ? { kind: "yes" } : { kind: "no", code: low });
    }
    if (apdu.command === 0x06b0)
      return run(
        session,
        () => abort(session),
        () => {},
      );
    if (apdu.command !== 0x0501) return begin(session, apdu);
    if (enquiring.has(session) || core.running?.session === session) return void refuse(session, RESULT.busy);
    enquiring.add(session);
    run(
      session,
      () => answerEnquiry(core, session),
      () => enquiring.delete(session),
    );
  };

  const open = (farEnd: FarEnd): Session => {
    const gone = new AbortController();
    let plug: Plug | undefined;
    const context: LineContext = {
      clock,
      random,
      get faults() {
        return core.faults;
      },
      t1Ms: options.t1Ms,
      t2Ms: options.t2Ms,
      gone: gone.signal,
      put: async (bytes) => await plug?.put(bytes),
      cut: async () => await plug?.cut("close"),
      onApdu: (apdu) => onApdu(session, apdu),
    };
    const line = options.framing === "tcp" ? createTcpLine(context) : createSerialLine(context);
    const session: Session = {
      line,
      gone: gone.signal,
      hear: undefined,
      async cut(how) {
        await plug?.cut(how);
      },
    };
    plug = plugIn(farEnd, line.receive, () => {
      gone.abort();
      if (current === session) changed();
    });
    return session;
  };

  return {
    get core() {
      return core;
    },
    get session() {
      return current && !current.gone.aborted ? current : undefined;
    },
    get on() {
      return !off;
    },
    get unknownCommands() {
      return unknownCommands;
    },
    attach(farEnd) {
      void cut("close");
      if (off) return void farEnd.close();
      current = open(farEnd);
      changed();
    },
    cut,
    reset() {
      const before = core;
      core = createCore();
      before.end();
      off = false;
      unknownCommands = 0;
      // Nobody will tell the ECR how it went.
      if (before.running) void cut("close");
      changed();
    },
    async close() {
      core.end();
      await cut("close");
    },
  };
}
