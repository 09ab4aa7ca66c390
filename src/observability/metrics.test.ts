import { describe, expect, it } from "vitest";
import { createMeter } from "./metrics.js";

describe("createMeter", () => {
  it("writes counters, histograms in seconds and gauges", async () => {
    const meter = createMeter();
    meter.count("requests_total", { method: "a", outcome: "ok" });
    meter.count("requests_total", { outcome: "ok", method: "a" }, 2);
    meter.count("plain_total");
    meter.observeMs("wait_seconds", 7, { method: "a" });
    meter.observeMs("wait_seconds", 1e9, { method: "a" });
    meter.gauge("sessions", () => 3);
    const text = await meter.text();
    expect(text).toContain('# TYPE requests_total counter\nrequests_total{method="a",outcome="ok"} 3\n');
    expect(text).toContain("plain_total 1\n");
    expect(text).toContain('wait_seconds_bucket{method="a",le="0.005"} 0\n');
    expect(text).toContain('wait_seconds_bucket{method="a",le="0.01"} 1\n');
    expect(text).toContain('wait_seconds_bucket{method="a",le="+Inf"} 2\n');
    expect(text).toContain('wait_seconds_count{method="a"} 2\n');
    expect(text).toContain("# TYPE sessions gauge\nsessions 3\n");
    expect(text).toMatch(/process_resident_memory_bytes \d+\n/);
    expect(text).toContain('nodejs_eventloop_lag_seconds{percentile="99"}');
  });

  it("escapes label values, and every line is one of the format", async () => {
    const meter = createMeter();
    meter.count("odd_total", { name: 'a"b\\c\nd' });
    const text = await meter.text();
    expect(text).toContain('odd_total{name="a\\"b\\\\c\\nd"} 1');
    for (const line of text.trimEnd().split("\n")) expect(line).toMatch(/^(# TYPE \w+ \w+|\w+(\{.*\})? [-+\d.eE]+)$/);
  });

  it("finds the series of a kept labels object without growing", async () => {
    const meter = createMeter();
    const labels = { method: "devices.get", outcome: "ok" };
    for (let index = 0; index < 1_000; index++) meter.count("requests_total", labels);
    expect((await meter.text()).match(/^requests_total/gm)).toHaveLength(1);
  });
});
