import { serveTcp } from "../../simulators/serve.js";
import { STEP_NAMES } from "../../simulators/zvt-terminal/faults.js";
import { zvtTerminal } from "../../simulators/zvt-terminal/index.js";
import type { Clock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import type { Bank, Draw, End, Kind, Misfortune } from "./bank.js";
import { watched } from "./watched.js";
import { RECOVERY_FAULTS, reversalFaults, saleFaults, T4_MS } from "./zvt-faults.js";

/** Of the hurried clock: a busy machine must not be taken for a silent terminal. */
const T3_MS = 30_000;
/** Twice of it goes into T4: a block may be sent three times. */
const T2_MS = 10_000;
/** The ECR's yes has come: what ends from here on changes nothing. */
const CONFIRMED = new Set(["answer-taken", "print-begun", "remove-card-shown", "completion-begun", "completion-sent"]);
/** No card has been read, or the bank knows nothing yet. */
const UNASKED = new Set(["command-received", "command-answered", "insert-card-shown", "card-presented"]);
/** Only a fault stops there, or a terminal that prints. */
const SELDOM = new Set(["status-information-begun", "print-begun", "completion-begun"]);
const SALE_STEPS = STEP_NAMES.filter((step) => !SELDOM.has(step));
const REVERSAL_STEPS = SALE_STEPS.filter((step) => !/card|result|answer-lost/.test(step));

/**
 * A ZVT terminal. Over a serial line what was taken back is a receipt of its own, and so is what was declined; over TCP neither leaves a trace
 * and the receipt before comes again: both kinds are in the field.
 */
export async function zvtBank(framing: "tcp" | "serial", clock: Clock, seed: number): Promise<Bank> {
  const serial = framing === "serial";
  const options = zvtTerminal.options.parse({
    framing,
    lastAfterAutoReversal: serial ? "reversal" : "baseline",
    keepDeclined: serial,
    presentMs: 1_000,
    hostMs: 800,
    removeMs: 200,
    autoReversalMs: 1_000,
    lateReversalMs: 5_000,
    rebootMs: 2_000,
    t1Ms: 3_000,
    t2Ms: T2_MS,
    t3Ms: T3_MS,
  });
  const {
    simulator: terminal,
    act,
    at,
    forget,
  } = watched((changed) => zvtTerminal.create(options, { clock, random: seededRandom(seed), changed }), { "0620": "baseline-told" });
  const served = await serveTcp(terminal, { host: "127.0.0.1", port: 0 });

  /** A sale that the bank booked and nobody confirmed. */
  const takenBack: readonly End[] = serial ? ["reversed"] : ["not_charged"];
  const unbooked: readonly End[] = serial ? ["declined"] : ["declined", "not_charged"];
  const endsOfCut = (kind: Kind, step: string, host: string, autoReversal: string): readonly End[] => {
    if (kind === "reversal") return host === "approved" ? ["reversed"] : ["declined", "not_charged"];
    if (host === "declined") return unbooked;
    return CONFIRMED.has(step) || autoReversal === "fails" ? ["approved"] : takenBack;
  };
  const cutAt = (draw: Draw, kind: Kind) => {
    const step = draw.one(kind === "sale" ? STEP_NAMES.filter((name) => name !== "print-begun") : REVERSAL_STEPS);
    const host = draw.one(["approved", "declined"] as const);
    const autoReversal = draw.one(["succeeds", "late", "hidden", "fails"] as const);
    return { step, host, autoReversal, ends: endsOfCut(kind, step, host, autoReversal) };
  };
  const groupOf = ({ step, host, autoReversal }: { step: string; host: string; autoReversal: string }, kind: Kind): string => {
    if (kind === "reversal" || host === "declined") return host;
    return CONFIRMED.has(step) ? "approved and answered" : `approved, taking back ${autoReversal}`;
  };

  return {
    name: `zvt ${framing}`,
    port: served.port,
    devices: (port) => `[devices.terminal]
driver = "zvt"
password = "123456"
framing = "${framing}"
t1Ms = 3000
t2Ms = ${T2_MS}
t3Ms = ${T3_MS}
t4Ms = ${T4_MS}
autoReversalMs = 15000
link = { kind = "tcp", host = "127.0.0.1", port = ${port} }`,
    ledger: () => terminal.ledger(),
    steps: (kind) => (kind === "sale" ? SALE_STEPS : REVERSAL_STEPS),
    at,
    orderBytes: serial ? 150 : 50,
    definite: (kind) =>
      kind === "sale"
        ? ["none", "not_started", "approved", "declined", "cancelled", "not_charged", "reversed"]
        : ["none", "not_started", "reversed", "declined", "cancelled", "not_charged"],
    endsAtMark(kind, what, mark) {
      // A yes that comes later than the terminal waits is not said any more.
      if (what === "slow")
        return kind === "reversal" ? ["reversed"] : ["sent", "held", "answering"].includes(mark) ? takenBack : ["approved"];
      const journal = what === "refuse" || what === "doubt";
      if (mark === "created") return [what === "before" || what === "refuse" ? "none" : "not_started"];
      if (mark === "reversing" || (mark === "armed" && what !== "after")) return ["not_started"];
      if (kind === "reversal") {
        if (mark === "armed") return ["not_charged"];
        // The terminal may or may not have asked its host before it saw that nobody is there.
        return mark === "sent" && !journal ? ["reversed", "not_charged"] : ["reversed"];
      }
      if (mark === "ended" || (mark === "sent" && journal)) return ["approved"];
      // `sent` is written while the terminal goes on.
      if (mark === "sent") return ["not_charged", ...takenBack];
      return mark === "armed" ? ["not_charged"] : takenBack;
    },
    endsAtStep(kind, step) {
      const early = step === "command-received" || step === "command-answered";
      if (kind === "reversal") return early ? ["reversed", "not_charged"] : ["reversed"];
      // The card may be in before the terminal sees that nobody is there.
      if (UNASKED.has(step)) return ["not_charged", ...takenBack];
      // Killed from outside, the agent may have answered by then.
      if (step === "status-information-sent") return ["approved", ...takenBack];
      return CONFIRMED.has(step) || step === "answer-lost" ? ["approved"] : takenBack;
    },
    wireEnds(draw, kind) {
      const { ends, ...cut } = cutAt(draw, kind);
      const how = draw.one(["close", "close", "rst", "half-open"] as const);
      return {
        group: `wire ends, ${groupOf(cut, kind)}`,
        detail: JSON.stringify({ ...cut, how }),
        ends,
        strike: () => act("disconnectAt", { ...cut, how }),
      };
    },
    restarts(draw, kind): Misfortune {
      const { ends, ...cut } = cutAt(draw, kind);
      const history = draw.chance(0.75) ? ("kept" as const) : ("lost" as const);
      // One that forgot the sale takes nothing back.
      const lost = { blind: "the terminal forgot its history", ends: [...ends, "approved", "reversed", "declined"] as End[] };
      return {
        group: `terminal restarts, history ${history}`,
        detail: JSON.stringify(cut),
        ends,
        ...(history === "lost" ? lost : {}),
        strike: () => act("inject", { fault: "reboot", ...cut, history }),
      };
    },
    fault: (draw, kind) => draw.one(kind === "sale" ? saleFaults(serial, takenBack, act) : reversalFaults(serial, act))(draw),
    duringRecovery(draw) {
      const fault = draw.one(RECOVERY_FAULTS);
      return { detail: JSON.stringify(fault), strike: () => act(...fault) };
    },
    async recover() {
      forget();
      await act("clearFaults");
      await act("slow", { ms: 0 });
      await act("plug");
    },
    async close() {
      await served.close();
      await terminal.close();
    },
  };
}
