import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import { manualClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import { decodeFrame } from "../protocol/binary-frame.js";
import type { Call } from "../protocol/call.js";
import type { PrintJob } from "../protocol/jobs.js";
import { LIMITS } from "../protocol/version.js";
import { binaryOf, fakeStation, kindOf, type Message, startFixture, TECHNICIAN_TOKEN } from "./fixture.js";

/** A promise that the test settles. */
function gate<T>() {
  let open: (value: T) => void = () => {};
  let fail: (thrown: unknown) => void = () => {};
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

const STATUS = {
  device: "receipt",
  online: true,
  cover: "closed",
  paper: "ok",
  cutter: "ok",
  drawer: "low",
  error: "none",
} as const;
const JOB: PrintJob = {
  kind: "print",
  job: "j",
  idempotencyKey: "12345678",
  device: "receipt",
  state: "not_started",
  final: true,
  createdAt: 1,
  updatedAt: 2,
};
const PRINT = { document: { blocks: [{ type: "rule" }] }, idempotencyKey: "12345678" };

const listDevices = { jsonrpc: "2.0", id: "list", method: "devices.list" };

describe("requests", () => {
  it("are answered in the order in which they end; those answered at once in the order in which they came", async () => {
    const slow = gate<typeof STATUS>();
    await using fixture = await startFixture({ station: fakeStation({ "printer.status": () => slow.promise }) });
    const { client } = await fixture.connect();
    client.send({ jsonrpc: "2.0", id: "slow", method: "printer.status" });
    for (let id = 0; id < 200; id++) client.send({ jsonrpc: "2.0", id, method: "devices.get", params: { device: "receipt" } });
    const order: unknown[] = [];
    for (let id = 0; id < 200; id++) order.push((await client.next()).id);
    expect(order).toEqual(Array.from({ length: 200 }, (_, id) => id));
    slow.open(STATUS);
    expect(await client.next()).toMatchObject({ id: "slow", result: STATUS });
  });

  it("tell nothing of a fault of ours but `internal`; the log has it", async () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const station = fakeStation({
      "devices.list": () => {
        throw new TypeError("PLANTED at /secret/path");
      },
      "jobs.list": async () => {
        throw new DeviceError("internal", { message: "PLANTED", details: "PLANTED" });
      },
      "agent.describe": () => circular as never,
      "printer.status": async () => undefined as never,
    });
    await using fixture = await startFixture({ station });
    const { client } = await fixture.connect();
    for (const method of ["devices.list", "jobs.list", "agent.describe"]) {
      const answer = await client.request(method);
      expect(answer.error).toMatchObject({ code: -32603, message: "internal", data: { kind: "internal" } });
      expect(JSON.stringify(answer)).not.toMatch(/PLANTED|\bat /);
    }
    expect((await client.request("printer.status")).result).toBeNull();
    expect(fixture.log.lines.filter(({ event }) => event === "request failed")).toHaveLength(3);
  });

  it("cancel: answers at once though the handler does not listen, and aborts its signal", async () => {
    const calls: Call[] = [];
    const never = gate<typeof STATUS>();
    const station = fakeStation({
      "printer.status": (_params, call) => {
        calls.push(call);
        return never.promise;
      },
    });
    await using fixture = await startFixture({ station });
    const { client } = await fixture.connect();
    const answer = client.request("printer.status", {}, "wait");
    client.send({ jsonrpc: "2.0", method: "rpc.cancel", params: { id: "nobody" } });
    client.send({ jsonrpc: "2.0", method: "rpc.cancel", params: { id: "wait" } });
    expect(kindOf(await answer)).toBe("canceled");
    // The signal was not asked for before: it is aborted when it is.
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(calls[0]?.signal.reason).toMatchObject({ kind: "canceled" });
    never.open(STATUS);
    // One answer only, and the id is free again.
    expect((await client.request("devices.get", { device: "receipt" }, "wait")).result).toBeDefined();
    expect(client.received).toEqual([]);
  });

  it("deadline: runs from receipt, and a request that is answered at once has none", async () => {
    const clock = manualClock();
    let started = 0;
    const station = fakeStation({
      "printer.status": () => {
        started += 1;
        return new Promise(() => {});
      },
    });
    await using fixture = await startFixture({ clock, station });
    const { client } = await fixture.connect();
    const answer = client.request("printer.status", { timeoutMs: 1_000 });
    expect((await client.request("devices.get", { device: "receipt", timeoutMs: 1 })).result).toBeDefined();
    while (started === 0) await clock.advance(0);
    await clock.advance(999);
    expect(client.received).toEqual([]);
    await clock.advance(1);
    expect(kindOf(await answer)).toBe("timeout");
  });

  it("jobs: cancel and time-out ask to stop, and the handler's own answer is sent", async () => {
    const clock = manualClock();
    const calls: Call[] = [];
    const gates = [gate<PrintJob>(), gate<PrintJob>()];
    const station = fakeStation({
      "printer.print": (_params, call) => {
        const own = gates[calls.push(call) - 1];
        return own === undefined ? JOB : own.promise;
      },
    });
    await using fixture = await startFixture({ clock, station });
    const { client } = await fixture.connect();
    const canceled = client.request("printer.print", PRINT, 1);
    const timedOut = client.request("printer.print", { ...PRINT, timeoutMs: 500 }, 2);
    client.send({ jsonrpc: "2.0", method: "rpc.cancel", params: { id: 1 } });
    await client.request("devices.list");
    expect(calls[0]?.signal.reason).toMatchObject({ kind: "canceled" });
    await clock.advance(500);
    expect(calls[1]?.signal.reason).toMatchObject({ kind: "timeout" });
    await client.request("devices.list");
    expect(client.received).toEqual([]);
    gates[0]?.open(JOB);
    gates[1]?.open({ ...JOB, state: "in_progress", final: false });
    expect((await canceled).result?.state).toBe("not_started");
    expect((await timedOut).result?.state).toBe("in_progress");
  });

  it('refuse an id that is under way; 1 and "1" are two', async () => {
    const slow = gate<typeof STATUS>();
    await using fixture = await startFixture({ station: fakeStation({ "printer.status": () => slow.promise }) });
    const { client } = await fixture.connect();
    client.send({ jsonrpc: "2.0", id: 1, method: "printer.status" });
    client.send({ jsonrpc: "2.0", id: "1", method: "printer.status" });
    expect(kindOf(await client.request("devices.list", {}, 1))).toBe("invalid_request");
    slow.open(STATUS);
    expect((await client.next(({ id }) => (id as unknown) === 1)).result).toEqual(STATUS);
    expect((await client.next(({ id }) => (id as unknown) === "1")).result).toEqual(STATUS);
  });

  it("limit what runs per client, counting handlers that go on after their answer", async () => {
    await using fixture = await startFixture({ station: fakeStation({ "printer.status": () => new Promise(() => {}) }) });
    const { client } = await fixture.connect();
    for (let id = 0; id < LIMITS.inFlightRequests; id++) {
      client.send({ jsonrpc: "2.0", id, method: "printer.status" });
      client.send({ jsonrpc: "2.0", method: "rpc.cancel", params: { id } });
    }
    expect(kindOf(await client.request("printer.status", {}, "more"))).toBe("rate_limited");
    const other = await fixture.connect();
    expect((await other.client.request("devices.list")).result).toBeDefined();
  });

  it("tell progress of the method's own stages only", async () => {
    const station = fakeStation({
      "printer.print": async (_params, call) => {
        call.progress("queued");
        call.progress("dancing");
        call.progress("sending", 0.5, "half");
        return JOB;
      },
    });
    await using fixture = await startFixture({ station });
    const { client } = await fixture.connect();
    client.send({ jsonrpc: "2.0", id: "p", method: "printer.print", params: PRINT });
    expect(await client.next()).toEqual({ jsonrpc: "2.0", method: "rpc.progress", params: { id: "p", stage: "queued" } });
    expect((await client.next()).params).toEqual({ id: "p", stage: "sending", fraction: 0.5, message: "half" });
    expect((await client.next()).result?.job).toBe("j");
    expect(fixture.log.lines.some(({ event }) => event === "progress of an unknown stage")).toBe(true);
  });

  it("end with the citizen's session: waits are canceled, jobs go on", async () => {
    const job = gate<PrintJob>();
    const station = fakeStation({
      "printer.print": () => job.promise,
      "barcodeScanner.scan": () => new Promise(() => {}),
      "session.endCitizen": async () => ({ leftBehind: [], openJobs: 1 }),
    });
    await using fixture = await startFixture({ station });
    const { client } = await fixture.connect();
    const printing = client.request("printer.print", PRINT);
    const scanning = client.request("barcodeScanner.scan", {});
    expect((await client.request("session.endCitizen")).result?.openJobs).toBe(1);
    expect(kindOf(await scanning)).toBe("canceled");
    job.open(JOB);
    expect((await printing).result?.job).toBe("j");
  });
});

describe("a lost connection", () => {
  faultRow({
    device: "agent",
    fault: "The page's connection is lost",
    sees: "`canceled` for what waited; jobs go on",
    does: "gives devices back that nobody waits for; keeps the session for a while",
    bounds: ["resume"],
  });
  it("aborts waits at once, leaves jobs alone, and ends the session after the time of grace", async () => {
    const clock = manualClock();
    const calls: Call[] = [];
    const keep = (_params: unknown, call: Call) => {
      calls.push(call);
      return new Promise<never>(() => {});
    };
    const station = fakeStation({ "printer.print": keep, "printer.status": keep });
    await using fixture = await startFixture({ clock, station });
    const { client } = await fixture.connect();
    client.send({ jsonrpc: "2.0", id: 1, method: "printer.print", params: PRINT });
    client.send({ jsonrpc: "2.0", id: 2, method: "printer.status" });
    await client.request("devices.list");
    client.ws.terminate();
    while (station.disconnectedCallers.length === 0) await clock.advance(0);
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([false, true]);
    await expect(calls[1]?.blob("image/png", new Uint8Array(1))).rejects.toMatchObject({ kind: "canceled" });
    await clock.advance(LIMITS.resumeWithinMs - 1);
    expect(station.endedCallers).toEqual([]);
    await clock.advance(1);
    expect(station.endedCallers).toHaveLength(1);
    // The job's deadline still asks it to stop.
    await clock.advance(60_000);
    expect(calls[0]?.signal.aborted).toBe(true);
  });

  it("is resumed with the same session, subscriptions and numbers; events of the meantime follow", async () => {
    const clock = manualClock();
    await using fixture = await startFixture({ clock });
    const { station } = fixture;
    const first = await fixture.connect();
    const secret = first.hello.result?.session as unknown as string;
    await first.client.request("events.subscribe", { topics: ["agent"] });
    station.emit({ topic: "agent", data: { maintenance: true } });
    expect((await first.client.next()).params?.seq).toBe(1);
    first.client.ws.terminate();
    while (station.disconnectedCallers.length === 0) await clock.advance(0);
    station.emit({ topic: "agent", data: { maintenance: false } });
    await clock.advance(LIMITS.resumeWithinMs - 1);
    const second = await fixture.connect({ resume: secret });
    expect(second.hello.result).toMatchObject({ resumed: true, session: secret });
    expect((await second.client.next()).params).toMatchObject({ seq: 2, data: { maintenance: false } });
    await clock.advance(LIMITS.resumeWithinMs * 2);
    expect(station.endedCallers).toEqual([]);
    station.emit({ topic: "agent", data: { maintenance: true } });
    expect((await second.client.next()).params?.seq).toBe(3);
  });

  it("may be resumed before the server noticed: the older connection is closed", async () => {
    await using fixture = await startFixture();
    const first = await fixture.connect();
    const second = await fixture.connect({ resume: first.hello.result?.session });
    expect(second.hello.result?.resumed).toBe(true);
    expect((await first.client.closed).code).toBe(1008);
    expect((await second.client.request("devices.list")).result).toBeDefined();
    expect(fixture.station.endedCallers).toEqual([]);
  });

  it("is not resumed by another principal, with a made-up secret, or too late", async () => {
    const clock = manualClock();
    await using fixture = await startFixture({ clock });
    const first = await fixture.connect();
    const resume = first.hello.result?.session;
    expect((await fixture.connect({ resume, token: TECHNICIAN_TOKEN })).hello.result?.resumed).toBe(false);
    expect((await fixture.connect({ resume: "0".repeat(32) })).hello.result?.resumed).toBe(false);
    first.client.ws.terminate();
    while (fixture.station.disconnectedCallers.length === 0) await clock.advance(0);
    await clock.advance(LIMITS.resumeWithinMs);
    const late = await fixture.connect({ resume });
    expect(late.hello.result?.resumed).toBe(false);
    expect(late.hello.result?.session).not.toBe(resume);
  });
});

describe("heartbeat", () => {
  faultRow({
    device: "agent",
    fault: "The browser hangs",
    sees: "its connection ends",
    does: "frees what it held; others are served meanwhile",
    bounds: ["heartbeat"],
  });
  it("keeps who answers and terminates who left two pings unanswered", async () => {
    const clock = manualClock();
    await using fixture = await startFixture({ clock });
    const { client } = await fixture.connect();
    const dead = await fixture.connect();
    // A raw socket that is paused answers nothing, as a browser that hangs.
    const socket = (dead.client.ws as unknown as { _socket: { pause(): void; resume(): void } })._socket;
    const pinged = (times: number) =>
      new Promise<void>((resolve) => {
        let seen = 0;
        client.ws.on("ping", () => {
          if (++seen === times) resolve();
        });
      });
    const four = pinged(4);
    socket.pause();
    for (let beat = 0; beat < 4; beat++) {
      await clock.advance(LIMITS.pingEveryMs);
      await client.request("devices.list");
    }
    await four;
    expect(fixture.station.disconnectedCallers).toHaveLength(1);
    socket.resume();
    await dead.client.closed;
    expect((await client.request("devices.list")).result).toBeDefined();
  });

  it("answers pings of the client, the latest of a flood", async () => {
    await using fixture = await startFixture();
    const { client } = await fixture.connect();
    const pongs: string[] = [];
    client.ws.on("pong", (payload) => pongs.push(payload.toString()));
    for (let index = 0; index < 5_000; index++) client.ws.ping(String(index));
    while (pongs.at(-1) !== "4999") await client.request("devices.list");
    expect(pongs.length).toBeLessThan(5_000);
  });
});

describe("blobs", () => {
  const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 31) & 0xff);
  const preview = {
    "printer.preview": async (_params: unknown, call: Call) => ({
      device: "receipt",
      image: await call.blob("image/png", bytes),
      widthDots: 1,
      heightDots: 1,
    }),
  };
  const PREVIEW = { document: PRINT.document };

  it("come in frames of at most 64 KiB, all before the result that names them", async () => {
    await using fixture = await startFixture({ station: fakeStation(preview) });
    const { client } = await fixture.connect();
    for (let id = 1; id <= 2; id++) client.send({ jsonrpc: "2.0", id, method: "printer.preview", params: PREVIEW });
    const parts = new Map<number, Uint8Array[]>();
    for (let answers = 0; answers < 2; ) {
      const message: Message = await client.next();
      const frame = binaryOf(message);
      if (frame !== undefined) {
        expect(frame.length).toBeLessThanOrEqual(LIMITS.binaryFrameBytes);
        const { header, payload } = decodeFrame(frame) ?? expect.unreachable();
        const chunks = parts.get(header.channel) ?? [];
        expect(header).toMatchObject({ kind: "blob", sequence: chunks.length });
        parts.set(header.channel, [...chunks, payload]);
        expect(header.last).toBe(chunks.length === 3);
        continue;
      }
      answers += 1;
      const image = message.result?.image as unknown as { channel: number; byteLength: number; sha256: string; mediaType: string };
      const whole = Buffer.concat(parts.get(image.channel) ?? []);
      expect(image).toMatchObject({ byteLength: bytes.length, mediaType: "image/png" });
      expect(createHash("sha256").update(whole).digest("hex")).toBe(image.sha256);
      expect(whole.equals(bytes)).toBe(true);
    }
    expect(parts.size).toBe(2);
  });

  it("of no bytes are one frame", async () => {
    const empty = {
      "printer.preview": async (_params: unknown, call: Call) => ({
        device: "receipt",
        image: await call.blob("text/plain", new Uint8Array()),
        widthDots: 1,
        heightDots: 1,
      }),
    };
    await using fixture = await startFixture({ station: fakeStation(empty) });
    const { client } = await fixture.connect();
    client.send({ jsonrpc: "2.0", id: 1, method: "printer.preview", params: PREVIEW });
    expect(decodeFrame(binaryOf(await client.next()) ?? Buffer.alloc(0))?.header).toMatchObject({ last: true, sequence: 0 });
    expect((await client.next()).result?.image?.byteLength).toBe(0);
  });

  it("stop when the request was canceled", async () => {
    const held = gate<void>();
    const rejected = gate<unknown>();
    const station = fakeStation({
      "printer.preview": async (_params, call) => {
        await held.promise;
        return await call.blob("image/png", bytes).then(
          () => expect.unreachable(),
          (thrown: unknown) => {
            rejected.open(thrown);
            throw thrown;
          },
        );
      },
    });
    await using fixture = await startFixture({ station });
    const { client } = await fixture.connect();
    const answer = client.request("printer.preview", PREVIEW, "p");
    client.send({ jsonrpc: "2.0", method: "rpc.cancel", params: { id: "p" } });
    expect(kindOf(await answer)).toBe("canceled");
    held.open();
    expect(await rejected.promise).toMatchObject({ kind: "canceled" });
    client.send(listDevices);
    expect((await client.next()).id).toBe("list");
  });
});
