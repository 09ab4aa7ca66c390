import type { AgentFigures } from "../technician/figures.js";
import type { App, Section } from "./app.js";
import { type Chart, chart, type Sample } from "./chart.js";
import { h, say } from "./dom.js";

/** Ten minutes at one look every five seconds. */
const MOST_SAMPLES = 120;

interface Measured {
  readonly at: number;
  readonly figures: AgentFigures;
}

/** A chart and what it takes from two looks; the first of them is undefined at the beginning, and after the agent was started anew. */
type Line = readonly [chart: Chart, value: (now: Measured, before: Measured | undefined) => Sample];

/** Small charts of the agent's own figures since the page was opened. */
export function metricsSection(app: App): Section {
  const { t } = app;
  const since = t`Since this page was opened, the last ten minutes at most; one look every five seconds.`;
  const make = (title: string, unit: string, digits: number): Chart => chart({ title, unit, digits, most: MOST_SAMPLES, t });
  const lines: readonly Line[] = [
    [
      make(t`Requests`, t`/s`, 1),
      (now, before) => before && (1_000 * (now.figures.requests.count - before.figures.requests.count)) / (now.at - before.at),
    ],
    [
      make(t`Answers that wait, mean`, "ms", 0),
      ({ figures: { requests } }, before) => {
        const answered = before && requests.waited - before.figures.requests.waited;
        return before && answered ? (requests.waitedMs - before.figures.requests.waitedMs) / answered : undefined;
      },
    ],
    [make(t`Waiting for a device`, "", 0), () => app.dashboard?.devices.reduce((sum, { snapshot }) => sum + snapshot.queue.length, 0)],
    [make(t`Event loop, slowest 1 %`, "ms", 0), ({ figures }) => figures.loopDelayMs],
    [make(t`Memory`, "MB", 0), ({ figures: { residentBytes } }) => residentBytes && residentBytes / 1e6],
    [make(t`Sessions`, "", 0), ({ figures }) => figures.sessions],
  ];
  const note = h("p", { class: "soft", role: "status", text: since });
  let before: Measured | undefined;

  return {
    id: "metrics",
    title: t`Metrics`,
    element: h("div", {}, note, h("ul", { class: "cards charts" }, ...lines.map(([{ element }]) => element))),
    refresh() {},
    measured(figures) {
      say(note, figures ? since : t`The agent gives no figures now.`);
      if (!figures) {
        before = undefined;
        for (const [one] of lines) one.add(undefined);
        return;
      }
      const now = { at: app.now(), figures };
      // The agent was started anew: its counters are, too.
      if (before && figures.requests.count < before.figures.requests.count) before = undefined;
      for (const [one, value] of lines) one.add(value(now, before));
      before = now;
    },
  };
}
