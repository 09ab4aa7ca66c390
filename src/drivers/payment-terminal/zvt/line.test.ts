import { expect, it } from "vitest";
import { fromHex, toHex } from "../../../kernel/bytes.js";
import { manualClock } from "../../../kernel/clock.js";
import type { DeviceError } from "../../../kernel/errors.js";
import { memoryPair } from "../../../transports/memory.js";
import { serialFrame } from "./framing.js";
import { startLine } from "./line.js";

const never = new AbortController().signal;
const ORDER = fromHex("06 01 00");
const STATUS = fromHex("04 ff 01 0a");
const ACK = "06";
const NAK = "15";
const frame = (apdu: Uint8Array): string => toHex(serialFrame(apdu));

function wired() {
  const clock = manualClock();
  const [near, far] = memoryPair();
  const came: string[] = [];
  const line = startLine(near, "serial", {
    device: "terminal",
    clock,
    config: { t1Ms: 200, t2Ms: 5_000 },
    onApdu: (apdu) => void came.push(toHex(apdu)),
  });
  let heard = "";
  const listen = async (): Promise<void> => {
    for (;;) {
      const bytes = await far.read(never);
      heard += toHex(bytes);
    }
  };
  void listen().catch(() => {});
  return {
    clock,
    line,
    came,
    async say(hex: string) {
      await far.write(fromHex(hex), never);
      await clock.advance(0);
    },
    /** What we have sent since the last time. */
    take() {
      const now = heard;
      heard = "";
      return now;
    },
  };
}

it("sends an order once where nothing answers, and anything else three times", async () => {
  for (const [once, times] of [
    [true, 1],
    [false, 3],
  ] as const) {
    const { clock, line, take } = wired();
    const sent = line.send(ORDER, once).catch((thrown: DeviceError) => thrown.kind);
    await clock.advance(60_000);
    expect(await sent).toBe("timeout");
    expect(take()).toBe(frame(ORDER).repeat(times));
    expect((await line.ended).kind).toBe("timeout");
  }
});

it("sends an order again where it came damaged, twice at most", async () => {
  const { clock, line, say, take } = wired();
  const sent = line.send(ORDER, true);
  await clock.advance(0);
  await say(NAK);
  await say(NAK);
  expect(take()).toBe(frame(ORDER).repeat(3));
  await say(ACK);
  expect(await sent).toBe(3);
  const refused = line.send(ORDER, true).catch((thrown: DeviceError) => thrown.kind);
  await clock.advance(0);
  for (let count = 0; count < 3; count++) await say(NAK);
  expect(await refused).toBe("timeout");
});

it("acknowledges a block that comes again, and hands it on once", async () => {
  const { line, came, say, take } = wired();
  await say(frame(STATUS));
  await say(frame(STATUS));
  expect(take()).toBe(ACK + ACK);
  expect(came).toEqual([toHex(STATUS)]);
  const answered = line.send(fromHex("80 00 00"));
  await say(ACK);
  await answered;
  // After our answer was taken the same bytes are said anew.
  await say(frame(STATUS));
  expect(came).toHaveLength(2);
});

it("takes the answer to a command, or what follows an answer, for its lost ACK; and no other block", async () => {
  const { clock, line, came, say, take } = wired();
  let taken = false;
  const ordered = line.send(ORDER, true).finally(() => {
    taken = true;
  });
  await clock.advance(0);
  await say(frame(STATUS));
  expect(taken).toBe(false);
  expect(take()).toBe(frame(ORDER) + ACK);
  await say(frame(fromHex("80 00 00")));
  expect(await ordered).toBe(1);
  const answered = line.send(fromHex("80 00 00"));
  await clock.advance(0);
  await say(frame(fromHex("06 0f 00")));
  expect(await answered).toBe(1);
  expect(came).toHaveLength(3);
});

it("asks for a damaged block again, and for one that stops in its middle after T1", async () => {
  const { clock, came, say, take } = wired();
  await say("10 02 06 0f 00 10 03 00 00");
  expect(take()).toBe(NAK);
  await clock.advance(200);
  await say("10 02 06 0f");
  await clock.advance(199);
  expect(take()).toBe("");
  await clock.advance(1);
  expect(take()).toBe(NAK);
  await say(frame(STATUS));
  expect(came).toEqual([toHex(STATUS)]);
});

it("does not let a wish to stop, sent at the same moment as the terminal's message, hold up the answer to that", async () => {
  const { clock, line, say, take } = wired();
  const wish = fromHex("06 b0 00");
  const wished = line.send(wish);
  await clock.advance(0);
  await say(frame(STATUS));
  const answered = line.send(fromHex("80 00 00"));
  await clock.advance(0);
  expect(take()).toBe(frame(wish) + ACK + frame(fromHex("80 00 00")));
  await say(ACK);
  await Promise.all([wished, answered]);
});
