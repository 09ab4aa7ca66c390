import { expect, it } from "vitest";
import { figuresOf } from "./figures.js";

it("counts every request, and times those that wait for the agent and no person", () => {
  const { requests } = figuresOf(
    [
      'stationd_requests_total{method="devices.list",outcome="ok"} 7',
      'stationd_requests_total{method="barcodeScanner.scan",outcome="timeout"} 2',
      'stationd_request_wait_seconds_sum{method="jobs.list",outcome="ok"} 0.5',
      'stationd_request_wait_seconds_count{method="jobs.list",outcome="ok"} 4',
      'stationd_request_wait_seconds_sum{method="barcodeScanner.scan",outcome="ok"} 60',
      'stationd_request_wait_seconds_count{method="barcodeScanner.scan",outcome="ok"} 2',
      'stationd_requests_total{method="x"} NaN',
      "<html>",
    ].join("\n"),
  );
  expect(requests).toEqual({ count: 9, waited: 4, waitedMs: 500 });
  expect(figuresOf("").requests).toEqual({ count: 0, waited: 0, waitedMs: 0 });
});
