import { expect, test } from "vitest";
import { english } from "../languages/translate.js";
import type { DeviceSnapshot } from "../protocol/devices.js";
import { figuresOf } from "./watch-metrics.js";
import { screenLines } from "./watch-screen.js";
import { createDashboard } from "./watch-state.js";

const START = 1_795_474_800_000;
const agent = { name: "desk", version: "0.1.0", mode: "production", maintenance: false, startedAt: START };
const device = (id: string, more: Partial<DeviceSnapshot> = {}): DeviceSnapshot => ({
  ...{ id, class: "printer", driver: "escpos", state: "ready", since: START, queue: { length: 0 } },
  ...more,
});
const paperOut = { kind: "paper_out", message: "out of paper", retryable: true, hint: "Load paper and close the cover" } as const;
const seven = ["receipt", "scanner", "id-reader", "terminal", "vietqr", "documents", "a-camera-with-a-very-long-name"];
const metrics = (receipt: number): string => `stationd_sessions 3
process_resident_memory_bytes 98000000
nodejs_eventloop_lag_seconds{percentile="99"} 0.052
stationd_device_operation_count{device="receipt",method="printer.print"} ${receipt}
stationd_device_operation_count{device="receipt",method="printer.cut"} 1
`;

function shown(devices: readonly DeviceSnapshot[]) {
  const dashboard = createDashboard(agent);
  dashboard.update({ kind: "state", topic: "devices", state: devices, resynced: false });
  return dashboard;
}

test("seven devices with all their trouble fit 80 columns by 24 lines", () => {
  const long = { ...paperOut, message: "m".repeat(90), hint: "Load\u001b[2J paper" };
  const dashboard = shown(
    seven.map((id) => device(id, { state: "attention", reason: long, queue: { length: 12, running: "documentScanner.scan" } })),
  );
  dashboard.measured(START, figuresOf(metrics(1)));
  const lines = screenLines(dashboard.now(), START + 5_000, { columns: 80, rows: 24 }, false, english);
  expect(lines.length).toBeLessThanOrEqual(24);
  for (const line of lines) {
    expect([...line].length, line).toBeLessThanOrEqual(80);
    expect(line).not.toContain("\u001b");
  }
  for (const id of seven) expect(lines.some((line) => line.startsWith(id.slice(0, 12)))).toBe(true);
  expect(lines.join("\n")).toMatch(/sessions 3, memory 98 MB, event loop 52 ms/);
});

test("a small window shows what needs somebody first, and says that there is more", () => {
  const dashboard = shown([device("a"), device("b"), device("c"), device("d", { state: "absent", reason: paperOut })]);
  const lines = screenLines(dashboard.now(), START, { columns: 40, rows: 12 }, false, english);
  expect(lines.length).toBeLessThanOrEqual(12);
  expect(lines.some((line) => line.startsWith("d "))).toBe(true);
  expect(lines.join("\n")).toContain("2 more");
  for (const line of lines) expect([...line].length).toBeLessThanOrEqual(40);
});

test("an error stays after the device works again, and a later one of a job takes its place", () => {
  const dashboard = shown([device("receipt", { state: "attention", reason: paperOut })]);
  const event = { kind: "event", seq: 1, coalesced: 0 } as const;
  dashboard.update({ ...event, topic: "devices", time: START + 60_000, data: device("receipt", { since: START + 60_000 }) });
  expect(screenLines(dashboard.now(), START + 120_000, { columns: 80, rows: 24 }, false, english).join("\n")).toContain(
    "2 min ago: out of paper",
  );
  const job = { kind: "print", job: "1", idempotencyKey: "k", device: "receipt", state: "failed", final: true, createdAt: START } as const;
  const jammed = { ...paperOut, kind: "paper_jam", message: "paper jam" } as const;
  dashboard.update({ ...event, topic: "jobs", time: START, data: { ...job, updatedAt: START - 5, reason: jammed } });
  expect(dashboard.now().devices[0]?.lastError?.message).toBe("out of paper");
  dashboard.update({ ...event, topic: "jobs", time: START, data: { ...job, updatedAt: START + 70_000, reason: jammed } });
  expect(dashboard.now().devices[0]?.lastError?.message).toBe("paper jam");
  dashboard.update({ ...event, topic: "agent", time: START, data: { maintenance: true } });
  expect(screenLines(dashboard.now(), START, { columns: 80, rows: 24 }, false, english)[0]).toContain("OUT OF SERVICE");
});

test("throughput is that of the last minute, and starts anew with the agent", () => {
  const dashboard = shown([device("receipt")]);
  const rate = (): number | undefined => dashboard.now().devices[0]?.perMinute;
  dashboard.measured(START, figuresOf(metrics(10)));
  expect(rate()).toBeUndefined();
  dashboard.measured(START + 30_000, figuresOf(metrics(16)));
  expect(rate()).toBe(12);
  dashboard.measured(START + 70_000, figuresOf(metrics(16)));
  expect(rate()).toBe(0);
  dashboard.measured(START + 80_000, figuresOf(metrics(0)));
  expect(rate()).toBeUndefined();
  expect(figuresOf("stationd_sessions NaN\n<html>").sessions).toBeUndefined();
});
