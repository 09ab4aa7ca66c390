import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { manualClock, systemClock } from "../../kernel/clock.js";
import { DeviceError } from "../../kernel/errors.js";
import type { Connect, Link } from "../../kernel/link.js";
import { type Logger, silentLog } from "../../kernel/log.js";
import { LinkSettings } from "../settings.js";
import { ptyFarEnd } from "../testing/far-end.js";
import { realSerialStack } from "../testing/pty.js";
import { type HostedSettings, hosted } from "./host.js";

const never = new AbortController().signal;

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(!(await realSerialStack()))("a hosted serial link", () => {
  let wire: Awaited<ReturnType<typeof ptyFarEnd>>;
  let pids: number[];
  let links: Link[];

  beforeEach(async () => {
    wire = await ptyFarEnd();
    pids = [];
    links = [];
  });
  afterEach(async () => {
    for (const link of links) await link.close();
    await wire.close();
    // The last one waits for its device.
    for (const pid of pids) if (alive(pid)) process.kill(pid, "SIGKILL");
    for (const pid of pids) while (alive(pid)) await pause(5);
  });

  const log: Logger = {
    ...silentLog,
    with: () => log,
    debug: (event, fields) => event === "child started" && fields?.pid && pids.push(fields.pid),
  };
  const settings = (path: string): HostedSettings => LinkSettings.parse({ kind: "serial", path }) as HostedSettings;
  const connected = async (connect: Connect): Promise<Link> => {
    const link = await connect(never);
    links.push(link);
    return link;
  };
  const lastPid = (): number => pids.at(-1) ?? 0;

  it.each(["SIGKILL", "SIGSTOP"] as const)("ends when its host gets %s, and the next connect works", async (signal) => {
    const connect = hosted(settings(wire.path), { clock: systemClock(), log });
    const link = await connected(connect);
    const read = expect(link.read(never)).rejects.toMatchObject({ kind: "device_absent", retryable: true });
    process.kill(lastPid(), signal);
    await Promise.all([read, link.closed]);
    await expect(link.write(new Uint8Array(1), never)).rejects.toMatchObject({ kind: "device_absent" });

    const next = await connected(connect);
    await next.write(new Uint8Array([1, 2, 3]), never);
    expect(await wire.far.receive(3)).toEqual(new Uint8Array([1, 2, 3]));
    await wire.far.send(new Uint8Array([4]));
    expect(await next.read(never)).toEqual(new Uint8Array([4]));
  });

  it("ends when its host spins", async () => {
    const spinning = new URL("./testing/spinning-entry.js", import.meta.url);
    const link = await connected(hosted(settings(wire.path), { clock: systemClock(), log }, spinning));
    await expect(link.write(new Uint8Array(1), never)).rejects.toMatchObject({ kind: "device_absent" });
    await link.closed;
  });

  it("opens again in the process that is left from before, which ends when it waits in vain", async () => {
    const clock = manualClock();
    const connect = hosted(settings(wire.path), { clock, log });
    await (await connected(connect)).close();
    const next = await connected(connect);
    await next.write(new Uint8Array([1, 2, 3]), never);
    expect(await wire.far.receive(3)).toEqual(new Uint8Array([1, 2, 3]));
    expect(pids).toHaveLength(1);
    await next.close();
    await clock.advance(60_000);
    while (alive(lastPid())) await pause(5);
  });

  it("closes while its host is stopped, and leaves no process behind", async () => {
    const link = await connected(hosted(settings(wire.path), { clock: systemClock(), log }));
    process.kill(lastPid(), "SIGSTOP");
    await link.close();
    while (alive(lastPid())) await pause(5);
  });

  it("leaves other hosts alone", async () => {
    const other = await ptyFarEnd();
    try {
      const link = await connected(hosted(settings(wire.path), { clock: systemClock(), log }));
      const victim = lastPid();
      const neighbour = await connected(hosted(settings(other.path), { clock: systemClock(), log }));
      process.kill(victim, "SIGKILL");
      await link.closed;
      await neighbour.write(new Uint8Array([7]), never);
      expect(await other.far.receive(1)).toEqual(new Uint8Array([7]));
    } finally {
      await other.close();
    }
  });

  it("starts no process for a device that is not there, and leaves none when opening is given up", async () => {
    const absent = hosted(settings("/dev/serial/by-id/none"), { clock: systemClock(), log });
    await expect(absent(never)).rejects.toMatchObject({ kind: "device_absent" });
    expect(pids).toEqual([]);

    const connect = hosted(settings(wire.path), { clock: systemClock(), log });
    await connected(connect);
    await expect(connect(never)).rejects.toMatchObject({ kind: "busy", hint: expect.stringContaining("Another program") });
    await expect(connect(never)).rejects.toMatchObject({ kind: "busy" });
    expect(pids).toHaveLength(2);

    const reason = new DeviceError("timeout");
    const controller = new AbortController();
    const connecting = expect(connect(controller.signal)).rejects.toBe(reason);
    controller.abort(reason);
    await connecting;
    expect(alive(lastPid())).toBe(false);
  });
});
