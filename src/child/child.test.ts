import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import { manualClock, systemClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import { type Logger, silentLog } from "../kernel/log.js";
import { type ChildOptions, type SupervisedChild, superviseChild } from "./child.js";

const never = new AbortController().signal;
/** Quick enough for tests, slow enough for a busy machine. */
const heartbeat = { everyMs: 50, deadAfterMs: 500 };
const started: SupervisedChild[] = [];

function supervise(options: Partial<ChildOptions> = {}): SupervisedChild {
  const entry = new URL("./testing/entry.js", import.meta.url);
  const child = superviseChild({ entry, name: "tested", log: silentLog, clock: systemClock(), heartbeat, ...options });
  started.push(child);
  return child;
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  while (alive(pid)) await pause(5);
}

async function pidOf(child: SupervisedChild): Promise<number> {
  await child.call("echo", 0, never);
  expect(child.pid).toBeTypeOf("number");
  return child.pid as number;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.stop()));
});

describe("a supervised child", () => {
  it("starts at the first call and passes structured-cloned values", async () => {
    const child = supervise();
    expect(child.pid).toBeUndefined();
    const sent = { bytes: new Uint8Array([1, 2, 255]), map: new Map([["a", 1n]]), text: "Ạ" };
    expect(await child.call("echo", sent, never)).toEqual(sent);
    const part = new Uint8Array(1_000_000).subarray(10, 13);
    expect(await child.call("echo", part, never)).toEqual(new Uint8Array(3));
  });

  it("gets only the listed variables and no flags of its parent", async () => {
    process.env.STATIOND_SECRET = "canary";
    const environment = (await supervise({ env: { ADDED: "1" } }).call("environment", undefined, never)) as Record<string, string>;
    delete process.env.STATIOND_SECRET;
    expect(environment.STATIOND_SECRET).toBeUndefined();
    expect(environment.NODE_OPTIONS).toBeUndefined();
    expect(environment.ADDED).toBe("1");
    expect(environment.execArgv).toBe("");
  });

  it("carries errors of the closed list whole and others as internal, without their message", async () => {
    const child = supervise();
    await expect(child.call("fail", undefined, never)).rejects.toMatchObject({
      name: "DeviceError",
      kind: "paper_out",
      device: "receipt",
      retryable: false,
      hint: "Load paper",
      details: { roll: 2 },
    });
    await expect(child.call("bug", undefined, never)).rejects.toMatchObject({ kind: "internal", message: "internal" });
    await expect(child.call("toString", undefined, never)).rejects.toMatchObject({ kind: "internal" });
  });

  it("logs where a fault was, not what it said", async () => {
    const faults: string[] = [];
    const log: Logger = { ...silentLog, with: () => log, error: (_event, _fields, fault) => faults.push(String((fault as Error).stack)) };
    const child = supervise({ log });
    await expect(child.call("crash", undefined, never)).rejects.toMatchObject({ kind: "device_absent" });
    expect(faults.join()).toContain("entry.js");
    expect(faults.join()).not.toContain("0123456");
  });

  it("keeps events and results in order", async () => {
    const child = supervise();
    const seen: unknown[] = [];
    using _listening = child.onEvent((name, value) => seen.push(`${name} ${value}`));
    await child.call("count", 3, never);
    expect(seen).toEqual(["number 0", "number 1", "number 2"]);
  });

  it("cancels in the child when the signal aborts", async () => {
    const child = supervise();
    await pidOf(child);
    const canceled = new Promise<void>((resolve) => child.onEvent((name) => name === "canceled" && resolve()));
    const controller = new AbortController();
    const call = child.call("wait", undefined, controller.signal);
    const reason = new DeviceError("timeout");
    await Promise.all([expect(call).rejects.toBe(reason), pause(0).then(() => controller.abort(reason))]);
    await canceled;
    await expect(child.call("echo", 1, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await child.call("echo", "still here", never)).toBe("still here");
  });

  it("rejects what cannot be cloned and goes on", async () => {
    const child = supervise();
    await expect(child.call("echo", () => {}, never)).rejects.toThrow(/clone/);
    expect(await child.call("echo", 1, never)).toBe(1);
  });

  it.each(["SIGKILL", "SIGSTOP"] as const)("is replaced after %s", async (signal) => {
    const child = supervise();
    const pid = await pidOf(child);
    let exits = 0;
    using _listening = child.onExit(() => exits++);
    const inFlight = expect(child.call("wait", undefined, never)).rejects.toMatchObject({
      kind: "device_absent",
      retryable: true,
      message: expect.stringContaining("tested"),
    });
    process.kill(pid, signal);
    await inFlight;
    expect(exits).toBe(1);
    expect(await child.call("echo", "next", never)).toBe("next");
    expect(child.pid).not.toBe(pid);
    await gone(pid);
    expect(exits).toBe(1);
  });

  it("is replaced when it spins, exits or runs out of memory", async () => {
    const child = supervise({ maxOldSpaceMb: 32, clock: systemClock(1_000) });
    for (const method of ["spin", "exit", "allocate"]) {
      await expect(child.call(method, undefined, never)).rejects.toMatchObject({ kind: "device_absent" });
      expect(await child.call("echo", method, never)).toBe(method);
    }
  });

  it("is replaced when it leaks where no heap limit counts, and log and error say so", async () => {
    const reasons: unknown[] = [];
    const log: Logger = { ...silentLog, with: () => log, warn: (_event, fields) => reasons.push(fields?.reason) };
    const child = supervise({ maxMemoryMb: 160, log });
    const pid = await pidOf(child);
    const told = expect.stringMatching(/held \d+ MiB of memory, and 160 is the most/);
    await expect(child.call("leak", undefined, never)).rejects.toMatchObject({ kind: "device_absent", message: told });
    expect(reasons).toEqual([told]);
    await gone(pid);
    expect(await child.call("echo", "next", never)).toBe("next");
  });

  it("is replaced when it is stopped, whatever time its work or its start may take", async () => {
    const patient = supervise({ heartbeat: { everyMs: 50, deadAfterMs: 600_000 } });
    const working = patient.call("wait", undefined, never);
    const pid = await pidOf(patient);
    process.kill(pid, "SIGSTOP");
    await expect(working).rejects.toMatchObject({ kind: "device_absent", message: expect.stringContaining("stopped") });
    await gone(pid);
    const starting = patient.call("echo", 1, never);
    while (patient.pid === undefined) await pause(0);
    process.kill(patient.pid, "SIGSTOP");
    await expect(starting).rejects.toMatchObject({ kind: "device_absent" });
    expect(await patient.call("echo", "next", never)).toBe("next");
  });

  faultRow({
    device: "agent",
    fault: "The machine runs out of memory",
    sees: "the devices of a child, if any",
    does: "children go first: the kernel takes them before the agent",
    back: "at once",
  });
  it.runIf(process.platform === "linux")("goes before its parent when memory runs out", async () => {
    expect(await supervise().call("oomScoreAdj", undefined, never)).toBe(500);
  });

  faultRow({
    device: "agent",
    fault: "A child dies again and again",
    sees: "`device_absent` each time",
    does: "waits a little longer before each start",
    back: "its cause is gone",
  });
  it("waits before it starts a child again that keeps dying", async () => {
    const clock = manualClock();
    const child = supervise({ clock });
    for (let death = 0; death < 2; death++) await expect(child.call("exit", undefined, never)).rejects.toThrow();
    const third = child.call("echo", 3, never);
    await pause(0);
    expect(child.pid).toBeUndefined();
    await clock.advance(100);
    expect(await third).toBe(3);
  });

  it("stops when idle, starts again, and counts no idle stop as a death", async () => {
    const clock = manualClock();
    const child = supervise({ clock, idleStopMs: 1_000 });
    for (let round = 0; round < 4; round++) {
      const pid = await pidOf(child);
      await clock.advance(999);
      expect(child.pid).toBe(pid);
      await clock.advance(1);
      expect(child.pid).toBeUndefined();
      await gone(pid);
    }
  });

  it("does not stop as idle under a call", async () => {
    const clock = manualClock();
    const child = supervise({ clock, idleStopMs: 1_000 });
    const controller = new AbortController();
    const call = child.call("wait", undefined, controller.signal).catch(() => {});
    const pid = await pidOf(child);
    await clock.advance(5_000);
    expect(child.pid).toBe(pid);
    controller.abort();
    await call;
  });

  it("stops for good", async () => {
    const child = supervise();
    const pid = await pidOf(child);
    const waiting = expect(child.call("wait", undefined, never)).rejects.toMatchObject({ kind: "device_absent" });
    await Promise.all([child.stop(), child.stop(), waiting]);
    expect(alive(pid)).toBe(false);
    await expect(child.call("echo", 1, never)).rejects.toMatchObject({ kind: "shutting_down" });
  });

  it("ends with a module that cannot be loaded", async () => {
    const child = supervise({ entry: new URL("./no-such-entry.js", import.meta.url) });
    await expect(child.call("echo", 1, never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("dies with a killed parent and ignores Ctrl-C", async () => {
    const parent = spawn(process.execPath, [fileURLToPath(new URL("./testing/parent.js", import.meta.url))], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    process.kill(pid, "SIGINT");
    await pause(20);
    expect(alive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await gone(pid);
  });
});
