import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Json } from "../kernel/errors.js";
import { Secret } from "../kernel/secret.js";
import { requestHmac } from "./request-hmac.js";
import { stationKey } from "./station-key.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stationd-key-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the station's key", () => {
  test("is made once, whole, for its owner alone, and found again", async () => {
    const state = join(folder, "state");
    const keys = await Promise.all(Array.from({ length: 8 }, () => stationKey(state)));
    const texts = new Set(keys.map((key) => Buffer.from(key.reveal()).toString("hex")));
    expect(texts.size).toBe(1);
    expect(keys[0]?.reveal()).toHaveLength(32);
    expect(readdirSync(state)).toEqual(["station.key"]);
    expect(statSync(join(state, "station.key")).mode & 0o777).toBe(0o600);
    expect((await stationKey(state)).reveal()).toEqual(keys[0]?.reveal());
    expect(`${keys[0]}`).toBe("[secret]");
  });

  test("a damaged one is refused and not replaced", async () => {
    writeFileSync(join(folder, "station.key"), "short");
    await expect(stationKey(folder)).rejects.toMatchObject({ kind: "journal_unavailable", hint: expect.stringContaining("damaged") });
    expect(statSync(join(folder, "station.key")).size).toBe(5);
  });

  test("a folder that cannot be is refused with a hint", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(stationKey(join(folder, "file", "state"))).rejects.toMatchObject({
      kind: "journal_unavailable",
      hint: expect.stringContaining("state folder"),
    });
  });
});

describe("the HMAC of a request", () => {
  const key = new Secret(new Uint8Array(32).fill(7));

  test("is the one that openssl computes", () => {
    // printf 'printer.print\n{"a":[1,{"b":null,"c":"é"}],"z":true}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…
    expect(requestHmac(key, "printer.print", { z: true, a: [1, { c: "é", b: null }] })).toBe(
      "6790ae28572f1e8c02d63cc2795cbd6a812c8df369aa64b6a18325678c653b7f",
    );
  });

  test("does not depend on the order of members, and on everything else", () => {
    const reversed = (value: Json): Json => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, member]) => [name, reversed(member as Json)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const left = requestHmac(key, "m", a as Json);
        expect(requestHmac(key, "m", reversed(a as Json))).toBe(left);
        expect(requestHmac(key, "n", a as Json)).not.toBe(left);
        expect(requestHmac(new Secret(new Uint8Array(32)), "m", a as Json)).not.toBe(left);
        const same = JSON.stringify(sorted(a as Json)) === JSON.stringify(sorted(b as Json));
        expect(requestHmac(key, "m", b as Json) === left).toBe(same);
      }),
      { numRuns: 200 },
    );
  });
});

function sorted(value: Json): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  // Pairs, because an object would put number-like names first again.
  return {
    pairs: Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member as Json)]),
  };
}
