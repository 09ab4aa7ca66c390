import { createHash } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { encodeFrame } from "../protocol/binary-frame.js";
import { type ConnectOptions, citizenMessage, StationError, type Update } from "./exports.js";
import { nodePlatform } from "./node.js";
import { createConnect, type StationClient } from "./station.js";

/** The protocol by hand, so that the client is held against the page of the protocol and not against our own server. */
interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}
interface Peer {
  readonly socket: WebSocket;
  readonly session: string;
  result(request: Request, result: unknown): void;
  error(request: Request, kind: string, code?: number): void;
  notify(method: string, params: unknown): void;
}
type Script = (request: Request, peer: Peer) => void;

const device = {
  id: "receipt",
  class: "printer",
  driver: "escpos",
  state: "ready",
  since: 1,
  queue: { length: 0 },
  simulated: true,
};

async function scriptedAgent() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "station.v1" });
  await once(server, "listening");
  const seen: Request[] = [];
  const peers: Peer[] = [];
  let answer: Script = () => {};
  let hello: Record<string, unknown> = {};
  let helloError: string | undefined;
  server.on("connection", (socket) => {
    const send = (message: object): void => socket.send(JSON.stringify({ jsonrpc: "2.0", ...message }));
    const peer: Peer = {
      socket,
      session: `session-${peers.length}`,
      result: ({ id }, result) => send({ id, result }),
      error: ({ id }, kind, code = -32000) =>
        send({ id, error: { code, message: kind, data: { kind, retryable: false, hint: "do this" } } }),
      notify: (method, params) => send({ method, params }),
    };
    peers.push(peer);
    socket.on("message", (data) => {
      const request = JSON.parse(String(data)) as Request;
      seen.push(request);
      if (request.method !== "session.hello") return answer(request, peer);
      if (helloError) return peer.error(request, helloError, -32001);
      peer.result(request, {
        agent: { name: "test", version: "1" },
        mode: "production",
        protocol: { major: 1, minor: 9 },
        role: "kiosk",
        session: peer.session,
        resumed: "resume" in request.params,
        devices: [device],
        limits: {},
        somethingNew: true,
        ...hello,
      });
    });
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    peers,
    script(next: Script) {
      answer = next;
    },
    greet(fields: Record<string, unknown>) {
      hello = fields;
    },
    refuse(kind: string | undefined) {
      helloError = kind;
    },
    drop() {
      for (const { socket } of peers) socket.terminate();
    },
    of: (method: string) => seen.filter((request) => request.method === method),
    async stop() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Waits shorter than the time to open are nothing: no test waits for seconds. */
const real = nodePlatform();
const connectStation = createConnect({ ...real, after: (ms, callback) => real.after(ms < 5_000 ? 1 : ms, callback) });

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const job = (fields: object) => ({
  kind: "print",
  job: "j",
  idempotencyKey: "key-00000001",
  device: "receipt",
  createdAt: 1,
  updatedAt: 1,
  ...fields,
});
const slip = { document: { blocks: [{ type: "text" as const, text: "Xin chào" }] }, idempotencyKey: "key-00000001" };

let agent: Awaited<ReturnType<typeof scriptedAgent>>;
let open: StationClient[];
const connect = async (options: Partial<ConnectOptions> = {}): Promise<StationClient> => {
  const client = await connectStation({ url: agent.url, client: { name: "test", version: "1" }, ...options });
  open.push(client);
  return client;
};

beforeEach(async () => {
  open = [];
  agent = await scriptedAgent();
});
afterEach(async () => {
  for (const client of open) client.close();
  await agent.stop();
});

describe("greeting", () => {
  it("says version, client and token, and hands out the agent's greeting, unknown fields and all", async () => {
    const client = await connect({ token: "secret" });
    expect(agent.seen[0]?.params).toEqual({ protocol: { major: 1, minor: 0 }, client: { name: "test", version: "1" }, token: "secret" });
    expect(client.hello).toMatchObject({ mode: "production", role: "kiosk", devices: [{ id: "receipt" }] });
    expect(client.state).toBe("open");
  });

  it.each(["demo", "test"])("refuses a %s agent unless simulated results are welcome", async (mode) => {
    agent.greet({ mode });
    const states: string[] = [];
    await expect(connect({ onState: (state) => states.push(state) })).rejects.toMatchObject({ kind: "simulated_agent", retryable: false });
    expect(states).toEqual(["connecting", "refused"]);
    expect((await connect({ allowSimulated: true })).hello.mode).toBe(mode);
  });

  it("does not ask again where the agent refuses for good, but does where it is only away", async () => {
    agent.refuse("unauthorized");
    await expect(connect()).rejects.toMatchObject({ kind: "unauthorized", code: -32001, hint: "do this" });
    expect(agent.of("session.hello")).toHaveLength(1);
    agent.refuse(undefined);
    const url = agent.url;
    await agent.stop();
    const late = connect();
    const port = Number(new URL(url).port);
    const server = new WebSocketServer({ port, host: "127.0.0.1", handleProtocols: () => "station.v1" });
    server.on("connection", (socket) =>
      socket.once("message", (data) =>
        socket.send(JSON.stringify({ jsonrpc: "2.0", id: JSON.parse(String(data)).id, result: { mode: "production", session: "s" } })),
      ),
    );
    expect((await late).hello.session).toBe("s");
    for (const socket of server.clients) socket.terminate();
    server.close();
    agent = await scriptedAgent();
  });

  it("gives up after one attempt without reconnect, and when the signal aborts", async () => {
    const nowhere = "ws://127.0.0.1:1/v1";
    await expect(connect({ url: nowhere, reconnect: false })).rejects.toMatchObject({ kind: "connection_lost", retryable: true });
    const controller = new AbortController();
    const waiting = connect({ url: nowhere, signal: controller.signal, onState: () => queueMicrotask(() => controller.abort()) });
    await expect(waiting).rejects.toMatchObject({ kind: "canceled" });
    await expect(connect({ signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: "canceled" });
  });

  it("asks a token function anew at each connection", async () => {
    let serial = 0;
    const client = await connect({ token: async () => `token-${serial++}` });
    agent.drop();
    await until(() => agent.of("session.hello").length === 2 && client.state === "open");
    expect(agent.of("session.hello").map((request) => request.params.token)).toEqual(["token-0", "token-1"]);
  });

  it("leaves no listener behind, however often it connects again", async () => {
    const warnings: string[] = [];
    const warned = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", warned);
    try {
      const client = await connect();
      for (let times = 2; times < 16; times++) {
        agent.drop();
        await until(() => agent.of("session.hello").length === times && client.state === "open");
      }
      await new Promise((resolve) => setImmediate(resolve));
      expect(warnings).toEqual([]);
    } finally {
      process.off("warning", warned);
    }
  });
});

describe("calls", () => {
  it("answers results and errors, with progress on the way", async () => {
    const client = await connect();
    agent.script((request, peer) => {
      if (request.method === "devices.get") return peer.error(request, "unknown_device", -32004);
      peer.notify("rpc.progress", { id: request.id, stage: "waiting", fraction: 0.5 });
      peer.notify("somethingNew", {});
      peer.notify("rpc.progress", { id: 999, stage: "of nobody" });
      peer.result(request, { text: "HS-2026-000123" });
    });
    const stages: unknown[] = [];
    const scan = await client.call("barcodeScanner.scan", { timeoutMs: 5 }, { onProgress: (progress) => stages.push(progress) });
    expect(scan.text).toBe("HS-2026-000123");
    expect(stages).toEqual([{ stage: "waiting", fraction: 0.5 }]);
    const error = await client.call("devices.get", { device: "nothing" }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(StationError);
    expect(error).toMatchObject({ kind: "unknown_device", code: -32004, hint: "do this", messageVi: "Trạm không có thiết bị này." });
  });

  it("asks to cancel and leaves the answer to the agent", async () => {
    const client = await connect();
    const controller = new AbortController();
    agent.script((request, peer) => {
      if (request.method === "barcodeScanner.scan") controller.abort();
      if (request.method === "rpc.cancel") peer.error({ ...request, id: (request.params as { id: number }).id }, "canceled", -32010);
    });
    await expect(client.call("barcodeScanner.scan", {}, { signal: controller.signal })).rejects.toMatchObject({ kind: "canceled" });
    // The second time nobody asks the agent.
    await expect(client.call("barcodeScanner.scan", {}, { signal: controller.signal })).rejects.toMatchObject({
      kind: "canceled",
      hint: expect.stringMatching(/./),
    });
    expect(agent.of("barcodeScanner.scan")).toHaveLength(1);
  });

  it("rejects what was pending when the connection is lost, and what comes while there is none", async () => {
    const client = await connect();
    agent.script(() => agent.drop());
    await expect(client.call("devices.list", {})).rejects.toMatchObject({ kind: "connection_lost", retryable: true });
    await expect(client.call("devices.list", {})).rejects.toMatchObject({ kind: "connection_lost" });
    client.close();
    await expect(client.call("devices.list", {})).rejects.toMatchObject({ kind: "connection_lost" });
    expect(client.state).toBe("closed");
  });

  it("survives answers that nobody could have expected", async () => {
    const client = await connect();
    agent.script((request, peer) => {
      peer.socket.send("null");
      peer.socket.send("[]");
      peer.socket.send(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32600, message: "?" } }));
      peer.socket.send(JSON.stringify({ jsonrpc: "2.0", id: request.id, error: null }));
    });
    await expect(client.call("devices.list", {})).rejects.toMatchObject({ kind: "internal", message: "error without a message" });
    agent.script((_, peer) => peer.socket.send("not json"));
    await expect(client.call("devices.list", {})).rejects.toMatchObject({ kind: "connection_lost" });
  });

  it("gives up a connection that falls silent", async () => {
    let fire: (() => void) | undefined;
    const silent = createConnect({
      ...real,
      after(ms, callback) {
        if (ms === 45_000) fire = callback;
        return ms === 45_000 ? () => {} : real.after(ms < 5_000 ? 1 : ms, callback);
      },
    });
    const client = await silent({ url: agent.url, client: { name: "test", version: "1" } });
    open.push(client);
    const states: string[] = [];
    client.onState((state) => states.push(state));
    agent.peers[0]?.socket.ping();
    await once(agent.peers[0]?.socket as WebSocket, "pong");
    fire?.();
    expect(states).toEqual([]);
    fire?.();
    expect(states).toEqual([]);
    await until(() => client.state === "open" && agent.peers.length === 2);
    expect(states).toEqual(["connecting", "open"]);
  });
});

describe("blobs", () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const image = { channel: 7, mediaType: "image/png", byteLength: bytes.length, sha256 };
  const frame = (sequence: number, last: boolean, payload: Uint8Array, channel = 7) =>
    encodeFrame({ kind: "blob", last, channel, sequence, capturedAt: 0 }, payload);
  const preview = (client: StationClient) => client.call("printer.preview", { document: slip.document });

  it("puts the chunks together before the result is handed out", async () => {
    const client = await connect();
    agent.script((request, peer) => {
      peer.socket.send(Uint8Array.of(9, 9, 9));
      peer.socket.send(encodeFrame({ kind: "preview", last: true, channel: 7, sequence: 0, capturedAt: 0 }, bytes));
      peer.socket.send(frame(0, false, bytes.subarray(0, 60_000)));
      peer.socket.send(frame(0, true, bytes.subarray(0, 10), 8));
      peer.socket.send(frame(1, true, bytes.subarray(60_000)));
      peer.result(request, { image, widthDots: 576 });
    });
    const result = await preview(client);
    const blob = client.blob(result.image);
    expect(blob.type).toBe("image/png");
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(bytes);
    expect(() => client.blob({ ...result.image })).toThrow(StationError);
  });

  it("finds them wherever a result names them", async () => {
    const client = await connect();
    agent.script((request, peer) => {
      peer.socket.send(frame(0, true, bytes));
      peer.socket.send(frame(0, true, bytes, 8));
      peer.result(request, { portrait: { image, widthPx: 1 }, raw: [{ file: "sod", content: { ...image, channel: 8 } }] });
    });
    const { portrait, raw } = await client.call("chipReader.readCard", { access: { can: "000000" } });
    for (const ref of [portrait?.image, raw?.[0]?.content]) expect(ref && client.blob(ref).size).toBe(bytes.length);
  });

  it.each([
    ["is missing its middle", [frame(0, false, bytes.subarray(0, 10)), frame(2, true, bytes.subarray(20))]],
    ["never ends", [frame(0, false, bytes)]],
    ["goes on after its end", [frame(0, true, bytes), frame(1, true, bytes)]],
    ["is too short", [frame(0, true, bytes.subarray(1))]],
    [
      "was altered",
      [
        frame(
          0,
          true,
          Uint8Array.from(bytes, (byte, index) => (index === 500 ? byte ^ 1 : byte)),
        ),
      ],
    ],
    ["never came", []],
  ])("refuses one that %s", async (_, frames) => {
    const client = await connect();
    agent.script((request, peer) => {
      for (const each of frames) peer.socket.send(each);
      peer.result(request, { image });
    });
    await expect(preview(client)).rejects.toMatchObject({ kind: "blob_damaged" });
  });

  it("knows an empty blob", async () => {
    const client = await connect();
    const empty = { ...image, byteLength: 0, sha256: createHash("sha256").digest("hex") };
    agent.script((request, peer) => peer.result(request, { image: empty }));
    expect(client.blob((await preview(client)).image).size).toBe(0);
  });
});

describe("subscriptions", () => {
  const serve: Script = (request, peer) => {
    if (request.method !== "events.subscribe") return peer.result(request, {});
    peer.result(request, { seq: 0, state: { devices: [device], agent: { maintenance: false }, jobs: [] } });
    peer.notify("event", { topic: "devices", seq: 1, time: 5, data: { ...device, state: "busy" } });
  };

  it("has the state first, then events, and all of it again after a reconnection", async () => {
    const client = await connect();
    agent.script(serve);
    const updates: Update<"devices" | "agent">[] = [];
    const subscription = await client.subscribe(["devices", "agent"], (update) => updates.push(update));
    await until(() => updates.length === 3);
    expect(updates.map(({ kind, topic }) => `${kind} ${topic}`)).toEqual(["state devices", "state agent", "event devices"]);
    expect(updates[0]).toMatchObject({ resynced: false, state: [{ id: "receipt" }] });
    expect(updates[2]).toMatchObject({ data: { state: "busy" }, seq: 1, coalesced: 0 });
    agent.drop();
    await until(() => updates.length === 6);
    expect(updates[3]).toMatchObject({ kind: "state", resynced: true });
    expect(agent.of("session.hello")[1]?.params.resume).toBe("session-0");
    subscription.close();
    await until(() => agent.of("events.unsubscribe").length === 1);
    agent.peers[1]?.notify("event", { topic: "devices", seq: 2, time: 6, data: device });
    await client.call("devices.list", {});
    expect(updates).toHaveLength(6);
  });

  it("unsubscribes only what no one else listens to, and a listener that throws harms no other", async () => {
    const client = await connect();
    agent.script(serve);
    const faults: unknown[] = [];
    const uncaught = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (fault) => faults.push(fault));
    const heard: string[] = [];
    const first = await client.subscribe(["devices", "agent"], () => {
      throw new Error("page's own fault");
    });
    await client.subscribe(["devices"], ({ kind }) => heard.push(kind));
    await until(() => heard.includes("event"));
    process.removeAllListeners("uncaughtException");
    for (const listener of uncaught) process.on("uncaughtException", listener);
    expect(faults.length).toBeGreaterThan(0);
    first.close();
    await until(() => agent.of("events.unsubscribe").length === 1);
    expect(agent.of("events.unsubscribe")[0]?.params).toEqual({ topics: ["agent"] });
  });

  it("rejects a topic that the role may not have, and does not ask for it again", async () => {
    const client = await connect();
    agent.script((request, peer) => peer.error(request, "forbidden"));
    await expect(client.subscribe(["simulators"], () => {})).rejects.toMatchObject({ kind: "forbidden" });
    agent.drop();
    await until(() => agent.of("session.hello").length === 2 && client.state === "open");
    expect(agent.of("events.subscribe")).toHaveLength(1);
  });

  it("streams, and leaving the loop unsubscribes", async () => {
    const client = await connect();
    agent.script(serve);
    const kinds: string[] = [];
    for await (const update of client.events(["devices"])) {
      kinds.push(update.kind);
      if (update.kind === "event") break;
    }
    expect(kinds).toEqual(["state", "event"]);
    await until(() => agent.of("events.unsubscribe").length === 1);
    const controller = new AbortController();
    const stream = client.events(["devices"], { signal: controller.signal });
    controller.abort();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });
});

describe("print jobs", () => {
  it("sends the same key again after a lost connection and follows the job to its end", async () => {
    const client = await connect();
    let asked = 0;
    agent.script((request, peer) => {
      if (request.method === "printer.print" && asked++ === 0) return agent.drop();
      if (request.method === "printer.print") return peer.result(request, job({ state: "unknown", final: false }));
      if (asked++ === 2) return agent.drop();
      peer.result(request, job({ state: "printed", final: true, confirmation: "confirmed" }));
    });
    const seen: string[] = [];
    const printed = await client.jobs.print(slip, { onJob: ({ state }) => seen.push(state) });
    expect(printed).toMatchObject({ state: "printed", final: true });
    expect(agent.of("printer.print").map((request) => request.params)).toEqual([slip, slip]);
    expect(agent.of("jobs.get").length).toBeGreaterThan(1);
    expect(new Set(seen)).toEqual(new Set(["unknown"]));
  });

  it("does not swallow a refusal", async () => {
    const client = await connect();
    agent.script((request, peer) => peer.error(request, "idempotency_conflict"));
    await expect(client.jobs.print(slip)).rejects.toMatchObject({ kind: "idempotency_conflict" });
  });

  it("answers with the job as it stands when the signal aborts", async () => {
    const client = await connect();
    const controller = new AbortController();
    agent.script((request, peer) => {
      if (request.method === "printer.print") controller.abort();
      if (request.method === "rpc.cancel")
        peer.result({ ...request, id: (request.params as { id: number }).id }, job({ state: "in_progress", final: false }));
    });
    expect(await client.jobs.print(slip, { signal: controller.signal })).toMatchObject({ state: "in_progress", final: false });
    await expect(client.jobs.print(slip, { signal: controller.signal })).rejects.toMatchObject({ kind: "canceled" });
  });

  it("ends with the client", async () => {
    const client = await connect();
    agent.script(() => client.close());
    await expect(client.jobs.print(slip)).rejects.toMatchObject({ kind: "connection_lost" });
  });
});

describe("scans", () => {
  it("enables, hands out codes, enables again after a reconnection, and disables at the end", async () => {
    const client = await connect();
    agent.script((request, peer) => {
      if (request.method === "events.subscribe") return peer.result(request, { seq: 0, state: { barcodeScanner: null } });
      peer.result(request, { device: "scanner" });
      if (request.method !== "barcodeScanner.enable") return;
      const text = `code ${agent.of("barcodeScanner.enable").length}`;
      peer.notify("event", { topic: "barcodeScanner", seq: 1, time: 1, data: { scanned: { text, parsed: { kind: "plain" } } } });
    });
    const texts: string[] = [];
    let enabled = 0;
    const onEnabled = (): void => void enabled++;
    for await (const { text } of client.barcodeScanner.scans({ device: "scanner", onEnabled })) {
      texts.push(text);
      if (texts.length === 2) break;
      agent.drop();
    }
    expect(texts).toEqual(["code 1", "code 2"]);
    expect(enabled).toBe(2);
    await until(() => agent.of("barcodeScanner.disable").length === 1);
    expect(agent.of("barcodeScanner.enable")[0]?.params).toEqual({ device: "scanner" });
  });

  it("throws where the scanner cannot be enabled", async () => {
    const client = await connect();
    agent.script((request, peer) =>
      request.method === "barcodeScanner.enable" ? peer.error(request, "busy") : peer.result(request, { seq: 0, state: {} }),
    );
    await expect(client.barcodeScanner.scans().next()).rejects.toMatchObject({ kind: "busy" });
  });
});

it("has a sentence for the citizen, whatever is thrown", () => {
  expect(citizenMessage({ kind: "paper_out" })).toBe("Máy in đã hết giấy. Vui lòng gọi nhân viên hỗ trợ.");
  expect(citizenMessage(new StationError("paper_out", "x"), "en")).toMatch(/out of paper/);
  expect(citizenMessage({ kind: "connection_lost" })).toMatch(/^Mất kết nối/);
  for (const strange of [null, undefined, "x", new Error("x"), { kind: "of a later version" }, { kind: 5 }]) {
    expect(citizenMessage(strange)).toBe(citizenMessage({ kind: "internal" }));
  }
});

it("is typed by the protocol's own schemas", () => {
  const typed = (client: StationClient) => {
    expectTypeOf(client.call("devices.list", {})).resolves.toHaveProperty("devices");
    // @ts-expect-error no such method
    void client.call("devices.steal", {});
    // @ts-expect-error the key is required
    void client.call("printer.print", { document: { blocks: [] } });
    // @ts-expect-error hello is the client's own business
    void client.call("session.hello", {});
    void client.subscribe(["agent"], (update) => {
      if (update.kind === "event") expectTypeOf(update.data.maintenance).toBeBoolean();
      else expectTypeOf(update.state.maintenance).toBeBoolean();
    });
    expectTypeOf(client.hello.mode).toEqualTypeOf<"production" | "demo" | "test">();
  };
  expect(typed).toBeTypeOf("function");
});

describe("live pictures", () => {
  const chunk = (channel: number, sequence: number, last: boolean, text: string) =>
    encodeFrame({ kind: "preview", last, channel, sequence, capturedAt: 1_000 + sequence }, new TextEncoder().encode(text));
  const starts = (channel: number, after: (peer: Peer) => void = () => {}): Script => {
    let next = channel;
    return (request, peer) => {
      if (request.method === "camera.startPreview") {
        peer.result(request, { device: "face", channel: next++, mediaType: "image/jpeg" });
        after(peer);
      } else peer.result(request, { stopped: true });
    };
  };

  it("come as they were sent, put together by channel; a damaged one is left out", async () => {
    const client = await connect();
    agent.script(
      starts(5, ({ socket }) => {
        socket.send(chunk(5, 0, false, "on"));
        socket.send(chunk(6, 0, true, "of another"));
        socket.send(chunk(5, 1, true, "e"));
        // Its middle is missing.
        socket.send(chunk(5, 2, false, "dam"));
        socket.send(chunk(5, 4, true, "ged"));
        socket.send(chunk(5, 5, true, "two"));
        // Its end is missing, and then the beginning of the next.
        socket.send(chunk(5, 6, false, "dam"));
        socket.send(chunk(5, 9, false, "ged"));
        socket.send(chunk(5, 10, true, "too"));
        socket.send(chunk(5, 11, true, "three"));
      }),
    );
    const seen: { jpeg: Blob; capturedAt: number; sequence: number }[] = [];
    const leave = new AbortController();
    const ended = client.preview({ maxFps: 10 }, (jpeg, picture) => seen.push({ jpeg, ...picture }), { signal: leave.signal });
    await until(() => seen.length === 3);
    expect(await Promise.all(seen.map(({ jpeg }) => jpeg.text()))).toEqual(["one", "two", "three"]);
    expect(seen.map(({ capturedAt, sequence }) => [capturedAt, sequence])).toEqual([
      [1_001, 1],
      [1_005, 5],
      [1_011, 11],
    ]);
    expect(seen[0]?.jpeg.type).toBe("image/jpeg");
    expect(agent.of("camera.startPreview")[0]?.params).toEqual({ maxFps: 10 });
    leave.abort();
    await ended;
    await until(() => agent.of("camera.stopPreview").length === 1);
    expect(agent.of("camera.stopPreview")[0]?.params).toEqual({ channel: 5 });
    agent.peers[0]?.socket.send(chunk(5, 12, true, "late"));
    await client.call("camera.stopPreview", { channel: 1 });
    expect(seen.length).toBe(3);
  });

  it("go on after a reconnection, on the new channel only", async () => {
    const client = await connect();
    agent.script(starts(5, ({ socket }) => socket.send(chunk(5 + agent.peers.length - 1, 0, true, `from ${agent.peers.length}`))));
    const seen: Blob[] = [];
    const leave = new AbortController();
    const ended = client.preview({}, (jpeg) => seen.push(jpeg), { signal: leave.signal });
    await until(() => seen.length === 1);
    agent.drop();
    await until(() => seen.length === 2);
    expect(await Promise.all(seen.map((jpeg) => jpeg.text()))).toEqual(["from 1", "from 2"]);
    agent.peers[1]?.socket.send(chunk(5, 1, true, "of the old channel"));
    await client.call("camera.stopPreview", { channel: 1 });
    expect(seen.length).toBe(2);
    leave.abort();
    await ended;
  });

  it("that are refused reject, as they do when the client is closed; one that was given up is stopped as soon as it starts", async () => {
    const client = await connect();
    agent.script((request, peer) => peer.error(request, "unsupported"));
    await expect(client.preview({}, () => {})).rejects.toMatchObject({ kind: "unsupported" });
    let answer = (): void => {};
    agent.script((request, peer) => {
      if (request.method === "camera.startPreview")
        answer = () => peer.result(request, { device: "face", channel: 9, mediaType: "image/jpeg" });
    });
    const leave = new AbortController();
    const ended = client.preview({}, () => {}, { signal: leave.signal });
    await until(() => agent.of("camera.startPreview").length === 2);
    leave.abort();
    await ended;
    expect(agent.of("camera.stopPreview")).toEqual([]);
    answer();
    await until(() => agent.of("camera.stopPreview").length === 1);

    const closed = client.preview({}, () => {});
    client.close();
    await expect(closed).rejects.toMatchObject({ kind: "connection_lost" });
    await expect(client.preview({}, () => {})).rejects.toMatchObject({ kind: "connection_lost" });
  });
});

describe("pages of a scan", () => {
  const bytes = new TextEncoder().encode("a thumbnail");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const thumbnail = (channel: number, text: string = sha256) => ({
    channel,
    mediaType: "image/jpeg",
    byteLength: bytes.length,
    sha256: text,
  });
  const blob = (channel: number) => encodeFrame({ kind: "blob", last: true, channel, sequence: 0, capturedAt: 0 }, bytes);

  it("come with their thumbnail ready, in order with all other progress and before the answer", async () => {
    const client = await connect();
    agent.script((request, peer) => {
      const told = (progress: object): void => peer.notify("rpc.progress", { id: request.id, ...progress });
      told({ stage: "scanning", fraction: 0.5 });
      peer.socket.send(blob(1));
      told({ stage: "page", page: { page: 1, blank: false, dropped: false, thumbnail: thumbnail(1) } });
      told({ stage: "scanning", fraction: 0.9 });
      peer.socket.send(blob(2));
      told({ stage: "page", page: { page: 2, blank: false, dropped: false, thumbnail: thumbnail(2, "0".repeat(64)) } });
      told({ stage: "assembling" });
      peer.result(request, { device: "desk", pages: [], resolutionDpi: 300 });
    });
    const log: string[] = [];
    await client
      .call(
        "documentScanner.scan",
        {},
        {
          onProgress({ stage, page }) {
            let shown = "";
            try {
              if (page) shown = ` ${client.blob(page.thumbnail).size}`;
            } catch (thrown) {
              shown = ` ${(thrown as StationError).kind}`;
            }
            log.push(`${stage}${shown}`);
          },
        },
      )
      .then(() => log.push("answer"));
    expect(log).toEqual(["scanning", `page ${bytes.length}`, "scanning", "page blob_damaged", "assembling", "answer"]);
  });
});
