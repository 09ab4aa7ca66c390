import { describe, expect, it } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import { manualClock } from "../kernel/clock.js";
import { silentLog } from "../kernel/log.js";
import { createNotifier } from "./notify.js";

function notifier(environment: Record<string, string>, send?: (assignments: readonly string[]) => Promise<void>) {
  const told: string[] = [];
  const clock = manualClock();
  const record = async (assignments: readonly string[]) => void told.push(assignments.join(" "));
  return { told, clock, notify: createNotifier({ clock, log: silentLog, environment, send: send ?? record }) };
}

const UNIT = { NOTIFY_SOCKET: "/run/systemd/notify", WATCHDOG_USEC: "10000000" };

describe("createNotifier", () => {
  it("is silent without NOTIFY_SOCKET", async () => {
    const { told, clock, notify } = notifier({ WATCHDOG_USEC: "10000000" });
    notify.ready(() => true);
    await clock.advance(60_000);
    notify.stopping();
    await clock.advance(0);
    expect(told).toEqual([]);
  });

  faultRow({
    device: "agent",
    fault: "The agent itself hangs",
    sees: "its connection ends",
    does: "stops telling systemd that it is well",
    bounds: ["watchdog", "restart"],
  });
  it("pings at half the period while healthy, and lets the watchdog bark when not", async () => {
    const { told, clock, notify } = notifier(UNIT);
    let well: boolean | undefined = true;
    notify.ready(async () => {
      if (well === undefined) throw new TypeError("hung");
      return well;
    });
    await clock.advance(10_000);
    expect(told).toEqual(["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
    well = false;
    await clock.advance(5_000);
    well = undefined;
    await clock.advance(5_000);
    expect(told).toHaveLength(3);
    well = true;
    await clock.advance(5_000);
    expect(told).toHaveLength(4);
    notify.stopping();
    await clock.advance(20_000);
    expect(told.at(-1)).toBe("STOPPING=1");
    expect(told).toHaveLength(5);
  });

  it("does not ping for another process", async () => {
    const { told, clock, notify } = notifier({ ...UNIT, WATCHDOG_PID: "1" });
    notify.ready(() => true);
    await clock.advance(20_000);
    expect(told).toEqual(["READY=1"]);
  });

  it("tells of a reload in order, and outlives a notify program that fails", async () => {
    const { told, clock, notify } = notifier(UNIT);
    notify.reloading();
    notify.reloaded();
    await clock.advance(0);
    expect(told[0]).toMatch(/^RELOADING=1 MONOTONIC_USEC=\d+$/);
    expect(told[1]).toBe("READY=1");
    const broken = notifier(UNIT, async () => Promise.reject(new Error("ENOENT")));
    broken.notify.ready(() => true);
    await broken.clock.advance(5_000);
    broken.notify[Symbol.dispose]();
  });
});
