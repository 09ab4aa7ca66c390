/**
 * `npm run torture:pay -- --runs 200 [--seed N] [--lanes N] [--driver zvt|nexo] [--only RUN] [--real-timers]`: one order per run, a payment or the
 * taking back of one, and in each run the worst at the worst moment: the agent killed beside a durable write, at a byte or at a step of the
 * terminal, a journal that fails, the wire cut while the host approves or declines and the taking back works, is late or fails, the terminal
 * restarted, faults of the list, the page lost; in some runs once more while the agent finds out. Then everything comes back, and what the
 * agent says of each order is held against the bank's ledger, which is the truth, and against the ends that are right for this misfortune.
 */
import { systemClock } from "../../src/kernel/clock.js";
import type { Bank } from "./bank.js";
import { type Lane, openLane, type Row } from "./lane.js";
import { nexoBank } from "./nexo-bank.js";
import { zvtBank } from "./zvt-bank.js";

const flag = (name: string): number => process.argv.indexOf(`--${name}`);
const text = (name: string, fallback: string): string => (flag(name) < 0 ? fallback : (process.argv[flag(name) + 1] ?? fallback));
const argument = (name: string, fallback: number): number => Number(text(name, `${fallback}`));
const realTimers = flag("real-timers") >= 0;
const runs = argument("runs", realTimers ? 10 : 200);
const seed = argument("seed", Date.now() % 1_000_000);
const only = argument("only", -1);
/** Agent and terminal live so many times as fast. */
const factor = realTimers ? 1 : 20;
/** One time for all processes: what one run notes, the next compares with its own. */
const startedAt = Date.now();
const clock = systemClock(factor, startedAt);

type OpenBank = (bankSeed: number) => Promise<Bank>;
const BANKS: Readonly<Record<string, OpenBank>> = {
  "zvt tcp": (bankSeed) => zvtBank("tcp", clock, bankSeed),
  "zvt serial": (bankSeed) => zvtBank("serial", clock, bankSeed),
  nexo: (bankSeed) => nexoBank(clock, bankSeed),
};
const banks = Object.entries(BANKS)
  .filter(([name]) => name.startsWith(text("driver", "")))
  .map(([, open]) => open);
const lanes = Math.max(banks.length, argument("lanes", 6));

/** Payments of a day that the terminal can count (BMP 60: 255 of a card scheme), each run taking two to four. */
const RUNS_A_DAY = 40;

const rows: Row[] = [];
const wrong: string[] = [];

/** Run RUN belongs to bank RUN modulo their number, so that `--only` finds it again. A lane that breaks is a wrong run, and a new lane. */
async function work(open: OpenBank, waiting: number[], lane: number): Promise<void> {
  let at: Lane | undefined;
  let today = 0;
  try {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      try {
        at ??= await openLane(await open(seed + lane), { seed, factor, startedAt });
        tell(await at.run(run));
        today += 1;
        if (today % RUNS_A_DAY === 0) wrong.push(...(await at.endDay()));
      } catch (thrown) {
        const told = `run ${run} broke: ${(thrown as Error).stack}`;
        process.stdout.write(`${told}\n`);
        wrong.push(told);
        await at?.close();
        at = undefined;
      }
    }
    wrong.push(...((await at?.endDay()) ?? []));
  } finally {
    await at?.close();
  }
}

function tell(row: Row): void {
  rows.push(row);
  const problems = row.wrong.join("; ");
  if (problems) wrong.push(`${row.told}: ${problems}`);
  if (problems || row.reviewedWithEvidence || only >= 0) process.stdout.write(`${row.told}${problems && `: ${problems}`}\n`);
}

const queues = banks.map((_, index) =>
  Array.from({ length: runs }, (_, run) => run).filter((run) => run % banks.length === index && (only < 0 || run === only)),
);
await Promise.all(
  Array.from({ length: lanes }, (_, lane) => {
    const index = lane % banks.length;
    return work(banks[index] as OpenBank, queues[index] ?? [], lane);
  }),
);

const table = new Map<string, Map<string, number>>();
for (const { kind, group, end } of rows) {
  const name = `${kind}: ${group}`;
  const ends = table.get(name) ?? new Map<string, number>();
  table.set(name, ends.set(end, (ends.get(end) ?? 0) + 1));
}
for (const [name, ends] of [...table].sort(([one], [other]) => (one < other ? -1 : 1))) {
  const times = [...ends.values()].reduce((sum, count) => sum + count, 0);
  const shown = [...ends].sort().map(([end, count]) => `${end} ${count}`);
  process.stdout.write(`${name.padEnd(56)}${String(times).padStart(5)}  ${shown.join(", ")}\n`);
}
const reasons = new Map<string, number>();
const reviewed = rows.filter(({ end }) => end === "manual_review");
for (const { blind } of reviewed) if (blind) reasons.set(blind, (reasons.get(blind) ?? 0) + 1);
for (const [reason, count] of reasons) process.stdout.write(`manual review because ${reason}: ${count}\n`);
for (const line of wrong) process.stdout.write(`WRONG ${line}\n`);
const withEvidence = rows.filter(({ blind }) => blind === undefined);
const definite = withEvidence.filter(({ reviewedWithEvidence }) => !reviewedWithEvidence).length;
const part = (count: number, of: number): string => `${count} of ${of} (${of === 0 ? 0 : ((100 * count) / of).toFixed(1)} %)`;
process.stdout.write(
  `\norders ${rows.length} · wrong ${wrong.length} · definite ${part(rows.length - reviewed.length, rows.length)} · with link, terminal and history back: definite ${part(definite, withEvidence.length)}, manual review ${withEvidence.length - definite} · seed ${seed}\n`,
);
if (wrong.length > 0) process.exitCode = 1;
