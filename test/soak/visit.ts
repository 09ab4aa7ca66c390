import { type StationClient, StationError, type StationErrorKind } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import { ERROR_KINDS } from "../../src/kernel/errors.js";
import { browse } from "./journey-browse.js";
import { payByCard, payByQr } from "./journey-pay.js";
import { identify, scan } from "./journey-read.js";
import { documents, photo } from "./journey-see.js";
import type { Scene } from "./scene.js";
import type { JourneyKind, JourneyPlan } from "./schedule.js";
import type { Begun, Settler } from "./settle.js";
import type { Station } from "./station.js";
import type { Troubles } from "./troubles.js";
import type { Tunnel } from "./tunnel.js";

/** What all journeys share. */
export interface World {
  readonly scene: Scene;
  readonly station: Station;
  readonly troubles: Troubles;
  readonly settler: Settler;
  /** Holders as a quiet reading has them, by ID number. */
  readonly known: Map<string, unknown>;
  /** Only one person stands before a reader or a scanner. */
  lock(device: string): Promise<Disposable>;
  /** Never the same twice. */
  number(): number;
}

/** A page, and whoever stands before it. */
export interface Visitor {
  readonly client: StationClient;
  readonly tunnel: Tunnel;
  leave(): void;
  back(): Promise<void>;
}

/** One journey under way. */
export interface Visit {
  readonly plan: JourneyPlan;
  readonly world: World;
  readonly client: StationClient;
  /** The page does not want it any more. */
  readonly cancel: AbortSignal;
  readonly startedMs: number;
  /** The `die`th die picks. */
  pick<T>(die: number, from: readonly T[]): T;
  chance(die: number, part: number): boolean;
  uses(...devices: string[]): void;
  /** It fails of its own doing, so that these errors are right. */
  may(...kinds: StationErrorKind[]): void;
  must(holds: boolean, otherwise: string): void;
  /** Neither a fault nor a twist that could have touched it. */
  undisturbed(): boolean;
  /** A job that must end, and be as it says. */
  begun(job: Begun): void;
}

export interface Told {
  readonly end: "done" | "failed" | "left";
  readonly wrong: readonly string[];
  readonly failedWith: string | undefined;
  readonly ms: number;
  readonly undisturbed: boolean;
}

export type Journey = (visit: Visit) => Promise<void>;
const JOURNEYS: Readonly<Record<JourneyKind, Journey>> = {
  identify,
  scan,
  "pay by card": payByCard,
  "pay by QR": payByQr,
  documents,
  photo,
  browse,
};

/** No journey may take longer, whatever is broken: the terminals' own patience is 20 s. */
const STUCK_MS = 150_000;
const CONNECTS_WITHIN_MS = 60_000;
/** Of the agent: so long a page that is gone may come back, and what it had is kept for it. */
const GRACE_MS = 11_000;
const OF_A_LOST_PAGE: readonly StationErrorKind[] = ["busy", "timeout", "canceled", "terminal_busy", "payment_unresolved"];
const OF_TWIST: Readonly<Record<JourneyPlan["twist"], readonly StationErrorKind[]>> = {
  none: [],
  reconnect: ["connection_lost", "busy", "canceled"],
  abandon: ["connection_lost", "canceled", "job_not_found"],
  cancel: ["canceled"],
};
const CLIENT_KINDS: ReadonlySet<string> = new Set(["connection_lost", "blob_damaged"]);
/** Kinds that say that somebody has made a mistake: nothing that goes wrong outside excuses them. */
const NEVER: ReadonlySet<string> = new Set(["internal", "invalid_request", "method_not_found", "blob_damaged"]);
const clock = systemClock();

export async function visit(
  world: World,
  visitor: Visitor,
  plan: JourneyPlan,
): Promise<Told & { readonly settled: Promise<readonly string[]> }> {
  const { troubles } = world;
  await connected(visitor);
  const startedMs = clock.monotonicMs();
  const cancel = new AbortController();
  const devices = new Set(["agent"]);
  const own = new Set<StationErrorKind>(OF_TWIST[plan.twist]);
  const wrong: string[] = [];
  const jobs: Begun[] = [];
  let twisted = false;
  let left = false;

  const strike = (): void => {
    twisted = true;
    if (plan.twist === "cancel") return cancel.abort();
    if (plan.twist === "abandon") left = true;
    for (const device of devices) {
      if (device === "agent") continue;
      const trouble = troubles.begin(device, "page lost", OF_A_LOST_PAGE);
      clock.timer(GRACE_MS, trouble.end);
    }
    if (plan.twist === "reconnect") visitor.tunnel.cut();
    else visitor.leave();
  };
  const twist = plan.twist === "none" ? undefined : clock.timer(plan.twistAfterMs, strike);

  const current: Visit = {
    plan,
    world,
    client: visitor.client,
    cancel: cancel.signal,
    startedMs,
    pick: (die, from) => from[Math.floor((plan.dice[die] ?? 0) * from.length)] as (typeof from)[number],
    chance: (die, part) => (plan.dice[die] ?? 1) < part,
    uses: (...names) => {
      for (const name of names) devices.add(name);
    },
    may: (...kinds) => {
      for (const kind of kinds) own.add(kind);
    },
    must: (holds, otherwise) => void (holds || wrong.push(otherwise)),
    undisturbed: () => !twisted && troubles.names(devices, startedMs).length === 0,
    begun: (job) => void jobs.push(job),
  };

  let failedWith: string | undefined;
  let thrown: unknown;
  const journey = JOURNEYS[plan.kind](current).catch((error: unknown) => {
    thrown = error;
  });
  await Promise.race([journey, stuck(startedMs)]).catch((error: unknown) => {
    thrown = error;
  });
  // Too late: nobody leaves a journey that is over.
  twist?.[Symbol.dispose]();
  if (thrown !== undefined) {
    failedWith = thrown instanceof StationError ? `${thrown.kind}${thrown.device ? ` of ${thrown.device}` : ""}` : "a fault of its own";
    const excused = new Set([...own, ...troubles.kinds(devices, startedMs)]);
    const problem = problemOf(thrown, excused);
    if (problem) wrong.push(problem);
  }
  const ms = clock.monotonicMs() - startedMs;
  const undisturbed = current.undisturbed();
  if (left) await visitor.back();
  else await visitor.client.call("session.endCitizen", {}, {}).catch(() => {});
  const excuses = (): readonly string[] => [...troubles.names(devices, startedMs), ...(twisted ? [plan.twist] : [])];
  return {
    end: left ? "left" : thrown === undefined ? "done" : "failed",
    wrong,
    failedWith,
    ms,
    undisturbed,
    settled: Promise.all(jobs.map((job) => world.settler.settle(job, excuses))).then((told) => told.flat()),
  };
}

/** A page that has just lost its connection, or whose agent was killed, shows that it waits. */
async function connected({ client }: Visitor): Promise<void> {
  const giveUpAt = clock.monotonicMs() + CONNECTS_WITHIN_MS;
  while (client.state !== "open" && clock.monotonicMs() < giveUpAt) await clock.sleep(20);
}

async function stuck(startedMs: number): Promise<never> {
  await clock.sleep(STUCK_MS);
  throw new RangeError(`it did not end in ${Math.round((clock.monotonicMs() - startedMs) / 1_000)} s`);
}

/** What is wrong with this error; undefined: nothing is. */
function problemOf(thrown: unknown, excused: ReadonlySet<string>): string | undefined {
  if (!(thrown instanceof StationError)) return `threw ${String((thrown as Error)?.stack ?? thrown)}`;
  const { kind, hint, message, device } = thrown;
  const named = `${kind}${device ? ` of ${device}` : ""} (${message})`;
  if (!(kind in ERROR_KINDS) && !CLIENT_KINDS.has(kind)) return `${named} is no kind of the list`;
  if (hint === "") return `${named} has no hint`;
  if (NEVER.has(kind) || !excused.has(kind)) return `failed with ${named}`;
  return undefined;
}
