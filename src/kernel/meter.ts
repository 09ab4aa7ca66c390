/** Label values come from the code or the config, never from input, so that their number is bounded. */
export type Labels = Readonly<Record<string, string>>;

/** What the rooms count. Names follow Prometheus: `stationd_requests_total`. */
export interface Meter {
  count(name: string, labels?: Labels, by?: number): void;
  /** A duration in milliseconds into a histogram. */
  observeMs(name: string, ms: number, labels?: Labels): void;
  /** Read at each scrape. */
  gauge(name: string, read: () => number, labels?: Labels): void;
}

export const noMeter: Meter = { count() {}, observeMs() {}, gauge() {} };
