import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { type MethodName, methods, ROLES, type Role } from "../../src/protocol/index.js";
import { startStation, type TestStation } from "../../src/testing.js";

const KIOSK = "https://dichvucong.test";
let station: TestStation;

beforeAll(async () => {
  station = await startStation({ seed: 1, origins: [KIOSK] });
});
afterAll(() => station.stop());

/** A page as a browser connects it: the origin speaks for it, no token. */
async function page(origin: string): Promise<WebSocket> {
  const socket = new WebSocket(station.url, ["station.v1"], { origin });
  await once(socket, "open");
  return socket;
}
async function ask(socket: WebSocket, method: string, params: unknown): Promise<{ result?: unknown; error?: { data: { kind: string } } }> {
  const answer = once(socket, "message");
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
  return JSON.parse(String((await answer)[0])) as { result?: unknown; error?: { data: { kind: string } } };
}
const hello = (token?: string) => ({
  protocol: { major: 1, minor: 0 },
  client: { name: "roles", version: "1" },
  ...(token ? { token } : {}),
});

/** Names that the server answers itself are tried with what they take; the others with parameters that no method takes. */
const nonsense = { "no such field": 1 };

/** Allowed means: the role got as far as the schema, which refuses the nonsense by name. */
const verdict = (answer: { error?: { data: { kind: string } } }): "allowed" | "refused" =>
  answer.error?.data.kind === "forbidden" ? "refused" : "allowed";

const rows = (Object.keys(methods) as MethodName[]).filter((name) => name !== "session.hello");

describe.each(ROLES)("role %s", (role: Role) => {
  test("each method is refused or allowed as its schema declares", async () => {
    const socket = await page(KIOSK);
    let token: string | undefined;
    if (role === "technician") token = station.tokens.technician;
    if (role === "simulator") token = station.mintSimulatorToken();
    expect(await ask(socket, "session.hello", hello(token))).toMatchObject({ result: { role } });
    const seen = new Map<string, string>();
    for (const name of rows) seen.set(name, verdict(await ask(socket, name, nonsense)));
    const declared = new Map(rows.map((name) => [name, (methods[name].roles as readonly Role[]).includes(role) ? "allowed" : "refused"]));
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(declared));
    socket.close();
  });
});

test("what only a technician may do inside a method that the page may call is refused to the page", async () => {
  const socket = await page(KIOSK);
  await ask(socket, "session.hello", hello());
  const raw = { blocks: [{ type: "raw", base64: "G0A=" }] };
  const print = { device: "receipt", document: raw, idempotencyKey: "roles-00000001" };
  expect(await ask(socket, "printer.print", print)).toMatchObject({ error: { data: { kind: "forbidden" } } });
  expect(await ask(socket, "devices.release", { device: "receipt", force: true })).toMatchObject({
    error: { data: { kind: "forbidden" } },
  });
  expect(await ask(socket, "events.subscribe", { topics: ["simulators"] })).toMatchObject({ error: { data: { kind: "forbidden" } } });
  socket.close();
});

test.each([
  ["a foreign page", { origin: "https://evil.test" }],
  ["a sandboxed page", { origin: "null" }],
  ["the kiosk's site without TLS", { origin: "http://dichvucong.test" }],
  ["a site whose name begins like the kiosk's", { origin: `${KIOSK}.evil.test` }],
])("%s gets no socket at all", async (_who, options) => {
  const socket = new WebSocket(station.url, ["station.v1"], options);
  const [error] = await once(socket, "error");
  expect(String(error)).toMatch(/Unexpected server response: 403/);
});

test("a local process without origin gets no role without a token", async () => {
  const socket = new WebSocket(station.url, ["station.v1"]);
  await once(socket, "open");
  expect(await ask(socket, "session.hello", hello())).toMatchObject({ error: { data: { kind: "unauthorized" } } });
  socket.close();
});

const root = process.getuid?.() === 0;
if (!root) console.warn("SKIPPED: a process of another user needs root to be started");
test.skipIf(!root)("a process of another user that forges the kiosk's origin is refused where the kiosk's user is configured", async () => {
  await using guarded = await startStation({ seed: 2, origins: [KIOSK], kioskUids: [0] });
  const { host, port } = new URL(guarded.url);
  // The shell's own sockets: another user may not be able to read this Node or this folder.
  const upgrade = [
    "GET /v1 HTTP/1.1",
    `Host: ${host}`,
    `Origin: ${KIOSK}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: station.v1",
  ];
  const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf '%s\\r\\n' ${upgrade.map((line) => `'${line}'`).join(" ")} '' >&3; head -n 1 <&3`;
  const tryAs = async (uid: number): Promise<string> => {
    const child = spawn("/bin/bash", ["-c", script], { uid, gid: uid, cwd: "/", stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (bytes) => {
      said += String(bytes);
    });
    await once(child, "close");
    return said.trim();
  };
  expect(await tryAs(0)).toMatch(/^HTTP\/1.1 101/);
  expect(await tryAs(65_534)).toMatch(/^HTTP\/1.1 403/);
});
