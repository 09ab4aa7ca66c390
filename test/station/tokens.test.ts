import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { sha256 } from "../../src/server/fixture.js";
import { faultRow } from "../support/fault.js";
import { type InAFolder, inAFolder } from "./station-in-a-folder.js";

const CONFIGURED = "configured-token-0123456789abcdef";
let station: InAFolder;
beforeAll(async () => {
  station = await inAFolder({ tokens: [{ name: "monitoring", role: "technician", sha256: sha256(CONFIGURED) }] });
});
afterAll(() => station.stop());

const add = async (name: string, ...more: string[]): Promise<string> => {
  const { code, out } = await station.stationd("token", "add", name, ...more);
  expect(code).toBe(0);
  return out.trim();
};
const refused = (token: string): Promise<unknown> =>
  station.connect({ token }).then(
    () => "let in",
    (error: { kind: string }) => error.kind,
  );

/** A connection that is watched for its end. */
async function session(token: string): Promise<{ readonly closed: Promise<number>; readonly socket: WebSocket }> {
  const socket = new WebSocket(station.agent.url, ["station.v1"]);
  const closed = once(socket, "close").then(([code]) => code as number);
  await once(socket, "open");
  const answer = once(socket, "message");
  const params = { protocol: { major: 1, minor: 0 }, client: { name: "t", version: "1" }, token };
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "session.hello", params }));
  expect(JSON.parse(String((await answer)[0]))).toHaveProperty("result");
  return { closed, socket };
}

test("a token is shown once, works at once without a restart, and is nowhere in the clear", async () => {
  const secret = await add("anna", "--expires", "90d");
  expect(secret).toMatch(/^stn_[\w-]{43}$/);
  const client = await station.connect({ token: secret });
  expect(client.hello.role).toBe("technician");
  const file = await readFile(join(station.folder, "tokens.toml"), "utf8");
  expect(file).toContain(sha256(secret));
  const audit = await readFile(join(station.folder, "audit-command-000001.jsonl"), "utf8");
  const { out } = await station.stationd("token", "list");
  const listed = await station.stationd("token", "list", "--json");
  for (const text of [file, audit, out, listed.out]) expect(text).not.toContain(secret.slice(4));
  for (const text of [audit, out, listed.out]) expect(text).not.toContain(sha256(secret));
  for (const line of out.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
  const { tokens } = JSON.parse(listed.out) as { tokens: Record<string, unknown>[] };
  expect(tokens).toMatchObject([
    { name: "anna", role: "technician", source: "file", expired: false, lastUsed: expect.stringContaining("T") },
    { name: "monitoring", source: "config" },
  ]);
});

test("a token of the file stands beside those of the configuration, and takes nobody's name", async () => {
  expect((await station.connect({ token: CONFIGURED })).hello.role).toBe("technician");
  expect((await station.connect({ token: await add("display", "--role", "kiosk") })).hello.role).toBe("kiosk");
  for (const name of ["display", "monitoring"]) {
    expect(await station.stationd("token", "add", name)).toMatchObject({ code: 1, out: "", note: expect.stringContaining("rotate") });
  }
  expect((await station.stationd("token", "add", "an na")).code).toBe(1);
  expect((await station.stationd("token", "revoke", "monitoring")).note).toContain("[[server.tokens]]");
  expect((await station.stationd("token", "revoke", "nobody")).code).toBe(1);
});

faultRow({
  device: "agent",
  fault: "A token is revoked",
  sees: "its sessions end; `unauthorized` afterwards",
  does: "closes them without a restart, and nobody else's",
  bounds: ["tokens"],
});
test("a revoked token's sessions are closed, and it opens no other; everybody else stays", async () => {
  const [lost, kept] = [await session(await add("bert")), await session(CONFIGURED)];
  const again = await add("carla");
  expect(await station.stationd("token", "revoke", "bert")).toMatchObject({ code: 0 });
  expect(await lost.closed).toBe(1008);
  await station.stationd("token", "revoke", "carla");
  expect(await refused(again)).toBe("unauthorized");
  expect(kept.socket.readyState).toBe(WebSocket.OPEN);
  kept.socket.close();
});

test("a token is replaced by its successor: both are valid for the time of grace, then the old one is closed", async () => {
  const old = await session(await add("dora"));
  const { out } = await station.stationd("token", "rotate", "dora", "--grace", "30m");
  const successor = await session(out.trim());
  const listed = JSON.parse((await station.stationd("token", "list", "--json")).out) as { tokens: { name: string; expires?: string }[] };
  expect(listed.tokens.filter(({ name }) => name === "dora").map(({ expires }) => expires !== undefined)).toEqual([true, false]);
  expect([old.socket.readyState, successor.socket.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
  station.time.aheadMs = 31 * 60_000;
  expect(await old.closed).toBe(1008);
  expect(successor.socket.readyState).toBe(WebSocket.OPEN);
  expect((await station.connect({ token: out.trim() })).hello.role).toBe("technician");
  successor.socket.close();
});

test("making and revoking is in the audit log, as the command did it and as the agent saw it", async () => {
  const { out } = await station.stationd("audit", "--json");
  const { ok, entries } = JSON.parse(out) as { ok: boolean; entries: { who: string; what: string; detail?: string; uid?: number }[] };
  expect(ok).toBe(true);
  const of = (name: string) => entries.filter(({ detail }) => detail === name).map(({ who, what }) => `${who} ${what}`);
  expect(of("bert").sort()).toEqual(["agent token.came", "agent token.went", "command token.added", "command token.revoked"]);
  expect(of("dora")).toContain("command token.rotated");
  expect(entries.find(({ who }) => who === "command")?.uid).toBe(Number(process.env.SUDO_UID ?? process.getuid?.()));
});
