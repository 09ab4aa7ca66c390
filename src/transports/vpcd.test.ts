import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { frameCutter, framed, INS, TINY_ATR, TINY_UID, TinyCard } from "../../test/real-stack/tiny-card.js";
import type { CardReaderLink } from "../kernel/card.js";
import { manualClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Link } from "../kernel/link.js";
import { memoryPair } from "./memory.js";
import { vpcd } from "./vpcd.js";

const never = new AbortController().signal;
const NO_CARD = new Uint8Array();

interface Far {
  readonly link: Link;
  /** What lies there; undefined: nothing. */
  card: TinyCard | undefined;
  readonly frames: Uint8Array[];
}

/** The far end as the simulated card does it: an empty answer where nothing lies. */
function farEnd(link: Link, card: TinyCard | undefined): Far {
  const far: Far = { link, card, frames: [] };
  const cut = frameCutter();
  const serve = async (): Promise<void> => {
    for (;;) {
      for (const frame of cut(await link.read(never))) {
        far.frames.push(frame);
        const answer = far.card ? far.card.answer(frame) : frame.length > 1 || frame[0] === 4 ? NO_CARD : undefined;
        if (answer === "lift") {
          far.card = undefined;
          await link.write(framed(NO_CARD), never);
        } else if (answer) await link.write(framed(answer), never);
      }
    }
  };
  serve().catch(() => {});
  return far;
}

describe("a virtual card", () => {
  const clock = manualClock();
  const open: CardReaderLink[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((reader) => reader.close()));
  });
  const lay = async (card?: TinyCard): Promise<{ reader: CardReaderLink; far: Far; told: boolean[] }> => {
    const [near, other] = memoryPair();
    const far = farEnd(other, card);
    const reader = await vpcd(async () => near, clock)(never);
    open.push(reader);
    const told: boolean[] = [];
    reader.onPresence((present) => told.push(present));
    return { reader, far, told };
  };

  it("is seen to come and go, and a swap as both", async () => {
    const { reader, far, told } = await lay();
    expect(reader.present).toBe(false);
    await expect(reader.connect(never)).rejects.toMatchObject({ kind: "card_absent" });
    far.card = new TinyCard();
    await clock.advance(60);
    expect(reader.present).toBe(true);
    far.card = new TinyCard(Uint8Array.of(0x3b, 0));
    await clock.advance(60);
    far.card = undefined;
    await clock.advance(60);
    expect(told).toEqual([true, false, true, false]);
  });

  it("is powered on and off, one session at a time, and answers", async () => {
    const { reader, far } = await lay(new TinyCard());
    const session = await reader.connect(never);
    expect(session.atr).toEqual(TINY_ATR);
    await expect(reader.connect(never)).rejects.toMatchObject({ kind: "busy" });
    expect(await session.transmit(Uint8Array.of(0xff, 0xca, 0, 0, 0), never)).toEqual(Uint8Array.of(...TINY_UID, 0x90, 0));
    const longest = new Uint8Array(0xffff);
    longest.set([0x80, INS.echo, 0, 0, 0, 0xff, 0xf8]);
    expect((await session.transmit(longest, never)).length).toBe(0xfff8 + 2);
    await expect(session.transmit(new Uint8Array(0x1_0000), never)).rejects.toMatchObject({ kind: "card_error" });
    await Promise.all([session.close(), session.close()]);
    expect((await session.ended).kind).toBe("canceled");
    await clock.advance(0);
    expect(far.frames.filter(({ length }) => length === 1).map(([control]) => control)).toEqual(
      expect.arrayContaining([1, 4, 0]) as unknown as number[],
    );
    const again = await reader.connect(never);
    expect(await again.transmit(Uint8Array.of(0x80, INS.powered, 0, 0), never)).toEqual(Uint8Array.of(2, 0x90, 0));
  });

  it("is missed at once when it is lifted in an APDU, and soon between two", async () => {
    const { reader, far, told } = await lay(new TinyCard());
    const session = await reader.connect(never);
    await expect(session.transmit(Uint8Array.of(0x80, INS.lift, 0, 0), never)).rejects.toMatchObject({ kind: "card_removed" });
    expect((await session.ended).kind).toBe("card_removed");
    expect(reader.present).toBe(false);
    far.card = new TinyCard();
    await clock.advance(60);
    const second = await reader.connect(never);
    far.card = undefined;
    await clock.advance(60);
    expect((await second.ended).kind).toBe("card_removed");
    await expect(second.transmit(Uint8Array.of(0, 0xa4, 0, 0), never)).rejects.toMatchObject({ kind: "card_removed" });
    expect(told).toEqual([false, true, false]);
  });

  it("keeps the late answer of an APDU that was given up from the next session", async () => {
    const { reader, far } = await lay(new TinyCard());
    const session = await reader.connect(never);
    const giveUp = new AbortController();
    const pending = session.transmit(Uint8Array.of(0x80, INS.silence, 0, 0), giveUp.signal);
    await clock.advance(200);
    const reason = new DeviceError("timeout");
    giveUp.abort(reason);
    await expect(pending).rejects.toBe(reason);
    expect((await session.ended).kind).toBe("canceled");
    const next = reader.connect(never);
    await clock.advance(200);
    await far.link.write(framed(Uint8Array.of(0x11, 0x90, 0)), never);
    expect(await (await next).transmit(Uint8Array.of(0, 0xa4, 0, 0), never)).toEqual(Uint8Array.of(0x90, 0));
  });

  it("is missed in an APDU that was given up, although another card lies there when the reader can look again", async () => {
    const { reader, far, told } = await lay(new TinyCard());
    const session = await reader.connect(never);
    const giveUp = new AbortController();
    const pending = session.transmit(Uint8Array.of(0x80, INS.silence, 0, 0), giveUp.signal).catch(() => "given up");
    await clock.advance(0);
    giveUp.abort();
    expect(await pending).toBe("given up");
    await far.link.write(framed(NO_CARD), never);
    await clock.advance(60);
    expect(told).toEqual([false, true]);
  });

  it("is lost with its link, whatever is under way", async () => {
    const { reader, far } = await lay(new TinyCard());
    const session = await reader.connect(never);
    const pending = session.transmit(Uint8Array.of(0x80, INS.silence, 0, 0), never).catch((thrown: DeviceError) => thrown.kind);
    await clock.advance(60);
    await far.link.close();
    expect(await pending).toBe("device_absent");
    expect([(await session.ended).kind, (await reader.closed).kind, reader.present]).toEqual(["device_absent", "device_absent", false]);
    await expect(reader.connect(never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("takes frames in any chunking, and ends the link at what nobody asked for", async () => {
    const answers = fc.array(fc.uint8Array({ minLength: 2, maxLength: 300 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(answers, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), async (responses, cuts) => {
        const [near, far] = memoryPair();
        const say = async (data: Uint8Array): Promise<void> => {
          const bytes = framed(data);
          for (let offset = 0, turn = 0; offset < bytes.length; turn++) {
            const length = cuts[turn % cuts.length] ?? 1;
            await far.write(bytes.subarray(offset, offset + length), never);
            offset += length;
          }
        };
        const cut = frameCutter();
        const left = [...responses];
        const serve = async (): Promise<void> => {
          for (;;) {
            for (const frame of cut(await far.read(never))) {
              if (frame.length > 1) await say(left.shift() ?? NO_CARD);
              else if (frame[0] === 4) await say(TINY_ATR);
            }
          }
        };
        serve().catch(() => {});
        const reader = await vpcd(async () => near, clock)(never);
        const session = await reader.connect(never);
        for (const response of responses) {
          expect(await session.transmit(Uint8Array.of(0, 1, 2, 3), never)).toEqual(response);
        }
        await say(Uint8Array.of(1));
        expect((await reader.closed).kind).toBe("device_fault");
        await reader.close();
      }),
    );
  });

  it("closes its link when the opening is given up", async () => {
    const [near] = memoryPair();
    const giveUp = new AbortController();
    const reason = new DeviceError("shutting_down");
    const opening = vpcd(async () => near, clock)(giveUp.signal);
    giveUp.abort(reason);
    await expect(opening).rejects.toBe(reason);
    await near.closed;
  });
});
