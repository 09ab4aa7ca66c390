import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

/** One figure: ours, and beside it what was measured in the same run as the least that is possible (or a peer). */
export interface BenchRow {
  readonly what: string;
  readonly unit: "µs" | "ms" | "/s" | "MiB" | "%" | "" | "pictures/s" | "APDUs";
  readonly ours: number;
  readonly floor?: { readonly value: number; readonly is: string };
  readonly target?: Target;
}

interface Target {
  /** Of the ratio to the floor, or of the figure itself. */
  readonly of: "ratio" | "figure";
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface BenchResult {
  readonly name: string;
  readonly rows: readonly BenchRow[];
  /** What else the run saw, for `--json`. */
  readonly beside?: Readonly<Record<string, unknown>>;
}

export const atMost = (bound: number): Target => ({ of: "figure", atMost: bound });
export const ratioAtMost = (bound: number): Target => ({ of: "ratio", atMost: bound });
export const ratioAtLeast = (bound: number): Target => ({ of: "ratio", atLeast: bound });

const HEAD = ["bench", "what", "ours", "floor", "ratio", "target"] as const;

/** The machine, on one line: figures of another one say nothing beside these. */
export function machine(): string {
  const model = cpus()[0]?.model.replaceAll(/\s+/g, " ").trim() ?? "unknown processor";
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${model}, ${gib} GiB, ${system()}, Linux ${release()}, Node ${process.versions.node}`;
}

/** @returns cells of one table for all results, its head first */
export function tableOf(results: readonly BenchResult[]): string[][] {
  return [[...HEAD], ...results.flatMap(({ name, rows }) => rows.map((row) => [name, ...cells(row)]))];
}

export function asText(results: readonly BenchResult[]): string {
  const table = tableOf(results);
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return `${table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")}\n`;
}

export function asMarkdown(results: readonly BenchResult[]): string {
  const [head = [], ...rows] = tableOf(results).map((row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
  return [head, `|${" --- |".repeat(HEAD.length)}`, ...rows].join("\n");
}

export function asJson({ name, rows, beside }: BenchResult): string {
  const figures = rows.map((row) => ({ ...row, ratio: ratioOf(row), met: metBy(row) }));
  return JSON.stringify({ name, rows: figures, beside }, (_key, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(4)) : value,
  );
}

function cells(row: BenchRow): string[] {
  const ratio = ratioOf(row);
  const { floor, target, unit } = row;
  return [
    row.what,
    figure(row.ours, unit),
    floor ? `${figure(floor.value, unit)}, ${floor.is}` : "",
    ratio === undefined ? "" : ratio.toFixed(2),
    target ? `${bound(target, unit)}${metBy(row) ? "" : ": missed"}` : "",
  ];
}

function ratioOf({ ours, floor }: BenchRow): number | undefined {
  return floor ? ours / floor.value : undefined;
}

/** A figure that could not be taken meets nothing. */
function metBy(row: BenchRow): boolean | undefined {
  if (!row.target) return undefined;
  const value = row.target.of === "ratio" ? ratioOf(row) : row.ours;
  if (value === undefined || Number.isNaN(value)) return false;
  const { atMost: most = Number.POSITIVE_INFINITY, atLeast: least = Number.NEGATIVE_INFINITY } = row.target;
  return value <= most && value >= least;
}

function bound({ of, atMost: most, atLeast: least }: Target, unit: string): string {
  const words = most === undefined ? `≥ ${least}` : `≤ ${most}`;
  return of === "ratio" ? words : `${words} ${unit}`.trimEnd();
}

function figure(value: number, unit: string): string {
  const digits = Number(value.toPrecision(3));
  return `${digits >= 10_000 ? digits.toLocaleString("en-US") : digits}${unit === "/s" || unit === "" ? unit : ` ${unit}`}`;
}

function system(): string {
  try {
    return /^PRETTY_NAME="(.+)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? process.platform;
  } catch {
    return process.platform;
  }
}
