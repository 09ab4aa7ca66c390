import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { Labels, Meter } from "../kernel/meter.js";

/** Upper bounds in milliseconds; answers of devices take from a moment to the minute of a payment. */
const BUCKETS_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000] as const;
/** Coarse on purpose: each step wakes an idle process. */
const LOOP_DELAY_RESOLUTION_MS = 50;

interface Series<T> {
  readonly labels: string;
  value: T;
}

interface Timing {
  readonly buckets: number[];
  count: number;
  sumMs: number;
}

/** All series of one name. Found by the identity of the labels object where the caller keeps it, else by its text. */
interface Family<T> {
  readonly byIdentity: WeakMap<Labels, Series<T>>;
  readonly byText: Map<string, Series<T>>;
}

const NO_LABELS: Labels = {};

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function labelText(labels: Labels): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}="${escaped(labels[name] ?? "")}"`)
    .join(",");
}

function seriesOf<T>(families: Map<string, Family<T>>, name: string, labels: Labels, empty: () => T): Series<T> {
  let family = families.get(name);
  if (family === undefined) {
    family = { byIdentity: new WeakMap(), byText: new Map() };
    families.set(name, family);
  }
  let series = family.byIdentity.get(labels);
  if (series !== undefined) return series;
  const text = labelText(labels);
  series = family.byText.get(text);
  if (series === undefined) {
    series = { labels: text, value: empty() };
    family.byText.set(text, series);
  }
  family.byIdentity.set(labels, series);
  return series;
}

function sample(name: string, labels: string, value: number): string {
  return `${name}${labels === "" ? "" : `{${labels}}`} ${value}\n`;
}

function timingText(name: string, { labels, value }: Series<Timing>): string {
  const before = labels === "" ? "" : `${labels},`;
  let cumulated = 0;
  let text = "";
  for (const [index, bound] of BUCKETS_MS.entries()) {
    cumulated += value.buckets[index] ?? 0;
    text += sample(`${name}_bucket`, `${before}le="${bound / 1_000}"`, cumulated);
  }
  text += sample(`${name}_bucket`, `${before}le="+Inf"`, value.count);
  return text + sample(`${name}_sum`, labels, value.sumMs / 1_000) + sample(`${name}_count`, labels, value.count);
}

/**
 * Counts in plain numbers and writes the Prometheus text format (version 0.0.4) at a scrape. A library for these
 * lines would cost more memory and start-up time than the whole server; counting must work from the first line on.
 * Durations come in milliseconds and go out in seconds, as Prometheus wants; their names end in `_seconds`.
 */
export function createMeter(): Meter & { text(): Promise<string> } {
  const counters = new Map<string, Family<number>>();
  const timings = new Map<string, Family<Timing>>();
  const gauges = new Map<string, Map<string, () => number>>();
  let loopDelay: IntervalHistogram | undefined;

  const gauge: Meter["gauge"] = (name, read, labels = NO_LABELS) => {
    let family = gauges.get(name);
    if (family === undefined) {
      family = new Map();
      gauges.set(name, family);
    }
    family.set(labelText(labels), read);
  };
  const startedAt = Date.now() / 1_000 - process.uptime();
  gauge("process_start_time_seconds", () => startedAt);
  gauge("process_resident_memory_bytes", () => process.memoryUsage.rss());
  gauge("process_cpu_seconds_total", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge("nodejs_heap_size_used_bytes", () => process.memoryUsage().heapUsed);
  // Watched from the first scrape on: who does not scrape does not pay for it.
  for (const quantile of ["50", "99", "100"]) {
    gauge("nodejs_eventloop_lag_seconds", () => (loopDelay?.percentile(Number(quantile)) ?? 0) / 1e9, { percentile: quantile });
  }

  return {
    count(name, labels = NO_LABELS, by = 1) {
      seriesOf(counters, name, labels, () => 0).value += by;
    },
    observeMs(name, ms, labels = NO_LABELS) {
      const { value } = seriesOf<Timing>(timings, name, labels, () => ({ buckets: BUCKETS_MS.map(() => 0), count: 0, sumMs: 0 }));
      const bucket = BUCKETS_MS.findIndex((bound) => ms <= bound);
      if (bucket !== -1) value.buckets[bucket] = (value.buckets[bucket] ?? 0) + 1;
      value.count += 1;
      value.sumMs += ms;
    },
    gauge,
    async text() {
      if (loopDelay === undefined) {
        loopDelay = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS });
        loopDelay.enable();
      }
      let text = "";
      for (const [name, family] of counters) {
        text += `# TYPE ${name} counter\n`;
        for (const { labels, value } of family.byText.values()) text += sample(name, labels, value);
      }
      for (const [name, family] of timings) {
        text += `# TYPE ${name} histogram\n`;
        for (const series of family.byText.values()) text += timingText(name, series);
      }
      for (const [name, family] of gauges) {
        text += `# TYPE ${name} ${name.endsWith("_total") ? "counter" : "gauge"}\n`;
        for (const [labels, read] of family) text += sample(name, labels, read());
      }
      loopDelay.reset();
      return text;
    },
  };
}
