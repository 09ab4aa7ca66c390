import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openPcscd, type PcscdRig, realPcscStack } from "../../test/real-stack/pcscd.js";
import { INS, layCard, TINY_ATR, TINY_UID, TinyCard } from "../../test/real-stack/tiny-card.js";
import type { CardReaderLink } from "../kernel/card.js";
import { systemClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import { silentLog } from "../kernel/log.js";
import { cardReaderFor, pcscReaders } from "./index.js";
import { findInTlv } from "./pcsc-max-apdu.js";
import { LinkSettings } from "./settings.js";

const never = new AbortController().signal;
const stack = await realPcscStack();

it("finds a property in a list that may lie about its lengths", () => {
  expect(findInTlv(Uint8Array.of(1, 0, 0x0a, 4, 0, 0, 1, 0), 0x0a)).toEqual(Uint8Array.of(0, 0, 1, 0));
  expect(findInTlv(Uint8Array.of(0x0a, 4, 0, 0), 0x0a)).toBeUndefined();
  expect(findInTlv(Uint8Array.of(7), 7)).toBeUndefined();
});

describe.skipIf(!stack).each([
  { where: "in this process", hosted: false },
  { where: "in a child process", hosted: true },
])("card readers of a real pcscd, the library $where", ({ hosted }) => {
  const clock = systemClock();
  const deps = { clock, log: silentLog, pcsc: pcscReaders({ clock, log: silentLog }) };
  const links: CardReaderLink[] = [];
  const lying: { lift(): Promise<void> }[] = [];
  let rig: PcscdRig;

  beforeAll(async () => {
    rig = await openPcscd();
  });
  afterEach(async () => {
    await Promise.all(lying.splice(0).map((card) => card.lift()));
    await Promise.all(links.splice(0).map((link) => link.close()));
  });
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
  });

  const open = async (reader: string | undefined = rig.readers[0], pcsc = deps.pcsc): Promise<CardReaderLink> => {
    const settings = LinkSettings.parse({ kind: "pcsc", hosted, reader });
    const link = await cardReaderFor(settings, { ...deps, pcsc })(never);
    links.push(link);
    return link;
  };
  const lay = async (slot: 0 | 1 = 0, card = new TinyCard()): Promise<{ readonly card: TinyCard; lift(): Promise<void> }> => {
    const laid = await layCard(rig.ports[slot], card);
    lying.push(laid);
    return laid;
  };
  const presence = (link: CardReaderLink, wanted: boolean): Promise<void> =>
    new Promise((resolve) => {
      link.onPresence((present) => {
        if (present === wanted) resolve();
      });
      if (link.present === wanted) resolve();
    });
  const withCard = async (card = new TinyCard(), pcsc = deps.pcsc) => {
    const link = await open(rig.readers[0], pcsc);
    await presence(link, false);
    const laid = await lay(0, card);
    await presence(link, true);
    return { link, laid, card: laid.card };
  };

  it("names the readers where none or several fit", async () => {
    expect((await open("sim reader 00 01")).reader).toBe(rig.readers[1]);
    await expect(open("Nobody's")).rejects.toMatchObject({ kind: "device_absent", details: { readers: rig.readers } });
    const settings = LinkSettings.parse({ kind: "pcsc", hosted });
    await expect(cardReaderFor(settings, deps)(never)).rejects.toMatchObject({
      kind: "device_fault",
      retryable: false,
      details: { readers: rig.readers },
    });
  });

  it("tells of cards that come and go, each at its own reader", async () => {
    const [first, second] = [await open(rig.readers[0]), await open(rig.readers[1])];
    const told: string[] = [];
    const gone = new Promise<void>((resolve) => {
      first.onPresence((present) => {
        told.push(`first ${present}`);
        if (!present) resolve();
      });
    });
    second.onPresence((present) => told.push(`second ${present}`));
    const laid = await lay(0);
    while (!first.present) await clock.sleep(2);
    await laid.lift();
    await gone;
    expect(told).toEqual(["first true", "first false"]);
    await expect(first.connect(never)).rejects.toMatchObject({ kind: "card_absent" });
  });

  it("carries APDUs, extended ones too, and powers the card down afterwards", async () => {
    const { link, card } = await withCard();
    const session = await link.connect(never);
    expect(session.atr).toEqual(TINY_ATR);
    expect(await session.transmit(Uint8Array.of(0xff, 0xca, 0, 0, 0), never)).toEqual(Uint8Array.of(...TINY_UID, 0x90, 0));
    const big = new Uint8Array(65_000).fill(0x5a);
    big.set([0x80, INS.echo, 0, 0, 0, (big.length - 7) >> 8, (big.length - 7) & 0xff]);
    const echoed = await session.transmit(big, never);
    expect(echoed.length).toBe(big.length - 7 + 2);
    expect(echoed.subarray(-3)).toEqual(Uint8Array.of(0x5a, 0x90, 0));
    const before = card.powerCount;
    await session.close();
    await session.close();
    expect((await session.ended).kind).toBe("canceled");
    await expect(session.transmit(Uint8Array.of(0, 0xa4, 0, 0), never)).rejects.toMatchObject({ kind: "canceled" });
    const again = await link.connect(never);
    expect((await again.transmit(Uint8Array.of(0x80, INS.powered, 0, 0), never))[0]).toBeGreaterThan(before);
  });

  it("has the card for itself", async () => {
    const { link } = await withCard();
    const first = link.connect(never);
    await expect(link.connect(never)).rejects.toMatchObject({ kind: "busy", message: expect.stringContaining("one session at a time") });
    const session = await first;
    await expect(link.connect(never)).rejects.toMatchObject({ kind: "busy" });
    const other = await open(rig.readers[0], pcscReaders({ clock, log: silentLog }));
    await expect(other.connect(never)).rejects.toMatchObject({ kind: "busy", hint: expect.stringContaining("Another program") });
    await session.close();
    await (await other.connect(never)).close();
  });

  it("says card_removed when the card is lifted, in an APDU, between two, or before the first", async () => {
    const { link } = await withCard();
    const session = await link.connect(never);
    await expect(session.transmit(Uint8Array.of(0x80, INS.lift, 0, 0), never)).rejects.toMatchObject({ kind: "card_removed" });
    expect((await session.ended).kind).toBe("card_removed");
    await presence(link, false);

    const second = await lay();
    await presence(link, true);
    const between = await link.connect(never);
    await second.lift();
    expect((await between.ended).kind).toBe("card_removed");
    await expect(between.transmit(Uint8Array.of(0, 0xa4, 0, 0), never)).rejects.toMatchObject({ kind: "card_removed" });

    const third = await lay();
    await presence(link, true);
    await third.lift();
    // The service may not have noticed yet: then the session is over before anything was said in it.
    const outcome = link.connect(never).then(
      async (session) => (await session.ended).kind,
      (thrown: DeviceError) => thrown.kind,
    );
    expect(await outcome).toMatch(/^card_(absent|removed|error)$/);
  });

  it("notices a swap for a card with another ATR, however quick", async () => {
    const { link, laid } = await withCard();
    const session = await link.connect(never);
    await laid.lift();
    await lay(0, new TinyCard(Uint8Array.of(0x3b, 0x81, 0x80, 0x01, 0x42, 0x42)));
    await session.transmit(Uint8Array.of(0x80, INS.echo, 0, 0, 1, 7), never).catch(() => {});
    expect((await session.ended).kind).toBe("card_removed");
    await presence(link, true);
  });

  it("gives an APDU up at once, and lets the next session wait for its end", async () => {
    const { link, laid, card } = await withCard();
    const session = await link.connect(never);
    const giveUp = new AbortController();
    const asked = card.nextApdu();
    const pending = session.transmit(Uint8Array.of(0x80, INS.silence, 0, 0), giveUp.signal);
    await asked;
    const reason = new DeviceError("timeout");
    giveUp.abort(reason);
    await expect(pending).rejects.toBe(reason);
    expect((await session.ended).kind).toBe("canceled");
    // The reader still waits for the card, so that nobody can have it: the patience of the caller decides.
    const impatient = new AbortController();
    const waiting = link.connect(impatient.signal);
    impatient.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    const patient = link.connect(never);
    await laid.lift();
    await expect(patient).rejects.toMatchObject({ kind: "card_absent" });
    await presence(link, false);
    await lay();
    await presence(link, true);
    await (await link.connect(never)).close();
  });

  it("does not hang in a closing when the card never answers", async () => {
    const { link, card } = await withCard(new TinyCard(), pcscReaders({ clock: systemClock(4), log: silentLog }));
    const session = await link.connect(never);
    const asked = card.nextApdu();
    const pending = session.transmit(Uint8Array.of(0x80, INS.silence, 0, 0), never).catch((thrown: DeviceError) => thrown.kind);
    await asked;
    await link.close();
    expect(await pending).toBe("device_absent");
    expect((await link.closed).kind).toBe("device_absent");
    await expect(session.transmit(Uint8Array.of(0, 0xa4, 0, 0), never)).rejects.toMatchObject({ kind: "device_absent" });
    await expect(link.connect(never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("is lost with the service, in the middle of an APDU, and back with it", async () => {
    const { link, laid, card } = await withCard();
    const other = await open(rig.readers[1]);
    const session = await link.connect(never);
    const asked = card.nextApdu();
    const pending = session.transmit(Uint8Array.of(0x80, INS.silence, 0, 0), never).catch((thrown: DeviceError) => thrown.kind);
    await asked;
    await rig.kill();
    expect(await pending).toBe("device_absent");
    expect((await link.closed).kind).toBe("device_absent");
    expect((await other.closed).kind).toBe("device_absent");
    await expect(open()).rejects.toMatchObject({ kind: "device_absent", hint: expect.stringContaining("systemctl start pcscd") });
    await laid.lift();
    await rig.start();
    const again = await open();
    await lay();
    await presence(again, true);
    const back = await again.connect(never);
    expect(await back.transmit(Uint8Array.of(0, 0xa4, 0, 0), never)).toEqual(Uint8Array.of(0x90, 0));
  });
});
