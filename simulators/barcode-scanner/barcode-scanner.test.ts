import fc from "fast-check";
import { expect, it } from "vitest";
import { asciiBytes, concatBytes, fromHex } from "../../src/kernel/bytes.js";
import { manualClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { createHost, settle } from "../testing.js";
import { barcodeScanner } from "./index.js";

function plugged(options: unknown = {}) {
  const simulator = barcodeScanner.create(barcodeScanner.options.parse(options), {
    clock: manualClock(),
    random: seededRandom(1),
    changed() {},
  });
  const host = createHost();
  simulator.attach(host.farEnd);
  const act = async (name: string, params: unknown = {}): Promise<void> => {
    const action = simulator.actions[name];
    await action?.act(action.params.parse(params));
    await settle();
  };
  const took = (): string => Buffer.from(host.take()).toString("utf8");
  return { simulator, host, act, took };
}

it("sends what it is shown, with its terminator and, if set so, its AIM identifier", async () => {
  const { act, took } = plugged();
  await act("scan", { text: "Hồ sơ 1" });
  expect(took()).toBe("Hồ sơ 1\r");
  await act("scan", { text: "X", terminator: "crlf" });
  expect(took()).toBe("X\r\n");
  const aim = plugged({ aimPrefix: true, terminator: "hex:0304" });
  await aim.act("scan", { text: "X", symbology: "]C0" });
  expect(aim.took()).toBe("]C0X\u0003\u0004");
});

it("in triggered mode keeps a code in view until Honeywell's or Newland's trigger comes", async () => {
  for (const on of ["16540d", "7e01 30303030 40 5343414e5447 3b03"]) {
    const { host, act, took } = plugged({ mode: "triggered" });
    await act("scan", { text: "LATER" });
    expect(took()).toBe("");
    host.send(fromHex(on));
    await settle();
    if (on === "16540d") expect(took()).toContain("LATER\r");
  }
});

it("duplicates and garbage go out as such, and a pulled wire carries nothing", async () => {
  const { simulator, act, took } = plugged();
  await act("scan", { text: "A" });
  await act("duplicate", { times: 2 });
  expect(took()).toBe("A\rA\rA\r");
  await act("garbage", { bytes: 20 });
  expect(took().length).toBeGreaterThan(0);
  await act("unplug");
  await act("scan", { text: "B" });
  expect(took()).toBe("");
  expect(JSON.stringify(simulator.state())).not.toContain('"A"');
});

it("any bytes from the host in any chunks: it goes on working", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { maxLength: 20 }), async (chunks) => {
      const { simulator, host, act, took } = plugged();
      for (const chunk of chunks) host.send(chunk);
      host.send(concatBytes([asciiBytes(";"), Uint8Array.of(3)]));
      await settle();
      took();
      await act("scan", { text: "STILL" });
      expect(took()).toContain("STILL\r");
      await simulator.close();
    }),
    { numRuns: 40 },
  );
});
