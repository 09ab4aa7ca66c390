import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import { manualClock } from "../kernel/clock.js";
import { ERROR_KINDS } from "../kernel/errors.js";
import { methods } from "../protocol/methods.js";
import { CONNECTION_LIMITS } from "./budget.js";
import {
  type ConnectOptions,
  fakeStation,
  HELLO,
  kindOf,
  ORIGIN,
  rawRequest,
  sha256,
  startFixture,
  TECHNICIAN_TOKEN,
  type TestClient,
} from "./fixture.js";

describe("upgrade", () => {
  const refused: [name: string, reason: string, status: string, how: ConnectOptions][] = [
    ["a foreign Origin", "origin", "403", { origin: "https://evil.example" }],
    ["a null Origin", "origin_null", "403", { origin: "null" }],
    ["a rebound Host", "host", "403", { headers: { host: "evil.example:7870" } }],
    ["Origin equal to a foreign Host", "host", "403", { origin: "http://evil.example", headers: { host: "evil.example" } }],
    ["a wrong subprotocol", "subprotocol", "400", { subprotocols: ["other.v1"] }],
    ["no subprotocol", "subprotocol", "400", { subprotocols: [] }],
    ["a wrong path", "path", "404", { path: "/v2" }],
    ["a token in the path", "path", "404", { path: `/v1?token=${TECHNICIAN_TOKEN}` }],
  ];
  it.each(refused)("refuses %s", async (_name, reason, status, how) => {
    await using fixture = await startFixture();
    await expect(fixture.open(how)).rejects.toThrow(status);
    expect(fixture.log.lines.find(({ event }) => event === "refused")?.fields?.reason).toBe(reason);
    expect(fixture.meter.counted("stationd_refusals_total", { reason })).toBe(1);
    expect(JSON.stringify(fixture.log.lines)).not.toContain(TECHNICIAN_TOKEN);
  });

  it("refuses two Host and two Origin headers, and what is no WebSocket, with a clean status", async () => {
    await using fixture = await startFixture();
    const { port } = fixture.server;
    const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: station.v1\r\n`;
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const host = `Host: 127.0.0.1:${port}\r\n`;
    const request = (headers: string) => rawRequest(port, `GET /v1 HTTP/1.1\r\n${headers}\r\n`);
    expect(await request(`${host}Origin: ${ORIGIN}\r\n${upgrade}${key}`)).toContain("101");
    expect(await request(`${host}Host: evil.example\r\nOrigin: ${ORIGIN}\r\n${upgrade}${key}`)).toContain("403");
    expect(await request(`${host}Origin: ${ORIGIN}\r\nOrigin: https://evil.example\r\n${upgrade}${key}`)).toContain("403");
    expect(await request(`${host}Origin: ${ORIGIN}\r\n${upgrade}`)).toContain("400");
    expect(await request(`${host}Origin: ${ORIGIN}\r\n${upgrade}Sec-WebSocket-Key: short\r\n`)).toContain("400");
    expect(
      await rawRequest(port, `GET http://127.0.0.1:${port}/v1 HTTP/1.1\r\n${host}Origin: ${ORIGIN}\r\n${upgrade}${key}\r\n`),
    ).toContain("404");
    expect(await rawRequest(port, `POST /v1 HTTP/1.1\r\n${host}Origin: ${ORIGIN}\r\n${upgrade}${key}\r\n`)).toMatch(/40[05]/);
    expect(await rawRequest(port, "\u0016\u0003\u0001 not http\r\n\r\n")).toContain("400");
    await fixture.connect();
  });

  it("asks the kernel for the peer's uid where uids are listed", async () => {
    const own = process.getuid?.() ?? 0;
    await using fixture = await startFixture({ settings: { kioskUids: [own] } });
    await fixture.connect();
    await using other = await startFixture({ settings: { kioskUids: [own + 1] } });
    await expect(other.open()).rejects.toThrow("403");
    await using unknown = await startFixture({ settings: { kioskUids: [own] }, server: { findPeerUid: async () => undefined } });
    await expect(unknown.open()).rejects.toThrow("403");
  });

  faultRow({
    device: "agent",
    fault: "A program floods the agent with connections",
    sees: "nothing of it",
    does: "turns away what is more than its share",
    back: "–",
  });
  it("survives 1,000 connections of a flood, and still lets the kiosk in", async () => {
    const flooders = new Set<number>();
    await using fixture = await startFixture({
      server: { findPeerUid: async (client) => (flooders.has(client.port) ? 33 : 1000) },
    });
    const flood: TestClient[] = [];
    let turnedAway = 0;
    const findPort = (client: TestClient): number => (client.ws as unknown as { _socket: { localPort: number } })._socket.localPort;
    for (let round = 0; round < 20; round++) {
      const opened = await Promise.allSettled(Array.from({ length: 50 }, () => fixture.open({ origin: undefined })));
      for (const result of opened) {
        if (result.status === "rejected") turnedAway += 1;
        else {
          flooders.add(findPort(result.value));
          flood.push(result.value);
        }
      }
      // Those that said nothing for too long are gone, and have made room for as many.
      expect(flood.filter(({ ws }) => ws.readyState === ws.OPEN).length).toBeLessThanOrEqual(CONNECTION_LIMITS.perOriginAndUid);
    }
    expect(flood.length).toBeGreaterThanOrEqual(CONNECTION_LIMITS.perOriginAndUid);
    expect(flood.length).toBeLessThan(500);
    expect(turnedAway).toBe(1_000 - flood.length);
    const { hello } = await fixture.connect();
    expect(hello.result?.role).toBe("kiosk");
    // A flood does not fill the log either: 50 lines at once, then one each second.
    expect(fixture.log.lines.filter(({ event }) => event === "refused").length).toBeLessThan(120);
    for (const { ws } of flood) ws.terminate();
  });
});

describe("hello", () => {
  it("answers with mode, role, session, devices and limits", async () => {
    await using fixture = await startFixture({ mode: "demo" });
    const { hello } = await fixture.connect();
    expect(hello.result).toMatchObject({
      agent: { name: "test-agent", version: "0.0.1" },
      mode: "demo",
      protocol: { major: 1, minor: 0 },
      role: "kiosk",
      resumed: false,
    });
    expect(methods["session.hello"].result.safeParse(hello.result).success).toBe(true);
  });

  const bad: [name: string, message: unknown, kind: string][] = [
    ["another method first", { jsonrpc: "2.0", id: 1, method: "devices.list" }, "invalid_request"],
    ["a hello without id", { jsonrpc: "2.0", method: "session.hello", params: HELLO }, "invalid_request"],
    ["null", "null", "invalid_request"],
    ["garbage", "}{", "invalid_request"],
    ["an unknown field", { jsonrpc: "2.0", id: 1, method: "session.hello", params: { ...HELLO, admin: true } }, "invalid_params"],
    ["a bad token", { jsonrpc: "2.0", id: 1, method: "session.hello", params: { ...HELLO, token: "guess" } }, "unauthorized"],
    [
      "another major, though the rest is unknown",
      { jsonrpc: "2.0", id: 1, method: "session.hello", params: { protocol: { major: 2, minor: 0, patch: 1 }, who: "x" } },
      "protocol_mismatch",
    ],
  ];
  it.each(bad)("refuses %s and closes", async (_name, message, kind) => {
    await using fixture = await startFixture();
    const client = await fixture.open();
    client.send(message);
    const answer = await client.next();
    expect(kindOf(answer)).toBe(kind);
    if (kind === "protocol_mismatch") expect(answer.error?.data?.details).toEqual({ spoken: [{ major: 1, minor: 0 }] });
    expect((await client.closed).code).toBe(1008);
    expect(fixture.station.endedCallers).toEqual([]);
  });

  it("has two seconds", async () => {
    const clock = manualClock();
    await using fixture = await startFixture({ clock });
    const client = await fixture.open();
    await clock.advance(1_999);
    expect(client.ws.readyState).toBe(client.ws.OPEN);
    await clock.advance(1);
    expect((await client.closed).code).toBe(1008);
    expect(fixture.meter.counted("stationd_refusals_total", { reason: "no_hello" })).toBe(1);
  });

  it("needs a token where there is no Origin, and takes the role from it", async () => {
    await using fixture = await startFixture();
    const without = await fixture.connect({}, { origin: undefined });
    expect(kindOf(without.hello)).toBe("unauthorized");
    expect((await without.client.closed).code).toBe(1008);
    const { hello } = await fixture.connect({ token: TECHNICIAN_TOKEN }, { origin: undefined });
    expect(hello.result?.role).toBe("technician");
    expect(JSON.stringify(fixture.log.lines)).not.toContain(TECHNICIAN_TOKEN);
  });

  it("gives the simulator role for a one-time token, once, and not in production", async () => {
    await using fixture = await startFixture({ simulatorTokens: ["spend-me"] });
    const { client, hello } = await fixture.connect({ token: "spend-me" });
    expect(hello.result?.role).toBe("simulator");
    expect(kindOf(await client.request("printer.status", {}))).toBe("forbidden");
    expect(kindOf((await fixture.connect({ token: "spend-me" })).hello)).toBe("unauthorized");
    const tokens = [{ name: "sim", role: "simulator" as const, sha256: sha256("stored") }];
    await using production = await startFixture({ mode: "production", simulatorTokens: ["spend-me"], settings: { tokens } });
    expect(kindOf((await production.connect({ token: "spend-me" })).hello)).toBe("unauthorized");
    expect(kindOf((await production.connect({ token: "stored" })).hello)).toBe("unauthorized");
  });

  it("is said once", async () => {
    await using fixture = await startFixture();
    const { client } = await fixture.connect();
    expect(kindOf(await client.request("session.hello", HELLO))).toBe("invalid_request");
  });
});

describe("roles", () => {
  it("lets each role call exactly what the schemas declare", async () => {
    await using fixture = await startFixture({ simulatorTokens: ["sim"] });
    const clients = {
      kiosk: (await fixture.connect()).client,
      technician: (await fixture.connect({ token: TECHNICIAN_TOKEN })).client,
      simulator: (await fixture.connect({ token: "sim" })).client,
    };
    for (const [method, definition] of Object.entries(methods)) {
      if (method === "session.hello") continue;
      for (const [role, client] of Object.entries(clients)) {
        const answer = await client.request(method, { "not a field": 1 });
        const allowed = (definition.roles as readonly string[]).includes(role);
        expect([method, role, kindOf(answer)]).toEqual([method, role, allowed ? "invalid_params" : "forbidden"]);
      }
    }
  });

  it("keeps the topic of the simulators to their role", async () => {
    await using fixture = await startFixture();
    const { client } = await fixture.connect({ token: TECHNICIAN_TOKEN });
    expect(kindOf(await client.request("events.subscribe", { topics: ["simulators"] }))).toBe("forbidden");
  });
});

describe("hostile messages", () => {
  it("answers each with one error of the closed list and stays open", async () => {
    await using fixture = await startFixture();
    const { client } = await fixture.connect();
    const id = 7;
    const table: [message: string, kind: string, id: unknown][] = [
      ["null", "invalid_request", null],
      ["true", "invalid_request", null],
      ["[]", "invalid_request", null],
      [`[{"jsonrpc":"2.0","id":1,"method":"devices.list"}]`, "invalid_request", null],
      ["[".repeat(100_000), "invalid_request", null],
      [`{"jsonrpc":"2.0","id":7,"method":"devices.get","params":${`{"a":`.repeat(100)}1${"}".repeat(100)}}`, "invalid_request", null],
      [`{"jsonrpc":"1.0","id":7,"method":"devices.list"}`, "invalid_request", id],
      [`{"jsonrpc":"2.0","id":7,"method":5}`, "invalid_request", id],
      [`{"jsonrpc":"2.0","id":7.5,"method":"devices.list"}`, "invalid_request", null],
      [`{"jsonrpc":"2.0","id":{},"method":"devices.list"}`, "invalid_request", null],
      [`{"jsonrpc":"2.0","id":7,"method":"devices.list","extra":1}`, "invalid_request", id],
      [`{"jsonrpc":"2.0","id":7,"method":"__proto__"}`, "method_not_found", id],
      [`{"jsonrpc":"2.0","id":7,"method":"constructor"}`, "method_not_found", id],
      [`{"jsonrpc":"2.0","id":7,"method":"rpc.cancel","params":{"id":1}}`, "method_not_found", id],
      [`{"jsonrpc":"2.0","id":7,"method":"devices.get","params":{"device":"receipt","color":"red"}}`, "invalid_params", id],
      [`{"jsonrpc":"2.0","id":7,"method":"devices.get","params":["receipt"]}`, "invalid_params", id],
      [`{"jsonrpc":"2.0","id":7,"method":"devices.get","params":null}`, "invalid_params", id],
      [`{"jsonrpc":"2.0","id":7,"method":"devices.get"}`, "invalid_params", id],
      [`{"jsonrpc":"2.0","id":7,"method":"devices.get","params":{"device":"receipt","__proto__":{}}}`, "invalid_params", id],
      [`{"jsonrpc":"2.0","id":7,"method":"devices.get","params":{"device":"nobody"}}`, "unknown_device", id],
      [`{"jsonrpc":"2.0","id":7,"method":"events.subscribe","params":{"topics":[${"1,".repeat(300_000)}1]}}`, "invalid_request", null],
    ];
    for (const [message, kind, expectedId] of table) {
      client.send(message);
      const answer = await client.next();
      expect([message.slice(0, 80), kindOf(answer), answer.id]).toEqual([message.slice(0, 80), kind, expectedId]);
    }
    expect((await client.request("devices.get", { device: "receipt" })).result?.id).toBe("receipt");
  });

  it("names the field and never repeats the value", async () => {
    await using fixture = await startFixture();
    const { client } = await fixture.connect();
    const planted = "PLANTED-001099012345";
    const document = {
      blocks: [
        { type: "text", text: "x" },
        { type: "columns", columns: [{ text: "a", align: planted }] },
      ],
    };
    const wrong = await client.request("printer.print", { document, idempotencyKey: "12345678" });
    expect(wrong.error?.message).toContain("document.blocks[1].columns[0].align");
    const type = await client.request("printer.print", { document: planted, idempotencyKey: planted });
    const method = await client.request(planted, {});
    expect(JSON.stringify([wrong, type, method])).not.toContain(planted);
    expect((await client.request("devices.list", { colour: planted })).error?.message).toBe("unknown field: colour");
    expect(JSON.stringify(fixture.log.lines)).not.toContain(planted);
  });

  it("closes on a binary frame (1003), two and sixteen megabytes of text (1009) and bytes that are no UTF-8 (1007)", async () => {
    await using fixture = await startFixture();
    const closes: [payload: string | Buffer, code: number][] = [
      [Buffer.from([1, 2, 3]), 1003],
      ["x".repeat(2 * 1024 * 1024), 1009],
      ["[".repeat(16 * 1024 * 1024), 1009],
    ];
    for (const [payload, code] of closes) {
      const { client } = await fixture.connect();
      client.ws.send(payload);
      expect((await client.closed).code).toBe(code);
    }
    const { client } = await fixture.connect();
    client.ws.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect((await client.closed).code).toBe(1007);
    await fixture.connect();
  });

  it("any text: one answer of the closed list, or none for a notification", async () => {
    await using fixture = await startFixture();
    const { client } = await fixture.connect({ token: TECHNICIAN_TOKEN });
    const names = fc.constantFrom(...Object.keys(methods), "rpc.cancel", "x");
    const id = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.constant(undefined), fc.jsonValue());
    const request = fc
      .record({ jsonrpc: fc.constantFrom("2.0", "1.0"), id, method: names, params: fc.jsonValue({ maxDepth: 4 }) }, { requiredKeys: [] })
      .map((value) => JSON.stringify(value));
    const texts = fc.oneof(fc.string({ unit: "binary" }), fc.json({ maxDepth: 40 }), request);
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        client.send(text);
        const fence = await client.request("devices.get", { device: "receipt" }, "fence");
        expect(fence.result ?? fence.error).toBeDefined();
        for (const answer of client.received.splice(0)) {
          if (answer.error === undefined) expect(answer.result).toBeDefined();
          else expect(ERROR_KINDS).toHaveProperty(kindOf(answer) ?? "none");
        }
      }),
      { numRuns: 300 },
    );
    expect(fixture.log.lines.filter(({ event }) => event === "request failed")).toEqual([]);
  });
});

describe("http", () => {
  const get = async (url: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url, { headers });
    return { status: response.status, text: await response.text(), cors: response.headers.get("access-control-allow-origin") };
  };

  it("tells health and readiness", async () => {
    await using fixture = await startFixture();
    expect(await get(`${fixture.server.httpUrl}/healthz`)).toEqual({ status: 200, text: "ok\n", cors: null });
    fixture.station.isReady = false;
    expect((await get(`${fixture.server.httpUrl}/readyz`)).status).toBe(503);
    fixture.station.isReady = true;
    expect((await get(`${fixture.server.httpUrl}/readyz`)).status).toBe(200);
  });

  it("shows metrics to technicians only", async () => {
    const tokens = [
      { name: "anna", role: "technician" as const, sha256: sha256(TECHNICIAN_TOKEN) },
      { name: "page", role: "kiosk" as const, sha256: sha256("kiosk-token") },
    ];
    await using fixture = await startFixture({ settings: { tokens } });
    const url = `${fixture.server.httpUrl}/metrics`;
    expect((await get(url)).status).toBe(401);
    expect((await get(url, { authorization: "Bearer guess" })).status).toBe(401);
    expect((await get(url, { authorization: "Bearer kiosk-token" })).status).toBe(401);
    expect((await get(`${url}?token=${TECHNICIAN_TOKEN}`)).status).toBe(404);
    expect(await get(url, { authorization: `Bearer ${TECHNICIAN_TOKEN}` })).toMatchObject({ status: 200, text: "metrics 1\n" });
  });

  it("checks Host on every route and knows nothing else", async () => {
    await using fixture = await startFixture();
    const { port } = fixture.server;
    for (const path of ["/healthz", "/readyz", "/metrics", "/v1", "/"]) {
      expect(await rawRequest(port, `GET ${path} HTTP/1.1\r\nHost: evil.example\r\n\r\n`)).toContain("403");
    }
    expect((await get(`${fixture.server.httpUrl}/v1`)).status).toBe(404);
    expect((await get(`${fixture.server.httpUrl}/healthz/..%2f`)).status).toBe(404);
    expect(await rawRequest(port, `POST /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 0\r\n\r\n`)).toContain("404");
  });

  it("offers the rest to the extra pages, behind the same Host check", async () => {
    const extraHttp: NonNullable<Parameters<typeof startFixture>[0]>["server"] = {
      extraHttp: (request, response) => {
        if (request.url !== "/demo") return false;
        response.end("page");
        return true;
      },
    };
    await using fixture = await startFixture({ server: extraHttp });
    expect((await get(`${fixture.server.httpUrl}/demo`)).text).toBe("page");
    expect((await get(`${fixture.server.httpUrl}/other`)).status).toBe(404);
    expect(await rawRequest(fixture.server.port, "GET /demo HTTP/1.1\r\nHost: evil.example\r\n\r\n")).toContain("403");
  });
});

describe("listening", () => {
  it("says which port is busy", async () => {
    await using fixture = await startFixture();
    const { port } = fixture.server;
    await expect(startFixture({ settings: { port } })).rejects.toMatchObject({ kind: "busy", hint: expect.stringContaining(String(port)) });
  });

  it("does not leave loopback without TLS", async () => {
    await expect(startFixture({ settings: { host: "0.0.0.0", allowRemote: true } })).rejects.toMatchObject({ kind: "unsupported" });
    await expect(startFixture({ settings: { host: "192.0.2.1" } })).rejects.toMatchObject({ kind: "unsupported" });
  });

  it("serves two Unix sockets of mode 0660 with a role each, and removes them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stationd-server-"));
    try {
      const settings = { serviceSocket: join(folder, "service.sock"), technicianSocket: join(folder, "technician.sock") };
      await using fixture = await startFixture({ settings });
      const how = (socket: string): ConnectOptions => ({ socket, origin: undefined });
      expect((await stat(settings.serviceSocket)).mode & 0o777).toBe(0o660);
      expect((await stat(settings.technicianSocket)).mode & 0o777).toBe(0o660);
      expect((await fixture.connect({}, how(settings.serviceSocket))).hello.result?.role).toBe("kiosk");
      expect((await fixture.connect({}, how(settings.technicianSocket))).hello.result?.role).toBe("technician");
      // The second agent is told; its failure leaves neither port nor socket behind, and does not harm the first.
      await expect(startFixture({ settings })).rejects.toMatchObject({ kind: "busy" });
      await fixture.connect({}, how(settings.serviceSocket));
      await fixture.server.stop();
      await expect(stat(settings.serviceSocket)).rejects.toThrow("ENOENT");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("takes over a socket that nobody listens on, and never another file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stationd-server-"));
    try {
      const stale = join(folder, "stale.sock");
      const dead = createServer();
      await new Promise<void>((resolve) => dead.listen(stale, resolve));
      // As after SIGKILL: the handle goes, the file stays.
      const { rename } = await import("node:fs/promises");
      await rename(stale, `${stale}.kept`);
      await new Promise((resolve) => dead.close(resolve));
      await rename(`${stale}.kept`, stale);
      await using fixture = await startFixture({ settings: { technicianSocket: stale } });
      expect((await fixture.connect({}, { socket: stale, origin: undefined })).hello.result?.role).toBe("technician");
      const file = join(folder, "notes.txt");
      await writeFile(file, "keep");
      await expect(startFixture({ settings: { serviceSocket: file } })).rejects.toMatchObject({ kind: "busy" });
      expect((await stat(file)).size).toBe(4);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("update", () => {
  it("keeps good connections and closes those that would not be let in any more", async () => {
    const second = "https://other.example";
    await using fixture = await startFixture({ settings: { origins: [ORIGIN, second] } });
    const stays = await fixture.connect();
    const leaves = await fixture.connect({}, { origin: second });
    const technician = await fixture.connect({ token: TECHNICIAN_TOKEN });
    fixture.server.update({ ...fixture.settings, origins: [ORIGIN], tokens: [] });
    expect((await leaves.client.closed).code).toBe(1008);
    expect((await technician.client.closed).code).toBe(1008);
    expect((await stays.client.request("devices.list")).result).toBeDefined();
    await expect(fixture.open({ origin: second })).rejects.toThrow("403");
    expect(fixture.station.endedCallers.map(({ principal }) => principal).sort()).toEqual([`origin:${second}`, "token:anna"]);
  });
});

describe("stop", () => {
  it("refuses what is under way, closes with 1001, ends every session and frees the port", async () => {
    const station = fakeStation({ "printer.status": () => new Promise(() => {}) });
    const fixture = await startFixture({ station });
    const { client } = await fixture.connect();
    const waiting = client.request("printer.status", {});
    await client.request("devices.list");
    const { port } = fixture.server;
    await Promise.all([fixture.server.stop(), fixture.server.stop()]);
    expect(kindOf(await waiting)).toBe("shutting_down");
    expect((await client.closed).code).toBe(1001);
    expect(station.disconnectedCallers).toHaveLength(1);
    expect(station.endedCallers).toHaveLength(1);
    const again = await startFixture({ settings: { port } });
    await again.server.stop();
  });
});
