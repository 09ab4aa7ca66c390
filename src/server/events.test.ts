import { describe, expect, it } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import { manualClock } from "../kernel/clock.js";
import type { StationEvent } from "../protocol/call.js";
import { LIMITS } from "../protocol/version.js";
import { createEventStream, encodeEvent } from "./events.js";
import { fakeStation, HELLO, SNAPSHOT, startFixture, TECHNICIAN_TOKEN, type TestClient } from "./fixture.js";

const device = (since: number): StationEvent => ({ topic: "devices", data: { ...SNAPSHOT, since }, coalesceKey: "receipt" });

describe("event stream", () => {
  it("numbers without gaps whatever was coalesced, in the order of what happened last", () => {
    const sent: string[] = [];
    let room = false;
    const stream = createEventStream(() => (room ? (message) => void sent.push(message) : undefined));
    const deliver = (event: StationEvent) => stream.deliver(encodeEvent(event, 1));
    deliver(device(1));
    deliver({ topic: "agent", data: { maintenance: true } });
    deliver(device(2));
    deliver(device(3));
    deliver({ topic: "agent", data: { maintenance: false } });
    expect(stream.waitingBytes).toBeGreaterThan(0);
    room = true;
    stream.flush();
    deliver(device(4));
    const params = sent.map(
      (text) => (JSON.parse(text) as { params: { seq: number; coalesced?: number; data: { since?: number } } }).params,
    );
    expect(params.map(({ seq, coalesced, data }) => [seq, coalesced, data.since])).toEqual([
      [1, undefined, undefined],
      [2, 2, 3],
      [3, undefined, undefined],
      [4, undefined, 4],
    ]);
    expect(stream.waitingBytes).toBe(0);
  });

  it("forgets what was not handed over", () => {
    const stream = createEventStream(() => undefined);
    stream.deliver(encodeEvent(device(1), 1));
    stream.forget("devices");
    expect(stream.waitingBytes).toBe(0);
  });
});

describe("events", () => {
  it("go to subscribers only, and a scan to its session only", async () => {
    await using fixture = await startFixture({ simulatorTokens: ["sim"] });
    const { station } = fixture;
    const owner = await fixture.connect();
    const other = await fixture.connect();
    const technician = await fixture.connect({ token: TECHNICIAN_TOKEN });
    const silent = await fixture.connect();
    const simulator = await fixture.connect({ token: "sim" });
    const topics = ["barcodeScanner", "jobs", "agent"];
    for (const { client } of [owner, other, technician]) {
      const { result } = await client.request("events.subscribe", { topics });
      expect(result).toMatchObject({ seq: 0, state: { agent: { maintenance: false } } });
    }
    await simulator.client.request("events.subscribe", { topics: ["jobs", "barcodeScanner", "simulators"] });
    const scanned = { device: "scanner", at: 1, text: "PLANTED", base64: "", encoding: "utf-8", parsed: { kind: "plain" } } as const;
    station.emit({ topic: "barcodeScanner", data: { scanned }, session: owner.hello.result?.session as unknown as string });
    const job = {
      kind: "print",
      job: "j",
      idempotencyKey: "k",
      device: "receipt",
      state: "queued",
      final: false,
      createdAt: 1,
      updatedAt: 1,
    } as const;
    station.emit({ topic: "jobs", data: job, principal: "token:somebody" });
    station.emit({ topic: "simulators", data: { simulator: "paper", kind: "receipt-printer", state: {} } });
    station.emit({ topic: "agent", data: { maintenance: true } });
    const topicsSeen = async (client: TestClient): Promise<unknown[]> => {
      await client.request("devices.list");
      return client.received.splice(0).map(({ params }) => [params?.seq, params?.topic]);
    };
    expect(await topicsSeen(owner.client)).toEqual([
      [1, "barcodeScanner"],
      [2, "agent"],
    ]);
    expect(await topicsSeen(other.client)).toEqual([[1, "agent"]]);
    expect(await topicsSeen(technician.client)).toEqual([
      [1, "jobs"],
      [2, "agent"],
    ]);
    expect(await topicsSeen(simulator.client)).toEqual([[1, "simulators"]]);
    expect(await topicsSeen(silent.client)).toEqual([]);
    expect((await other.client.request("events.unsubscribe", { topics: ["agent"] })).result?.topics).toEqual(["barcodeScanner", "jobs"]);
    station.emit({ topic: "agent", data: { maintenance: false } });
    expect(await topicsSeen(other.client)).toEqual([]);
    expect(JSON.stringify(fixture.log.lines)).not.toContain("PLANTED");
    expect(JSON.stringify(fixture.log.lines)).not.toContain(owner.hello.result?.session as unknown as string);
  });
});

describe("a client that does not read", () => {
  const big = { ...SNAPSHOT, identity: { model: "x".repeat(8_000) } };
  const station = () => fakeStation({ "devices.get": () => big });
  const rawOf = (client: TestClient) => (client.ws as unknown as { _socket: { pause(): void; resume(): void } })._socket;
  /** Far more than kernel buffers and limit together hold, as the server would answer it. */
  const REQUESTS = 3_000;

  const flood = (client: TestClient): void => {
    rawOf(client).pause();
    for (let id = 0; id < REQUESTS; id++) client.send({ jsonrpc: "2.0", id, method: "devices.get", params: { device: "receipt" } });
  };

  it("is not read from over its limit, gets every reply once it reads, and disturbs nobody", async () => {
    const clock = manualClock();
    await using fixture = await startFixture({ clock, station: station() });
    const { client } = await fixture.connect();
    const other = await fixture.connect();
    await client.request("events.subscribe", { topics: ["devices", "agent"] });
    flood(client);
    // The other client is served all the while.
    for (let round = 0; round < 200; round++) expect((await other.client.request("devices.list")).result).toBeDefined();
    const answered = fixture.meter.counted("stationd_requests_total", { method: "devices.get", outcome: "ok" });
    expect(answered).toBeLessThan(REQUESTS);
    for (let since = 1; since <= 1_000; since++) fixture.station.emit(device(since));
    fixture.station.emit({ topic: "agent", data: { maintenance: true } });
    rawOf(client).resume();
    for (let id = 0; id < REQUESTS; id++) expect((await client.next(({ method }) => method === undefined)).id).toBe(id);
    const events = [await client.next(), await client.next()].map(({ params }) => [
      params?.seq,
      params?.topic,
      params?.coalesced,
      params?.data?.since,
    ]);
    expect(events).toEqual([
      [1, "devices", 999, 1_000],
      [2, "agent", undefined, undefined],
    ]);
    // It has caught up: the ten seconds are forgiven.
    await clock.advance(LIMITS.slowClientMs * 2);
    expect((await client.request("devices.list")).result).toBeDefined();
  });

  faultRow({
    device: "agent",
    fault: "A page asks and does not read",
    sees: "its connection ends with 1013",
    does: "holds a bounded amount for it, and disturbs nobody else",
    bounds: ["slowClient"],
  });
  it("costs a bounded amount of memory, and is closed with 1013 after ten seconds", async () => {
    const clock = manualClock();
    const gauges = new Map<string, () => number>();
    const meter = { count() {}, observeMs() {}, gauge: (name: string, read: () => number) => void gauges.set(name, read) };
    await using fixture = await startFixture({ clock, station: station(), server: { meter } });
    const owed = (): number => gauges.get("stationd_outbound_owed_bytes")?.() ?? 0;
    const { client } = await fixture.connect();
    const other = await fixture.connect();
    flood(client);
    let most = 0;
    for (let round = 0; round < 300; round++) {
      await other.client.request("devices.list");
      most = Math.max(most, owed());
    }
    expect(most).toBeGreaterThan(LIMITS.outboundBufferBytes);
    expect(most).toBeLessThan(LIMITS.outboundBufferBytes + 512 * 1024);
    await clock.advance(LIMITS.slowClientMs - 1);
    expect(fixture.station.disconnectedCallers).toEqual([]);
    await clock.advance(1);
    expect(fixture.station.disconnectedCallers).toHaveLength(1);
    expect(owed()).toBe(0);
    rawOf(client).resume();
    await client.closed;
    expect((await other.client.request("devices.list")).result).toBeDefined();
  });

  it("shares a bound with all that do the same", async () => {
    const gauges = new Map<string, () => number>();
    const meter = { count() {}, observeMs() {}, gauge: (name: string, read: () => number) => void gauges.set(name, read) };
    await using fixture = await startFixture({ clock: manualClock(), station: station(), server: { meter } });
    const clients = await Promise.all(Array.from({ length: 16 }, async () => (await fixture.connect()).client));
    for (const client of clients) flood(client);
    const other = await fixture.connect();
    for (let round = 0; round < 400; round++) await other.client.request("devices.list");
    const owed = gauges.get("stationd_outbound_owed_bytes")?.() ?? 0;
    expect(owed).toBeLessThan(48 * 1024 * 1024);
    for (const { ws } of clients) ws.terminate();
  });

  it("misses no code that was scanned, unless the citizen has left", async () => {
    const quiet = fakeStation({ "devices.get": () => big, "session.endCitizen": () => ({ leftBehind: [], openJobs: 0 }) });
    await using fixture = await startFixture({ clock: manualClock(), station: quiet });
    const { client, hello } = await fixture.connect();
    await client.request("events.subscribe", { topics: ["barcodeScanner"] });
    const session = hello.result?.session as unknown as string;
    const scan = (text: string): void =>
      quiet.emit({
        topic: "barcodeScanner",
        data: { scanned: { device: "s", at: 1, text, base64: "", encoding: "utf-8", parsed: { kind: "plain" } } },
        session,
      });
    client.ws.terminate();
    while (quiet.disconnectedCallers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    scan("one");
    scan("two");
    const again = await fixture.connect({ ...HELLO, resume: session });
    const texts = [await again.client.next(), await again.client.next()].map(({ params }) => params?.data?.scanned?.text);
    expect(texts).toEqual(["one", "two"]);
  });
});
