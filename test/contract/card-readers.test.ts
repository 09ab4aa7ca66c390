import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ChipReader } from "../../src/contracts/chip-reader.js";
import { pcsc } from "../../src/drivers/chip-reader/pcsc/driver.js";
import { systemClock } from "../../src/kernel/clock.js";
import type { DeviceError } from "../../src/kernel/errors.js";
import { silentLog } from "../../src/kernel/log.js";
import { seededRandom } from "../../src/kernel/random.js";
import { cardReaderFor, pcscReaders } from "../../src/transports/index.js";
import { LinkSettings } from "../../src/transports/settings.js";
import { openPcscd, type PcscdRig, realPcscStack } from "../real-stack/pcscd.js";
import { INS, layCard, TINY_UID } from "../real-stack/tiny-card.js";
import { type CardListener, listenForReader } from "../real-stack/tiny-card-listener.js";
import { faultRow } from "../support/fault.js";

const never = new AbortController().signal;
const stack = await realPcscStack();

/** A reader with a driver on one side and a hand that lays cards on the other. */
interface Bench {
  readonly link: unknown;
  lay(): Promise<{ lift(): Promise<void> }>;
  /** Pulls the reader. */
  unplug(): Promise<void>;
  close(): Promise<void>;
}

async function overPcscd(hosted: boolean): Promise<Bench> {
  const rig: PcscdRig = await openPcscd();
  return {
    link: { kind: "pcsc", reader: rig.readers[0], hosted },
    lay: () => layCard(rig.ports[0]),
    unplug: () => rig.kill(),
    close: async () => await rig[Symbol.asyncDispose](),
  };
}

async function overTcp(): Promise<Bench> {
  const far: CardListener = await listenForReader();
  return { link: { kind: "tcp", host: "127.0.0.1", port: far.port }, lay: far.lay, unplug: far.close, close: far.close };
}

/** What all ways to a card have in common, through the driver. */
describe.each([
  { name: "vpcd over tcp", make: overTcp, native: false },
  { name: "pcscd", make: () => overPcscd(false), native: true },
  { name: "pcscd in a child process", make: () => overPcscd(true), native: true },
])("a card reader over $name", ({ make, native }) => {
  describe.skipIf(native && !stack)("", () => {
    const clock = systemClock();
    const connectors = { clock, log: silentLog, pcsc: pcscReaders({ clock, log: silentLog }) };
    let bench: Bench;
    let device: ChipReader;
    let lying: { lift(): Promise<void> } | undefined;

    beforeAll(async () => {
      bench = await make();
      device = await pcsc.open(pcsc.config.parse({}), {
        device: "chip",
        connect: cardReaderFor(LinkSettings.parse(bench.link), connectors),
        clock,
        random: seededRandom(1),
        log: silentLog,
        signal: never,
        imaging: { draw: async () => [], png: async () => new Uint8Array() },
        simulated: false,
        report() {},
      });
    });
    afterEach(async () => {
      await lying?.lift();
      lying = undefined;
    });
    afterAll(async () => {
      await device.close();
      await bench.close();
    });

    const seen = (wanted: boolean): Promise<void> =>
      new Promise((resolve) => {
        device.onPresence((present) => {
          if (present === wanted) resolve();
        });
        if (device.cardPresent === wanted) resolve();
      });
    const lay = async (): Promise<void> => {
      await seen(false);
      lying = await bench.lay();
      await seen(true);
    };

    it("reads UIDs of cards that come and go", async () => {
      await expect(device.readUid(never)).rejects.toMatchObject({ kind: "card_absent" });
      for (let round = 0; round < 3; round++) {
        await lay();
        expect(await device.readUid(never)).toEqual(TINY_UID);
        expect(await device.selfTest(never)).toMatchObject([{ ok: true }, { ok: true }]);
        await lying?.lift();
      }
      await seen(false);
    });

    it("has one session at a time, and powers the card anew for the next", async () => {
      await lay();
      const session = await device.connect(never);
      await expect(device.connect(never)).rejects.toMatchObject({ kind: "busy" });
      const powered = await session.transmit(Uint8Array.of(0x80, INS.powered, 0, 0), never);
      await session.close();
      const next = await device.connect(never);
      expect((await next.transmit(Uint8Array.of(0x80, INS.powered, 0, 0), never))[0]).toBeGreaterThan(powered[0] ?? 0xff);
      await next.close();
    });

    it("says card_removed in the middle of an APDU", async () => {
      await lay();
      const session = await device.connect(never);
      const pending = session.transmit(Uint8Array.of(0x80, INS.lift, 0, 0), never);
      await expect(pending).rejects.toMatchObject({ kind: "card_removed" });
      expect((await session.ended).kind).toBe("card_removed");
    });

    it("gives a silent card up when told, and works again with the next", async () => {
      await lay();
      const session = await device.connect(never);
      const giveUp = new AbortController();
      const reason = new DOMException("enough");
      const pending = session.transmit(Uint8Array.of(0x80, INS.silence, 0, 0), giveUp.signal);
      setImmediate(() => giveUp.abort(reason));
      await expect(pending).rejects.toBe(reason);
      expect((await session.ended).kind).toBe("canceled");
      await lying?.lift();
      await lay();
      expect(await device.readUid(never)).toEqual(TINY_UID);
    });

    faultRow({
      device: "reader",
      fault: "Reader unplugged in mid-read",
      sees: "`device_absent`; `card_removed` where its driver tells that first",
      does: "ends the read at once, and looks for the reader",
      bounds: ["tryAgain"],
      measured: ["lab: reader, pulled in mid-read"],
    });
    it("is lost when the reader goes, whatever is under way", async () => {
      await lay();
      const session = await device.connect(never);
      const pending = session.transmit(Uint8Array.of(0x80, INS.silence, 0, 0), never).catch((thrown: DeviceError) => thrown.kind);
      await bench.unplug();
      expect(await pending).toBe("device_absent");
      expect(await device.lost).toMatchObject({ kind: "device_absent", device: "chip" });
      await expect(device.connect(never)).rejects.toMatchObject({ kind: "device_absent" });
    });
  });
});
