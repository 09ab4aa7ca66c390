import fc from "fast-check";
import { expect, it } from "vitest";
import { fromHex, toHex } from "../../src/kernel/bytes.js";
import { manualClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { createHost, settle } from "../testing.js";
import { hidScanner } from "./index.js";

function plugged(options: unknown = {}) {
  const simulator = hidScanner.create(hidScanner.options.parse(options), {
    clock: manualClock(),
    random: seededRandom(1),
    changed() {},
  });
  let host = createHost();
  const plugIn = (): void => {
    host = createHost();
    simulator.attach(host.farEnd);
  };
  plugIn();
  const act = async (name: string, params: unknown = {}): Promise<void> => {
    const action = simulator.actions[name];
    await action?.act(action.params.parse(params));
    await settle();
  };
  /** Frames as [type, report in hex]. */
  const took = (): [number, string][] => {
    const bytes = host.take();
    const frames: [number, string][] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = (bytes[at + 1] ?? 0) * 256 + (bytes[at + 2] ?? 0);
      frames.push([bytes[at] ?? 0, toHex(bytes.subarray(at + 3, at + 3 + length))]);
      at += 3 + length;
    }
    return frames;
  };
  const tell = async (hex: string): Promise<void> => {
    host.send(fromHex(hex));
    await settle();
  };
  /** The host looks at the device; what it is told is not looked at. */
  const greet = async (): Promise<void> => {
    await tell("05 0000");
    took();
  };
  return { simulator, act, took, tell, greet, plugIn, host: () => host };
}

it("tells its descriptor first, and what it is shown in reports of its maker's layout", async () => {
  const { act, took, tell } = plugged();
  await act("scan", { text: "TOO EARLY" });
  expect(took()).toEqual([]);
  await tell("05 0000");
  expect(took()).toEqual([[1, expect.stringMatching(/^058c0902a101/)]]);
  await act("scan", { text: "Ạ1", fragments: [1], symbology: "]C0" });
  const report = (count: string, data: string, more: string): [number, string] => [
    2,
    `02${count}5d4330${data.padEnd(112, "0")}7300${more}`,
  ];
  expect(took()).toEqual([report("01", "e1", "01"), report("03", "baa031", "00")]);
});

it("in triggered mode keeps a code in view until its own trigger comes", async () => {
  const { act, took, tell, greet, simulator } = plugged({ mode: "triggered" });
  await greet();
  await act("scan", { text: "LATER" });
  await tell("03 0002 0402");
  expect(took()).toEqual([]);
  await tell("03 0002 0404");
  expect(took()).toHaveLength(1);
  expect(simulator.state()).toMatchObject({ outputReports: 2, lastOutput: "0404", unknownReports: 0 });
});

it("sends codes to its keyboard until it is redirected, and may leave the bus then", async () => {
  const { act, took, tell, greet, plugIn, host } = plugged({ redirect: "re-enumerate" });
  await greet();
  await act("scan", { text: "LOST" });
  expect(took()).toEqual([]);
  await tell("04 0002 fe01");
  expect(host().ended).toBe(true);
  plugIn();
  await greet();
  await act("scan", { text: "SEEN" });
  expect(took()).toHaveLength(1);
  await tell("04 0002 fe01");
  expect(host().ended).toBe(false);
});

it("types as a keyboard does, with Enter at the end", async () => {
  const { act, took, tell } = plugged({ model: "keyboard" });
  await tell("05 0000");
  expect(took()[0]?.[1]).toMatch(/^05010906a101/);
  await act("scan", { text: "Hồ" });
  expect(took().map(([, report]) => report)).toEqual([
    `02000b${"00".repeat(5)}`,
    "00".repeat(8),
    `000028${"00".repeat(5)}`,
    "00".repeat(8),
  ]);
});

it("garbage, endless and wrong lengths go out as such, and a pulled cable carries nothing", async () => {
  const { act, took, greet, simulator } = plugged();
  await greet();
  await act("garbage", { reports: 5 });
  await act("endless", { reports: 3 });
  await act("wrongLength", { kind: "short" });
  await act("wrongLength", { kind: "long" });
  await act("wrongLength", { kind: "count" });
  const frames = took();
  expect(frames).toHaveLength(11);
  expect(frames.slice(5, 8).every(([, report]) => report.endsWith("01"))).toBe(true);
  expect(frames.slice(8).map(([, report]) => report.length / 2)).toEqual([9, 264, 64]);
  await act("unplug");
  await act("scan", { text: "SECRET" });
  expect(took()).toEqual([]);
  expect(JSON.stringify(simulator.state())).not.toContain("SECRET");
});

it("any bytes from the host in any chunks: it goes on working", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { maxLength: 20 }), async (chunks) => {
      const { simulator, act, took, greet, host } = plugged();
      await greet();
      for (const chunk of chunks) host().send(chunk);
      await settle();
      took();
      await act("scan", { text: "STILL" });
      expect(took()).toHaveLength(1);
      await simulator.close();
    }),
    { numRuns: 40 },
  );
});
