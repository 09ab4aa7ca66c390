import { describe, expect, it } from "vitest";
import { concatBytes } from "../kernel/bytes.js";
import { manualClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Link } from "../kernel/link.js";
import { createTap } from "../kernel/tap.js";
import { memoryPair } from "./memory.js";
import { recordingLines, tapped } from "./record.js";
import { replay } from "./replay.js";

const never = new AbortController().signal;
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function recorded(): Promise<string> {
  let recording = "";
  const clock = manualClock();
  const tap = createTap();
  const line = recordingLines(clock);
  using _ = tap.listen((passed) => {
    recording += line(passed);
  });
  const [near, far] = memoryPair();
  const link = await tapped(async () => near, tap)(never);
  await link.write(bytes(0x10, 0x04, 0x01), never);
  await clock.advance(30);
  await far.write(bytes(0x12), never);
  await link.read(never);
  await link.write(bytes(1, 2, 3, 4), never);
  await far.write(bytes(9, 8), never);
  await far.close();
  // What came before the end is read after it.
  await link.closed;
  await link.read(never);
  await link.read(never).catch(() => {});
  return recording;
}

async function readExactly(link: Link, count: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  while (concatBytes(parts).length < count) parts.push(await link.read(never));
  return concatBytes(parts);
}

describe("record and replay", () => {
  it("writes one line per frame with its time and direction, the end at the end", async () => {
    const lines = (await recorded()).trim().split("\n");
    expect(lines.slice(0, 4)).toEqual([
      '{"atMs":0,"from":"agent","what":"open"}',
      '{"atMs":0,"from":"device","what":"opened bytes"}',
      '{"atMs":0,"from":"agent","base64":"EAQB"}',
      '{"atMs":30,"from":"device","base64":"Eg=="}',
    ]);
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ from: "device", what: expect.stringMatching(/^end \{"kind":"device_absent"/) });
  });

  it("answers only after what was written before the answer, in any chunking", async () => {
    const link = await replay<Link>(await recorded())(never);
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

  it("takes as long as the device did, unless the agent is faster", async () => {
    const clock = manualClock();
    const link = await replay<Link>(await recorded(), { clock })(never);
    await link.write(bytes(0x10, 0x04, 0x01), never);
    const heard: Uint8Array[] = [];
    const reading = link.read(never).then((chunk) => heard.push(chunk));
    await clock.advance(29);
    expect(heard).toEqual([]);
    await clock.advance(1);
    await reading;
    const faster = await replay<Link>(await recorded(), { clock })(never);
    await faster.write(bytes(0x10, 0x04, 0x01, 1, 2, 3, 4), never);
    expect(await readExactly(faster, 3)).toEqual(bytes(0x12, 9, 8));
  });

  it("says where the driver writes something else or more, and ends", async () => {
    for (const [sent, where] of [
      [bytes(0x10, 0x05), "line 3: byte 2"],
      [bytes(0x10, 0x04, 0x01, 1, 2, 3, 4, 5), "after the end of the recording"],
    ] as const) {
      const told: string[] = [];
      const connect = replay<Link>(await recorded(), { diverged: ({ message }) => void told.push(message) });
      const link = await connect(never);
      const reading = readExactly(link, 9).catch((thrown: unknown) => thrown);
      await expect(link.write(sent, never)).rejects.toMatchObject({ kind: "device_fault", message: expect.stringContaining(where) });
      await link.closed;
      expect(await reading).toBeInstanceOf(DeviceError);
      expect(told).toEqual([expect.stringContaining(where)]);
      await expect(connect(never)).rejects.toMatchObject({ kind: "device_fault", message: told[0] });
    }
  });

  it("costs nothing while nobody listens", async () => {
    const tap = createTap();
    const [near] = memoryPair();
    await tapped(async () => near, tap)(never);
    expect(tap.tell).toBeUndefined();
    using _ = tap.listen(() => {});
    expect(tap.tell).toBeDefined();
  });

  it("refuses what is no recording, naming the line", () => {
    for (const text of ["{", "null", '{"atMs":0,"from":"nobody","base64":""}', '{"atMs":0,"from":"agent","base64":"%"}']) {
      expect(() => replay(text)).toThrow(expect.objectContaining({ kind: "invalid_params", message: expect.stringContaining("line 1") }));
    }
  });
});
