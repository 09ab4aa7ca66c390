import { describe, expect, it } from "vitest";
import { concatBytes } from "../kernel/bytes.js";
import { manualClock } from "../kernel/clock.js";
import type { Link } from "../kernel/link.js";
import { memoryPair } from "./memory.js";
import { record } from "./record.js";
import { replay } from "./replay.js";

const never = new AbortController().signal;
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function recorded(): Promise<string> {
  let recording = "";
  const clock = manualClock();
  const [near, far] = memoryPair();
  const link = record(near, (line) => (recording += line), clock);
  await link.write(bytes(0x10, 0x04, 0x01), never);
  await clock.advance(30);
  await far.write(bytes(0x12), never);
  await link.read(never);
  await link.write(bytes(1, 2, 3, 4), never);
  await far.write(bytes(9, 8), never);
  await link.read(never);
  await far.close();
  await link.closed;
  return recording;
}

async function readExactly(link: Link, count: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  while (concatBytes(parts).length < count) parts.push(await link.read(never));
  return concatBytes(parts);
}

describe("record and replay", () => {
  it("writes one line per frame with its time and direction", async () => {
    const lines = (await recorded()).trim().split("\n");
    expect(lines[0]).toBe('{"atMs":0,"from":"agent","base64":"EAQB"}');
    expect(lines[1]).toBe('{"atMs":30,"from":"device","base64":"Eg=="}');
    expect(lines.at(-1)).toBe('{"atMs":30,"from":"device","end":true}');
  });

  it("answers only after what was written before the answer, in any chunking", async () => {
    const link = await replay(await recorded())(never);
    await link.write(bytes(0x10), never);
    const controller = new AbortController();
    const early = expect(link.read(controller.signal)).rejects.toBeDefined();
    controller.abort();
    await early;
    await link.write(bytes(0x04, 0x01), never);
    expect(await link.read(never)).toEqual(bytes(0x12));
    await link.write(bytes(1, 2), never);
    await link.write(bytes(3, 4), never);
    expect(await readExactly(link, 2)).toEqual(bytes(9, 8));
    await expect(link.read(never)).rejects.toMatchObject({ kind: "device_absent" });
    await link.closed;
  });

  it("ends when the driver writes something else or more", async () => {
    for (const sent of [bytes(0x10, 0x05), bytes(0x10, 0x04, 0x01, 1, 2, 3, 4, 5)]) {
      const link = await replay(await recorded())(never);
      await expect(link.write(sent, never)).rejects.toMatchObject({ kind: expect.stringMatching(/device_(fault|absent)/) });
      await link.closed;
    }
  });

  it("refuses what is no recording", () => {
    for (const text of ["{", "null", '{"atMs":0,"from":"nobody","base64":""}', '{"atMs":0,"from":"agent","base64":"%"}']) {
      expect(() => replay(text)).toThrow(expect.objectContaining({ kind: "invalid_params" }));
    }
  });
});
