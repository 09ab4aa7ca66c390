import type { Translate } from "../languages/translate.js";
import { h, say, svg } from "./dom.js";

/** Undefined: nothing was measured then. */
export type Sample = number | undefined;

const LEAST_ACROSS = 12;
const SIZE = { width: 240, height: 64 } as const;

/** The line through the samples as the `d` of a path, the last one at the right edge; it is broken where nothing was measured. `top`: the value at the upper edge. */
export function linePath(samples: readonly Sample[], across: number, top: number): string {
  const step = SIZE.width / Math.max(1, across - 1);
  const first = across - samples.length;
  let pen = "M";
  return samples
    .flatMap((value, index) => {
      if (value === undefined) {
        pen = "M";
        return [];
      }
      const x = (first + index) * step;
      const y = SIZE.height - (Math.min(value, top) / top) * SIZE.height;
      const point = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = "L";
      // A point with nothing on either side is a dot.
      return samples[index - 1] === undefined && samples[index + 1] === undefined ? [point, "h0.1"] : [point];
    })
    .join("");
}

/** 1, 2 or 5 times a power of ten, just above. */
export function roundTop(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

export interface Chart {
  readonly element: HTMLElement;
  add(value: Sample): void;
  clear(): void;
}

interface ChartOptions {
  readonly title: string;
  readonly unit: string;
  readonly digits: number;
  /** Samples that are kept, the oldest on the left. */
  readonly most: number;
  readonly t: Translate;
}

/** One small line chart, with its latest value in words. */
export function chart({ title, unit, digits, most, t }: ChartOptions): Chart {
  let samples: readonly Sample[] = [];
  const value = h("strong", { class: "value", text: "–" });
  const top = h("span", { class: "scale soft" });
  const path = svg("path", { class: "line", fill: "none", "vector-effect": "non-scaling-stroke" });
  const drawing = svg(
    "svg",
    { viewBox: `0 -2 ${SIZE.width} ${SIZE.height + 4}`, preserveAspectRatio: "none", role: "img", "aria-label": t`${title}: nothing yet` },
    svg("path", { class: "axis", d: `M0 ${SIZE.height}H${SIZE.width}`, "vector-effect": "non-scaling-stroke" }),
    path,
  );
  const words = (number: number): string => `${number.toFixed(digits)}${unit === "" ? "" : ` ${unit}`}`;
  const draw = (): void => {
    const known = samples.filter((sample) => sample !== undefined);
    const edge = roundTop(Math.max(0, ...known));
    const last = samples.at(-1);
    // A minute at first, so that one sees something; then all that is kept.
    path.setAttribute("d", linePath(samples, Math.max(LEAST_ACROSS, samples.length), edge));
    drawing.dataset.points = String(known.length);
    drawing.setAttribute("aria-label", t`${title}: ${last === undefined ? "–" : words(last)}, at most ${words(Math.max(0, ...known))}`);
    say(value, last === undefined ? "–" : words(last));
    say(top, known.length === 0 ? "" : words(edge));
  };
  return {
    element: h("li", { class: "card chart" }, h("div", { class: "chart-head" }, h("h3", { text: title }), value), top, drawing),
    add(sample) {
      samples = [...samples, sample].slice(-most);
      draw();
    },
    clear() {
      samples = [];
      draw();
    },
  };
}
