import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { share } from "./plan.js";
import { decoders, NOT_DRIVEN } from "./table.js";

/** Rooms in which bytes and texts from outside are read. */
const ROOMS = ["formats", "emrtd", "citizen-id", "drivers", "transports", "protocol", "server", "imaging", "config", "trust"];
/** A function whose name says that it reads, and which takes bytes, text or anything at all. */
const READS =
  /export function (?:decode|parse|read|split|unseal|mask|recognise|keyPositions|create\w*(?:Framer|Reader|Sorter))\w*\([^)]*(?:Uint8Array|string|unknown|Buffer)/;

const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const driven = new Set(decoders.flatMap(({ files }) => files));

test("every file that decodes what comes from outside is driven, or listed with its reason", () => {
  const found = sources
    .filter((file) => ROOMS.some((room) => file.startsWith(`${room}/`)) && !/\.test\.|\/testing\//.test(file))
    .filter((file) => READS.test(readFileSync(`src/${file}`, "utf8")));
  expect(found.length).toBeGreaterThan(40);
  expect(found.filter((file) => !driven.has(file) && NOT_DRIVEN[file] === undefined)).toEqual([]);
});

test("what the table names is there, once, and has its share", () => {
  expect([...driven, ...Object.keys(NOT_DRIVEN)].filter((file) => !sources.includes(file))).toEqual([]);
  expect(new Set(decoders.map(({ name }) => name)).size).toBe(decoders.length);
  const parts = share(3_000_000, decoders);
  expect(parts.filter(({ from, to }) => to <= from)).toEqual([]);
  const total = parts.reduce((sum, { from, to }) => sum + to - from, 0);
  expect(Math.abs(total - 3_000_000)).toBeLessThan(decoders.length);
});
