import { wrap } from "../../src/commands/table.js";
import type { Book } from "./book.js";
import { quantile, slopeText, type Trend } from "./judge.js";
import type { Life, Rest } from "./measure.js";
import { JOURNEY_KINDS } from "./schedule.js";

export interface Result {
  readonly book: Book;
  readonly seed: number;
  readonly spentMs: number;
  readonly asked: string;
  readonly kills: number;
  readonly memory: readonly { readonly life: Life; readonly trend: Trend | undefined }[];
  readonly start: Rest | undefined;
  readonly end: Rest | undefined;
  readonly settled: { readonly reviewed: number; readonly unsure: number; readonly scraps: number };
}

const COLUMNS = 80;
const STARTED_SAMPLES = 3;
const ms = (value: number): string => (Number.isNaN(value) ? "-" : value.toFixed(0));

/** The last column takes what is left of the line, and wraps. */
function tableText(rows: readonly (readonly (string | number)[])[]): string {
  const [heading = []] = rows;
  const widths = heading.slice(0, -1).map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? "").length)) + 2);
  const indent = widths.reduce((sum, width) => sum + width, 0);
  return rows
    .map((row) => {
      const before = widths.map((width, column) => String(row[column] ?? "").padEnd(width)).join("");
      const last = wrap(String(row.at(-1) ?? ""), COLUMNS - indent);
      return last.map((part, line) => `${line === 0 ? before : " ".repeat(indent)}${part}`.trimEnd()).join("\n");
    })
    .join("\n")
    .concat("\n");
}

export const journeysOf = ({ journeys }: Book): number =>
  Object.values(journeys).reduce((sum, { done, failed, left, wrong }) => sum + done + failed + left + wrong, 0);
export const faultsIn = ({ faults }: Book): number =>
  [...faults.values()].flatMap((ofDevice) => [...ofDevice.values()]).reduce((sum, times) => sum + times, 0);

/** What a person reads at the end: no line is longer than 80 characters. */
export function tableOf({ book, seed, spentMs, asked, kills, memory, start, end, settled }: Result): string {
  const journeys = tableText([
    ["JOURNEY", "DONE", "FAILED AS ALLOWED", "LEFT", "WRONG", "P50 MS", "P99 MS"],
    ...JOURNEY_KINDS.map((kind) => {
      const { done, failed, left, wrong, ms: times } = book.journeys[kind];
      return [kind, done, failed, left, wrong, ms(quantile(times, 0.5)), ms(quantile(times, 0.99))];
    }),
  ]);
  const faults = tableText([
    ["DEVICE", "P50 MS", "P99 MS", "MAX MS", "UNTIL IT WAS WELL AGAIN; AND ITS FAULTS"],
    ...[...book.faults].map(([device, ofDevice]) => {
      const times = book.recoveries.get(device) ?? [];
      const counted = [...ofDevice].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, count]) => `${name} ${count}`);
      return [device, ms(quantile(times, 0.5)), ms(quantile(times, 0.99)), ms(quantile(times, 1)), counted.join(", ")];
    }),
  ]);
  const lives = tableText([
    ["PROCESS", "START", "MIDDLE", "END", "MIB OF MEMORY; SLOPE OF ITS SECOND HALF"],
    ...memory
      .filter(({ life, trend }) => life.name === "agent" || trend !== undefined)
      .toSorted((one, other) => one.life.name.localeCompare(other.life.name))
      .map(({ life: { name, samples }, trend }) => {
        const at = (index: number): string => samples[index]?.mib.toFixed(0) ?? "-";
        // One that has just been started is not yet all there.
        const start = Math.min(STARTED_SAMPLES, samples.length - 1);
        return [name, at(start), at(samples.length >> 1), at(samples.length - 1), trend ? slopeText(trend) : "too short to tell"];
      }),
  ]);
  const failures = [...book.failures].sort(([, one], [, other]) => other - one).map(([how, times]) => `${how} ${times}`);
  const loops = book.loopDelayMs;
  const facts = [
    `${Math.round(spentMs / 1_000)} s of ${asked}, seed ${seed}; the agent was killed ${kills} times`,
    `the agent's loop was late by ${ms(quantile(loops, 0.5))} ms (p99 of a sample, median), ${ms(quantile(loops, 1))} ms (the worst)`,
    `files of the agent at rest: ${start?.files ?? "-"} at the start, ${end?.files ?? "-"} at the end; children ${countOf(start)} and ${countOf(end)}`,
    `payments under review ${settled.reviewed}, receipts that nobody can tell of ${settled.unsure}, torn pieces of paper ${settled.scraps}`,
    `errors that faults allow: ${failures.join(", ") || "none"}`,
  ];
  return [journeys, faults, lives, tableText(facts.map((fact) => [fact]))].join("\n");
}

const countOf = (rest: Rest | undefined): string =>
  rest ? String([...rest.children.values()].reduce((sum, count) => sum + count, 0)) : "-";

/** For programs. */
export function reportOf({ book, memory, start, end, ...rest }: Result): object {
  const listed = (map: ReadonlyMap<string, number>): object => Object.fromEntries(map);
  return {
    ...rest,
    journeys: Object.fromEntries(
      Object.entries(book.journeys).map(([kind, { ms: times, ...counts }]) => [
        kind,
        { ...counts, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) },
      ]),
    ),
    faults: Object.fromEntries([...book.faults].map(([device, ofDevice]) => [device, listed(ofDevice)])),
    recoveries: Object.fromEntries(
      [...book.recoveries].map(([device, times]) => [
        device,
        { count: times.length, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), maxMs: quantile(times, 1) },
      ]),
    ),
    failures: listed(book.failures),
    loopDelayMs: { p50: quantile(book.loopDelayMs, 0.5), p99: quantile(book.loopDelayMs, 0.99), max: quantile(book.loopDelayMs, 1) },
    memory: memory.map(({ life: { name, pid, samples }, trend }) => ({
      name,
      pid,
      samples: samples.length,
      startMib: samples[0]?.mib,
      middleMib: samples[samples.length >> 1]?.mib,
      endMib: samples.at(-1)?.mib,
      trend,
    })),
    agentMib: memory
      .filter(({ life }) => life.name === "agent")
      .map(({ life }) => life.samples.map(({ atMs, mib }) => [Math.round(atMs), mib])),
    rest: { start: start && { ...start, children: listed(start.children) }, end: end && { ...end, children: listed(end.children) } },
    wrong: book.wrongs,
  };
}
