import { afterEach, describe, expect, it } from "vitest";
import { TINY_ATR, TINY_UID, TinyCard } from "../../../../test/real-stack/tiny-card.js";
import { tinyCardOnWire } from "../../../../test/real-stack/tiny-card-wire.js";
import type { ChipReader } from "../../../contracts/chip-reader.js";
import type { CardReaderLink } from "../../../kernel/card.js";
import { manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { Connect } from "../../../kernel/link.js";
import { silentLog } from "../../../kernel/log.js";
import { seededRandom } from "../../../kernel/random.js";
import { memoryPair } from "../../../transports/memory.js";
import { vpcd } from "../../../transports/vpcd.js";
import { pcsc } from "./driver.js";
import { readerFacts } from "./reader-name.js";

const never = new AbortController().signal;

describe("a reader's name", () => {
  it.each([
    [
      "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] (0123) 00 00",
      { identity: { vendor: "ACS", model: "ACR1252 1S CL Reader", serial: "0123" }, contactless: true },
    ],
    [
      "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader SAM] 01 00",
      { identity: { vendor: "ACS", model: "ACR1252 1S CL Reader" }, contactless: false },
    ],
    [
      "HID Global OMNIKEY 5422 Smartcard Reader [OMNIKEY 5422CL Smartcard Reader] (K7) 00 00",
      { identity: { vendor: "HID Global", model: "OMNIKEY 5422 Smartcard Reader", serial: "K7" }, contactless: true },
    ],
    ["Alcor Micro AU9540 00 00", { identity: { vendor: "Alcor Micro", model: "AU9540" }, contactless: null }],
    ["Identiv uTrust 3700 F CL Reader [uTrust 3700 F CL Reader] 00 00", { contactless: true }],
    ["vpcd", { identity: { model: "vpcd" }, contactless: null }],
    ["", { identity: {}, contactless: null }],
  ])("%s", (name, facts) => expect(readerFacts(name)).toMatchObject(facts));
});

describe("the pcsc driver", () => {
  const opened: ChipReader[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((device) => device.close()));
  });

  const open = async (card: TinyCard | undefined, config: unknown = {}, signal = never, wrap = (link: CardReaderLink) => link) => {
    const clock = manualClock();
    const [near, far] = memoryPair();
    const simulator = tinyCardOnWire(card ?? null);
    simulator.attach(far);
    const connect: Connect<CardReaderLink> = async (limit) => wrap(await vpcd(async () => near, clock)(limit));
    const device = await pcsc.open(pcsc.config.parse(config), {
      device: "chip",
      connect,
      clock,
      random: seededRandom(1),
      log: silentLog,
      signal,
      imaging: { draw: async () => [], png: async () => new Uint8Array() },
      simulated: false,
      report() {},
    });
    opened.push(device);
    return { clock, device, simulator, link: near };
  };
  const answering = (status: readonly number[]): TinyCard => {
    const card = new TinyCard();
    const answer = card.answer.bind(card);
    card.answer = (frame) => (frame[0] === 0xff ? Uint8Array.from(status) : answer(frame));
    return card;
  };

  it("reads a UID, and frees the card", async () => {
    const { device } = await open(new TinyCard());
    expect(device.cardPresent).toBe(true);
    expect(await device.readUid(never)).toEqual(TINY_UID);
    const session = await device.connect(never);
    expect(session.atr).toEqual(TINY_ATR);
    await expect(device.readUid(never)).rejects.toMatchObject({ kind: "busy", device: "chip" });
  });

  it.each([
    ["not supported", [0x6a, 0x81], "card_unsupported"],
    ["not known", [0x6d, 0x00], "card_unsupported"],
    ["a contact card's historical bytes", [1, 2, 3, 4, 5, 0x90, 0], "card_unsupported"],
    ["nothing", [0x90, 0], "card_unsupported"],
    ["failed", [0x63, 0], "card_error"],
  ])("says what is wrong where the UID is %s", async (_name, response, kind) => {
    const { device } = await open(answering(response));
    await expect(device.readUid(never)).rejects.toMatchObject({ kind });
    // The session is closed all the same.
    await (await device.connect(never)).close();
  });

  it("says card_absent where none lies, which is no fault of the reader", async () => {
    const { device } = await open(undefined);
    expect(device.cardPresent).toBe(false);
    await expect(device.readUid(never)).rejects.toMatchObject({ kind: "card_absent", device: "chip" });
    expect(await device.selfTest(never)).toMatchObject([
      { check: "reader", ok: true, note: "vpcd" },
      { check: "card", ok: true },
    ]);
  });

  it("fails the self-test's card for a mute one, and only there", async () => {
    const mute = async (): Promise<never> => {
      throw new DeviceError("card_error", { message: "the card does not answer" });
    };
    const { device } = await open(new TinyCard(), {}, never, (link) => ({
      ...link,
      get present() {
        return true;
      },
      connect: mute,
    }));
    await expect(device.connect(never)).rejects.toMatchObject({ kind: "card_error", device: "chip" });
    expect(await device.selfTest(never)).toMatchObject([
      { check: "reader", ok: true },
      { check: "card", ok: false, hint: expect.stringContaining("card") },
    ]);
  });

  it("keeps APDUs short where it is told to", async () => {
    const short = await open(new TinyCard(), { extendedLength: false });
    expect((await short.device.connect(never)).maxApduBytes).toBe(261);
    expect(short.device.capabilities).toMatchObject({ version: 1, extendedApdu: false });
    const long = await open(new TinyCard());
    expect((await long.device.connect(never)).maxApduBytes).toBe(0xffff);
  });

  it("is lost with its link, and closed when its signal aborts", async () => {
    const { device, simulator } = await open(new TinyCard());
    simulator.detach();
    expect(await device.lost).toMatchObject({ kind: "device_absent", device: "chip" });
    await expect(device.connect(never)).rejects.toMatchObject({ kind: "device_absent" });
    const stop = new AbortController();
    const { link, device: stopped } = await open(new TinyCard(), {}, stop.signal);
    const session = await stopped.connect(never);
    stop.abort(new DeviceError("shutting_down"));
    await link.closed;
    expect((await session.ended).kind).toBe("device_absent");
    await expect(stopped.selfTest(never)).rejects.toMatchObject({ kind: "device_absent" });
  });
});
