import { seededRandom } from "../../src/kernel/random.js";
import type { Bank, Draw, Kind, Misfortune, Scene } from "./bank.js";

/** What the seed and the number of a run say, whichever lane it is run on and whatever ran before it. */
export function drawsOf(seed: number, run: number): Draw {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(run + 1, 0x85ebca6b));
  const int = (below: number): number => Math.floor(random.fraction() * below);
  return { int, one: (from) => from[int(from.length)] as never, chance: (part) => random.fraction() < part };
}

const SALE_MARKS = ["created", "armed", "sent", "held", "answering", "ended"] as const;
const REVERSAL_MARKS = ["created", "reversing", "armed", "sent", "held", "answering", "ended"] as const;

/** One misfortune, drawn; what it is allowed to lead to comes with it. */
export function drawMisfortune(bank: Bank, draw: Draw, kind: Kind): Misfortune {
  const at = draw.int(100);
  if (at < 24) return atMark(bank, draw, kind, draw.one(["before", "after"]));
  if (at < 32) return atMark(bank, draw, kind, draw.one(["refuse", "doubt", "slow"]));
  if (at < 39) return killedAtStep(bank, draw, kind);
  if (at < 45) return atByte(bank, draw, kind);
  if (at < 61) return bank.wireEnds(draw, kind);
  if (at < 67) return bank.restarts(draw, kind);
  if (at < 90) return bank.fault(draw, kind);
  if (at < 95) return pageGone(bank, draw, kind);
  return several(bank, draw, kind);
}

/** The agent dies beside a durable write, or the disk takes it not, or takes it and says that it did not, or takes it too late. */
function atMark(bank: Bank, draw: Draw, kind: Kind, what: string): Misfortune {
  const mark = draw.one(kind === "sale" ? SALE_MARKS : REVERSAL_MARKS);
  // A reversal's own end, or that of its payment.
  const time = kind === "reversal" && mark === "ended" ? 1 + draw.int(2) : 1;
  const killed = what === "before" || what === "after";
  return {
    group: `${killed ? "killed" : "journal"} ${what === "doubt" ? "in doubt at" : what} ${mark}`,
    detail: time > 1 ? "of the payment" : "",
    ends: bank.endsAtMark(kind, what, mark),
    strike: ({ plant }) => plant(`${what} ${mark} ${time}`),
  };
}

function killedAtStep(bank: Bank, draw: Draw, kind: Kind): Misfortune {
  const step = draw.one(bank.steps(kind));
  return {
    group: "killed at a step of the terminal",
    detail: step,
    ends: bank.endsAtStep(kind, step),
    strike: ({ kill }) => bank.at(step, kill),
  };
}

function atByte(bank: Bank, draw: Draw, kind: Kind): Misfortune {
  const bytes = 1 + draw.int(bank.orderBytes);
  const killed = draw.chance(0.5);
  return {
    group: killed ? "killed at a byte" : "wire cut at a byte",
    detail: `${bytes}`,
    ends: bank.definite(kind),
    strike: ({ wire, kill }) =>
      wire.cutAfter(bytes, () => {
        if (killed) kill();
        wire.join();
      }),
  };
}

/** The payment goes on without its page, or ends by the cardholder's side of it: as the terminal says. */
function pageGone(bank: Bank, draw: Draw, kind: Kind): Misfortune {
  const step = draw.one(bank.steps(kind));
  const leaves = kind === "sale" && draw.chance(0.5);
  return {
    group: leaves ? "page lost" : "page asks to stop",
    detail: step,
    ends: kind === "sale" ? ["approved", "cancelled"] : ["reversed"],
    strike: ({ leave, cancel }) => bank.at(step, leaves ? leave : cancel),
  };
}

function several(bank: Bank, draw: Draw, kind: Kind): Misfortune {
  const families = [bank.wireEnds, bank.restarts, bank.fault, killed(bank), stopped(bank)];
  const drawn = [draw.one(families)(draw, kind), draw.one(families)(draw, kind)];
  const blind = drawn.map((one) => one.blind ?? one.blindWithOthers).find((reason) => reason !== undefined);
  const prepare = drawn.find((one) => one.prepare)?.prepare;
  return {
    group: "several at once",
    detail: drawn.map(({ group, detail }) => `${group} ${detail}`).join(" and "),
    ends: bank.definite(kind),
    ...(blind ? { blind } : {}),
    ...(prepare ? { prepare } : {}),
    async strike(scene: Scene) {
      for (const one of drawn) await one.strike(scene);
    },
  };
}
const killed = (bank: Bank) => (draw: Draw, kind: Kind) => atMark(bank, draw, kind, draw.one(["before", "after"]));
const stopped = (bank: Bank) => (draw: Draw, kind: Kind) => pageGone(bank, draw, kind);

/** A second blow, while the agent finds out what the first one did. */
export interface SecondBlow {
  readonly detail: string;
  /** The point that the next agent starts with. */
  readonly point: string;
  readonly killAfterMs?: number;
  /** As of a misfortune. */
  readonly blind?: string;
  strike(scene: Pick<Scene, "bank" | "wire">): Promise<void> | void;
}

export function drawSecondBlow(bank: Bank, draw: Draw): SecondBlow {
  switch (draw.int(4)) {
    case 0: {
      const point = `${draw.one(["before", "after", "refuse", "doubt"])} ended`;
      return { detail: `then ${point}`, point, strike() {} };
    }
    case 1: {
      const ms = draw.int(40_000);
      return { detail: `then killed after ${ms} ms`, point: "never", killAfterMs: ms, strike() {} };
    }
    case 2: {
      const bytes = 1 + draw.int(bank.orderBytes);
      return {
        detail: `then the wire is cut at byte ${bytes}`,
        point: "never",
        strike: ({ wire }) => wire.cutAfter(bytes, () => wire.join()),
      };
    }
    default: {
      const { detail, blind, strike } = bank.duringRecovery(draw);
      return { detail: `then ${detail}`, point: "never", ...(blind ? { blind } : {}), strike };
    }
  }
}
