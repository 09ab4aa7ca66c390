import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import { silentLog } from "../kernel/log.js";
import { hardwarePath } from "./hardware-path.js";
import { connectorFor } from "./index.js";
import { watchPresence } from "./presence.js";
import { LinkSettings } from "./settings.js";
import { openPtyPair, realSerialStack } from "./testing/pty.js";

const never = new AbortController().signal;
const settings = (raw: unknown): LinkSettings => LinkSettings.parse(raw);
const connect = (raw: unknown): Connect => connectorFor(settings(raw), { clock: systemClock(), log: silentLog });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-transports-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("connecting", () => {
  it("needs a signal that has not aborted", async () => {
    const reason = new DeviceError("timeout");
    const all = [
      { kind: "tcp", host: "127.0.0.1", port: 1 },
      { kind: "file", path: "/dev/null" },
      { kind: "process", command: "cat" },
      { kind: "serial", path: "/dev/null" },
      { kind: "serial", path: "/dev/null", hosted: false },
      { kind: "usb", vendorId: 1, productId: 2 },
      { kind: "usb", vendorId: 1, productId: 2, hosted: false },
    ];
    for (const one of all) await expect(connect(one)(AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it("says device_absent with a hint for what is not there", async () => {
    const all = [
      { kind: "tcp", host: "no-such-host.invalid", port: 9100 },
      { kind: "file", path: join(folder, "none") },
      { kind: "process", command: join(folder, "none") },
      { kind: "serial", path: join(folder, "none") },
      { kind: "usb", vendorId: 1, productId: 2 },
      { kind: "usb", vendorId: 1, productId: 2, hosted: false },
    ];
    for (const one of all)
      await expect(connect(one)(never)).rejects.toMatchObject({ kind: "device_absent", hint: expect.stringMatching(/.{10}/) });
  });

  it("tells a refused TCP port from a silent host", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = address && typeof address === "object" ? address.port : 0;
    await new Promise((resolve) => server.close(resolve));
    await expect(connect({ kind: "tcp", host: "127.0.0.1", port })(never)).rejects.toMatchObject({
      kind: "device_absent",
      hint: expect.stringContaining("port"),
    });
  });

  it("is no business of this room for simulators", () => {
    expect(() => connect({ kind: "simulator", simulator: "receipt-printer" })).toThrow(/no link of bytes/);
  });
});

describe("a process link", () => {
  it("talks to cat and ends it", async () => {
    const link = await connect({ kind: "process", command: "cat" })(never);
    await link.write(new Uint8Array([1, 2, 3]), never);
    expect(await link.read(never)).toEqual(new Uint8Array([1, 2, 3]));
    await link.close();
  });

  it("passes arguments as they are, through no shell", async () => {
    const link = await connect({ kind: "process", command: "printf", args: ["%s", "$(id); `id` *"] })(never);
    expect(new TextDecoder().decode(await link.read(never))).toBe("$(id); `id` *");
    await link.closed;
  });

  it("ends a program that ignores SIGTERM, together with its own children", async () => {
    const program = `process.on("SIGTERM", () => {}); const c = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"]);
      process.stdout.write(String(c.pid)); setInterval(() => {}, 1e6);`;
    const link = await connect({ kind: "process", command: process.execPath, args: ["-e", program] })(never);
    const grandchild = Number(new TextDecoder().decode(await link.read(never)));
    await link.close();
    const alive = (): boolean => {
      try {
        return process.kill(grandchild, 0);
      } catch {
        return false;
      }
    };
    while (alive()) await pause(5);
  });
});

describe("a file link", () => {
  it("writes to what can only be written", async () => {
    const link = await connect({ kind: "file", path: "/dev/null" })(never);
    await link.write(new Uint8Array(100_000), never);
    await link.close();
  });

  it("waits for a FIFO that is full and carries on", async () => {
    const path = join(folder, "fifo");
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [path]);
    // Opened both ways a FIFO gives back what was written: the reading side here takes part of it.
    const link = await connect({ kind: "file", path })(never);
    const sent = new Uint8Array(300_000).fill(5);
    const write = link.write(sent, never);
    let got = 0;
    while (got < sent.length) got += (await link.read(never)).length;
    await write;
    expect(got).toBe(sent.length);
    await link.close();
  });
});

describe.skipIf(!(await realSerialStack()))("a serial link in-process", () => {
  it("is busy while open, and can be opened again at once after closing", async () => {
    await using pair = await openPtyPair();
    const connectA = connect({ kind: "serial", path: pair.a, hosted: false, flowControl: "xonxoff" });
    for (let round = 0; round < 5; round++) {
      const link = await connectA(never);
      await expect(connectA(never)).rejects.toMatchObject({ kind: "busy", retryable: true });
      await link.close();
    }
  });

  it("joins two ports", async () => {
    await using pair = await openPtyPair();
    const a = await connect({ kind: "serial", path: pair.a, hosted: false })(never);
    const b = await connect({ kind: "serial", path: pair.b, hosted: true })(never);
    await a.write(new Uint8Array([1, 0, 255, 17, 19]), never);
    let got: number[] = [];
    while (got.length < 5) got = [...got, ...(await b.read(never))];
    expect(got).toEqual([1, 0, 255, 17, 19]);
    await pair.unplug();
    await Promise.all([a.closed, b.closed]);
  });

  it("refuses a path that is no serial port", async () => {
    const path = join(folder, "plain");
    await writeFile(path, "");
    await expect(connect({ kind: "serial", path, hosted: false })(never)).rejects.toBeInstanceOf(DeviceError);
  });
});

describe("watchPresence", () => {
  it("notices a node that went, and one that was replaced", async () => {
    const fast = systemClock(500);
    for (const replace of [false, true]) {
      const path = join(folder, "node");
      await writeFile(path, "");
      const kept = await open(path);
      const gone = new Promise<void>((resolve) => watchPresence(path, fast, resolve));
      await pause(20);
      await rm(path);
      if (replace) await writeFile(path, "");
      await gone;
      await kept.close();
    }
  });
});

describe("hardwarePath", () => {
  it("is stable where there is one, and absent elsewhere", async () => {
    expect(await hardwarePath(settings({ kind: "tcp", host: "10.0.0.7", port: 9100 }))).toBe("tcp:10.0.0.7:9100");
    expect(await hardwarePath(settings({ kind: "process", command: "cat" }))).toBeUndefined();
    expect(await hardwarePath(settings({ kind: "simulator", simulator: "receipt-printer" }))).toBeUndefined();
    expect(await hardwarePath(settings({ kind: "serial", path: join(folder, "none") }))).toBeUndefined();
    expect(await hardwarePath(settings({ kind: "file", path: "/dev/usb/lp99" }))).toBeUndefined();
    expect(await hardwarePath(settings({ kind: "usb", vendorId: 1, productId: 2 }))).toBeUndefined();
  });
});
