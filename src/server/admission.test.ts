import { describe, expect, it } from "vitest";
import { manualClock } from "../kernel/clock.js";
import {
  admissionRules,
  identityOf,
  isLoopback,
  printableOrigin,
  refuseHost,
  refuseOrigin,
  refusePeer,
  refuseTarget,
  type UpgradeFacts,
} from "./admission.js";
import { CONNECTION_LIMITS, createBudget, createFailures, peerOf } from "./budget.js";
import { sha256 } from "./fixture.js";
import { encodeTextFrames } from "./frames.js";
import { findUid, parseSockets } from "./peer-uid.js";
import type { ServerSettings } from "./settings.js";
import { bearerRole, findToken } from "./tokens.js";

const settings: ServerSettings = {
  host: "127.0.0.1",
  port: 7870,
  origins: ["https://kiosk.example.vn", "http://127.0.0.1:8080", "http://kiosk.example.vn", "null"],
  hosts: ["Station.Local:7870"],
  kioskUids: [],
  allowRemote: false,
  tls: undefined,
  serviceSocket: undefined,
  technicianSocket: undefined,
  tokens: [],
};
const rules = admissionRules(settings, 7870);
const facts = (change: Partial<UpgradeFacts> = {}): UpgradeFacts => ({
  door: "tcp",
  hosts: ["127.0.0.1:7870"],
  origins: ["https://kiosk.example.vn"],
  subprotocols: ["station.v1"],
  path: "/v1",
  loopback: true,
  ...change,
});

describe("Host", () => {
  it.each(["127.0.0.1:7870", "localhost:7870", "LOCALHOST:7870", "[::1]:7870", "station.local:7870"])("lets %s in", (host) => {
    expect(refuseHost("tcp", [host], rules)).toBeUndefined();
  });
  it.each([
    [["evil.example:7870"]],
    [["127.0.0.1"]],
    [["127.0.0.1:7871"]],
    [["127.0.0.1.nip.io:7870"]],
    [[""]],
    [[]],
    [["127.0.0.1:7870", "evil.example"]],
    [["127.0.0.1:7870 "]],
  ])("refuses %j", (hosts) => {
    expect(refuseHost("tcp", hosts, rules)?.reason).toBe("host");
  });
  it("accepts no default port but where it is listened on", () => {
    expect(refuseHost("tcp", ["127.0.0.1"], admissionRules(settings, 80))).toBeUndefined();
  });
});

describe("Origin", () => {
  it.each(["https://kiosk.example.vn", "http://127.0.0.1:8080"])("lets %s in", (origin) => {
    expect(refuseOrigin(facts({ origins: [origin] }), rules)).toBeUndefined();
  });
  it.each([
    "https://kiosk.example.vn.evil.example",
    "https://evil.example",
    "https://KIOSK.example.vn",
    "https://kiosk.example.vn/",
    "https://kiosk.example.vn:443",
    "http://kiosk.example.vn",
    "http://127.0.0.1:7870",
    "",
    "constructor",
  ])("refuses %s", (origin) => {
    expect(refuseOrigin(facts({ origins: [origin] }), rules)?.reason).toBe("origin");
  });
  it("refuses null though it is listed, and two origins", () => {
    expect(refuseOrigin(facts({ origins: ["null"] }), rules)?.reason).toBe("origin_null");
    expect(refuseOrigin(facts({ origins: ["https://kiosk.example.vn", "https://evil.example"] }), rules)?.reason).toBe("origin");
  });
  it("lets a missing one pass without an identity", () => {
    expect(refuseOrigin(facts({ origins: [] }), rules)).toBeUndefined();
    expect(identityOf(facts({ origins: [] }))).toBeUndefined();
    expect(identityOf(facts())).toEqual({ principal: "origin:https://kiosk.example.vn", role: "kiosk" });
  });
  it("prints only what is an origin", () => {
    expect(printableOrigin("https://evil.example")).toBe("https://evil.example");
    expect(printableOrigin("https://evil.example/Nguyễn")).toBeUndefined();
    expect(printableOrigin("null")).toBeUndefined();
  });
});

describe("peer and target", () => {
  const guarded = admissionRules({ ...settings, kioskUids: [1000] }, 7870);
  it("asks for a listed uid where uids are listed", () => {
    expect(refusePeer(facts(), undefined, rules)).toBeUndefined();
    expect(refusePeer(facts(), 1000, guarded)).toBeUndefined();
    expect(refusePeer(facts(), 0, guarded)?.reason).toBe("peer_uid");
    expect(refusePeer(facts(), undefined, guarded)?.reason).toBe("peer_uid");
    expect(refusePeer(facts({ door: "service" }), undefined, guarded)).toBeUndefined();
  });
  it("asks for the subprotocol and the path", () => {
    expect(refuseTarget(facts({ subprotocols: ["other", "station.v1"] }))).toBeUndefined();
    expect(refuseTarget(facts({ subprotocols: ["station.v2"] }))?.reason).toBe("subprotocol");
    expect(refuseTarget(facts({ path: "/v1/" }))?.reason).toBe("path");
    expect(refuseTarget(facts({ path: "http://127.0.0.1:7870/v1" }))?.reason).toBe("path");
  });
  it("knows loopback", () => {
    expect(["127.0.0.1", "::1", "localhost", "::ffff:127.0.0.1", "[::1]"].every(isLoopback)).toBe(true);
    expect(["0.0.0.0", "::", "192.168.1.2", "127.0.0.1.evil.example", "localhost.evil.example"].some(isLoopback)).toBe(false);
  });
});

describe("peer uid", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1EBE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:1EBE 01 00000000:00000000 00:00000000 00000000  1000        0 12 1 0 20 4 30 10 -1
   2: 0100007F:1EBE 0100007F:C350 01 00000000:00000000 00:00000000 00000000   999        0 13 1 0 20 4 30 10 -1
   3: 0100007F:C351 0100007F:1EBE 06 00000000:00000000 03:00000B2A 00000000     0        0 0 3 0
   4: 0000000000000000FFFF00000100007F:C352 0000000000000000FFFF00000100007F:1EBE 01 00000000:00000000 00:00000000 00000000  1001 0 14
   5: 00000000000000000000000001000000:C353 00000000000000000000000001000000:1EBE 01 00000000:00000000 00:00000000 00000000  1002 0 15`;
  const sockets = parseSockets(table);
  const server = { address: "127.0.0.1", port: 7870 };
  it("is that of the client's end, not of the server's", () => {
    expect(findUid(sockets, { address: "127.0.0.1", port: 50_000 }, server)).toBe(1000);
  });
  it("is unknown for a socket in TIME_WAIT, whose row says root", () => {
    expect(findUid(sockets, { address: "127.0.0.1", port: 50_001 }, server)).toBeUndefined();
  });
  it("is found for IPv4 in IPv6 and for IPv6", () => {
    expect(findUid(sockets, { address: "127.0.0.1", port: 50_002 }, server)).toBe(1001);
    expect(findUid(sockets, { address: "::1", port: 50_003 }, { address: "::1", port: 7870 })).toBe(1002);
  });
});

describe("budget", () => {
  const isSlot = (taken: unknown): taken is Disposable => typeof taken !== "string";
  it("leaves the kiosk its slots whatever other uids and clients without an Origin take", () => {
    const clock = manualClock();
    const budget = createBudget(clock);
    const take = (origin: string | undefined, uid: number, times: number): number =>
      Array.from({ length: times }, () => budget.take({ origin, peer: peerOf(uid, "127.0.0.1") })).filter(isSlot).length;
    expect(take(undefined, 33, 100)).toBe(CONNECTION_LIMITS.perOriginAndUid);
    expect(take("https://kiosk.example.vn", 33, 100)).toBe(CONNECTION_LIMITS.perUid - CONNECTION_LIMITS.perOriginAndUid);
    expect(take(undefined, 34, 100)).toBe(CONNECTION_LIMITS.withoutOrigin - CONNECTION_LIMITS.perOriginAndUid);
    expect(take("https://kiosk.example.vn", 1000, 5)).toBe(5);
  });
  it("counts whom the kernel does not know by the address: one that floods leaves the others their attempts", () => {
    const budget = createBudget(manualClock());
    const take = (address: string): unknown => {
      const slot = budget.take({ origin: undefined, peer: peerOf(undefined, address) });
      if (isSlot(slot)) slot[Symbol.dispose]();
      return slot;
    };
    for (let index = 0; index < 200; index++) take("192.168.1.9");
    expect(take("192.168.1.9")).toBe("too_many_attempts");
    expect(isSlot(take("192.168.1.10"))).toBe(true);
  });
  it("gives a slot back once", () => {
    const budget = createBudget(manualClock());
    const slots = Array.from({ length: CONNECTION_LIMITS.perOriginAndUid }, () => budget.take({ origin: "a", peer: "uid 1" })).filter(
      isSlot,
    );
    expect(budget.take({ origin: "a", peer: "uid 1" })).toBe("too_many_connections");
    slots[0]?.[Symbol.dispose]();
    slots[0]?.[Symbol.dispose]();
    expect(isSlot(budget.take({ origin: "a", peer: "uid 1" }))).toBe(true);
    expect(budget.take({ origin: "a", peer: "uid 1" })).toBe("too_many_connections");
  });
  it("limits attempts and forgives with time", async () => {
    const clock = manualClock();
    const budget = createBudget(clock);
    const attempt = () => {
      const taken = budget.take({ origin: "a", peer: "uid 1" });
      if (isSlot(taken)) taken[Symbol.dispose]();
      return taken;
    };
    for (let index = 0; index < 120; index++) expect(isSlot(attempt())).toBe(true);
    expect(attempt()).toBe("too_many_attempts");
    await clock.advance(1_000);
    expect(isSlot(attempt())).toBe(true);
  });
});

describe("failed tokens", () => {
  it("of one peer are enough after ten, and are forgiven with time; no other peer is concerned", async () => {
    const clock = manualClock();
    const failures = createFailures(clock);
    const [guesser, anna] = [peerOf(33, "127.0.0.1"), peerOf(1000, "127.0.0.1")];
    for (let index = 0; index < 10; index++) {
      expect(failures.tooMany(guesser)).toBe(false);
      failures.count(guesser);
    }
    expect([failures.tooMany(guesser), failures.tooMany(anna)]).toEqual([true, false]);
    await clock.advance(10_000);
    expect(failures.tooMany(guesser)).toBe(false);
    failures.count(guesser);
    expect(failures.tooMany(guesser)).toBe(true);
  });
  it("are counted by address where the kernel tells no user", () => {
    expect(peerOf(undefined, "192.168.1.9")).not.toBe(peerOf(undefined, "192.168.1.10"));
    expect(peerOf(0, undefined)).not.toBe(peerOf(undefined, "0"));
  });
});

describe("tokens", () => {
  const tokens = [
    { name: "a", role: "technician" as const, sha256: sha256("right") },
    { name: "b", role: "kiosk" as const, sha256: sha256("other") },
    { name: "broken", role: "technician" as const, sha256: "" },
  ];
  it("are found by their hash", () => {
    expect(findToken("right", tokens)?.name).toBe("a");
    expect(findToken("wrong", tokens)).toBeUndefined();
    expect(findToken("", tokens)).toBeUndefined();
  });
  it("come as a bearer", () => {
    expect(bearerRole("Bearer right", tokens)).toBe("technician");
    expect(bearerRole("Basic right", tokens)).toBeUndefined();
    expect(bearerRole(undefined, tokens)).toBeUndefined();
  });
});

describe("text frames", () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])("have the shortest header for %i bytes", (length) => {
    const frame = encodeTextFrames(["x".repeat(length)]);
    const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    expect(frame.length).toBe(header + length);
    expect(frame[0]).toBe(0x81);
    const told = header === 2 ? frame[1] : header === 4 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
    expect(told).toBe(length);
  });
  it("count bytes, not characters", () => {
    const text = "Nguyễn Thị Ánh 🎉 ".repeat(10);
    const frame = encodeTextFrames([text, text]);
    const bytes = Buffer.byteLength(text);
    expect(frame.subarray(4, 4 + bytes).toString()).toBe(text);
    expect(frame.subarray(8 + bytes).toString()).toBe(text);
  });
});
