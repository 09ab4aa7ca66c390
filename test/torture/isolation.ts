/**
 * `npm run torture:isolation -- [--child NAME] [--fault NAME] [--during NAME] [--own] [--seed N] [--write-figures]`: each child of the agent is
 * made to crash, stop, spin and leak in the middle of a payment, a print, a card read and a scan. What the agent says is held against ledger,
 * paper and codes; how long it took to see the fault, to be back and to know the end is printed, and how another device fared meanwhile.
 * `--own`: only the work that the struck child does itself. `--write-figures`: the times of these trials are those of docs/faults.md from then on.
 */
import { writeFigures } from "../support/measured.js";
import { FAULTS } from "./isolation-faults.js";
import { CHILDREN, openScene } from "./isolation-scene.js";
import { type Row, startNeighbour, type Trial, tryFault } from "./isolation-trial.js";
import { WORKS, type WorkName } from "./isolation-work.js";

/** Drawing a large picture is one piece of work: the child that does it is given four seconds. */
const MOST_SEEN_MS = { imaging: 4_500, others: 2_000 } as const;
const MOST_BACK_MS = 5_000;

const chosen = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const wanted = (name: string, value: string): boolean => (chosen(name) ?? value) === value;
const own = process.argv.includes("--own");

const trials: Trial[] = CHILDREN.flatMap((child) =>
  (Object.keys(WORKS) as WorkName[]).flatMap((during) => FAULTS.map((fault) => ({ child, fault, during }))),
).filter(({ child, fault, during }) => {
  const does = WORKS[during].own === child || (child === "imaging" && during === "print");
  return wanted("child", child) && wanted("fault", fault) && wanted("during", during) && (does || !own);
});

const quantile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(part * values.length))] ?? Number.NaN;
const p99 = (values: readonly number[]): string => quantile(values, 0.99).toFixed(1);
const line = (cells: readonly (string | number)[]): void => {
  const widths = [10, 9, 10, 9, 9, 9, 13, 11, 11];
  process.stdout.write(
    `${cells
      .map((cell, at) => String(cell).padEnd(widths[at] ?? 0))
      .join(" ")
      .trimEnd()}\n`,
  );
};

const scene = await openScene({ cards: true, seed: Number(chosen("seed") ?? 1) });
const rows: Row[] = [];
let broken = 0;
try {
  const neighbour = await startNeighbour(scene);
  line(["child", "fault", "during", "seen ms", "back ms", "known ms", "outcome", "p99 before", "p99 during"]);
  for (const trial of trials) {
    try {
      const row = await tryFault(scene, neighbour, trial);
      rows.push(row);
      const times = [row.seenMs, row.backMs, row.knownMs].map((ms) => ms.toFixed(0));
      line([row.child, row.fault, row.during, ...times, row.outcome, p99(row.beforeMs), p99(row.duringMs)]);
      for (const problem of row.wrong) process.stdout.write(`  WRONG ${problem}\n`);
    } catch (thrown) {
      broken++;
      process.stdout.write(`  BROKE ${trial.child} ${trial.fault} ${trial.during}: ${(thrown as Error).stack}\n`);
    }
  }
  await neighbour.stop();
} finally {
  await scene.close();
}
const wrong = rows.filter((row) => row.wrong.length > 0).length + broken;
const late = rows.filter(
  ({ child, seenMs, backMs }) => seenMs > (child === "imaging" ? MOST_SEEN_MS.imaging : MOST_SEEN_MS.others) || backMs > MOST_BACK_MS,
).length;
const most = (which: "seenMs" | "backMs"): string => Math.max(...rows.map((row) => row[which])).toFixed(0);
const codes = (which: "beforeMs" | "duringMs"): string => {
  const all = rows.flatMap((row) => row[which]);
  return `${all.length} codes, p50 ${quantile(all, 0.5).toFixed(1)}, p99 ${p99(all)} ms`;
};
process.stdout.write(
  `\ntrials ${trials.length} · wrong ${wrong} · late ${late} · seen after at most ${most("seenMs")} ms · back after at most ${most("backMs")} ms\n` +
    `the neighbour before: ${codes("beforeMs")} · meanwhile: ${codes("duringMs")}\n`,
);
if (process.argv.includes("--write-figures")) {
  const right = rows.filter((row) => row.wrong.length === 0);
  writeFigures(
    Object.fromEntries(
      right.map(({ child, fault, during, seenMs, backMs }) => [`isolation: ${child}, ${fault}, ${during}`, { seenMs, backMs }]),
    ),
  );
}
process.exitCode = wrong > 0 ? 1 : 0;
