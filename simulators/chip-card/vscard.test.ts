import { expect, it } from "vitest";
import { toHex } from "../../src/kernel/bytes.js";
import { manualClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { chipCard } from "./index.js";
import { serveVscard } from "./vscard.js";

const u32 = (...values: number[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.of(value >>> 24, value >>> 16, value >>> 8, value)));

it("greets the reader, lays the card there, answers it, and takes it away", async () => {
  const said: Buffer[] = [];
  const heard: Buffer[] = [];
  let wake = (): void => {};
  const ending = new AbortController();
  const never = new Promise<void>(() => {});
  const card = chipCard.create(chipCard.options.parse({}), { clock: manualClock(), random: seededRandom(3), changed() {} });
  const act = async (name: string, params: object = {}): Promise<void> => {
    const action = card.actions[name];
    await action?.act(action.params.parse(params));
  };
  const told = async (count: number): Promise<Buffer> => {
    while (said.length < count) await new Promise((resolve) => setImmediate(resolve));
    return said[count - 1] ?? Buffer.of();
  };
  const { greet } = serveVscard(
    card,
    {
      closed: never,
      async close() {},
      async write(bytes) {
        said.push(Buffer.from(bytes));
      },
      async read(signal) {
        while (heard.length === 0 && !signal.aborted)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        signal.throwIfAborted();
        return heard.shift() ?? Buffer.of();
      },
    },
    ending.signal,
  );
  await greet();
  expect(toHex(await told(1))).toBe("00000001ffffffff0000000c" + "56534344" + "00000002" + "00000000");
  expect((await told(2)).subarray(0, 12)).toEqual(u32(3, 0xffffffff, 9));
  await act("insert", { person: "A" });
  const atr = await told(3);
  expect(atr.subarray(0, 8)).toEqual(u32(5, 0));
  expect(atr.subarray(12, 14).toString("hex")).toBe("3b81");
  // SELECT of the master file, in two pieces.
  const select = Buffer.concat([u32(7, 0, 7), Buffer.from("00a4000c023f00", "hex")]);
  heard.push(select.subarray(0, 5), select.subarray(5));
  wake();
  expect((await told(4)).subarray(0, 4)).toEqual(u32(7));
  await act("lift");
  expect(await told(5)).toEqual(u32(6, 0, 0));
  await greet();
  expect(said).toHaveLength(7);
  ending.abort();
  wake();
  await card.close();
});
