import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../kernel/bytes.js";
import { DeviceError } from "../kernel/errors.js";
import { encodeCommand, NO_ANSWER, UNVERIFIED } from "./apdu.js";
import { createChannel } from "./channel.js";
import { CIPHER_SUITES, TRIPLE_DES } from "./ciphers.js";
import { createSecureMessaging } from "./secure-messaging.js";
import { scriptedCard } from "./testing/scripted-card.js";

const READ = { cla: 0, ins: 0xb0, p1: 0x9c, p2: 0, le: 256 };
const signal = new AbortController().signal;

test("commands: all forms of ISO 7816-4 §5.1, short and extended", () => {
  const at = (data: number | undefined, le: number | undefined): string =>
    toHex(
      encodeCommand({
        cla: 0,
        ins: 0xa4,
        p1: 1,
        p2: 2,
        ...(data === undefined ? {} : { data: new Uint8Array(data).fill(0xee) }),
        ...(le === undefined ? {} : { le }),
      }),
    ).replaceAll(/(ee)+/g, "+");
  expect(at(undefined, undefined)).toBe("00a40102");
  expect(at(undefined, 1)).toBe("00a4010201");
  expect(at(undefined, 256)).toBe("00a4010200");
  expect(at(2, undefined)).toBe("00a4010202+");
  expect(at(255, 256)).toBe("00a40102ff+00");
  expect(at(undefined, 257)).toBe("00a40102000101");
  expect(at(undefined, 65_536)).toBe("00a40102000000");
  expect(at(256, undefined)).toBe("00a40102000100+");
  expect(at(2, 65_536)).toBe("00a40102000002+0000");
  expect(at(300, 1)).toBe("00a4010200012c+0001");
});

test("61xx: the rest is fetched, and counted as commands", async () => {
  const card = scriptedCard(["aabb6102", "ccdd6101", "ee9000"]);
  const channel = createChannel(card, signal);
  const answer = await channel.send(READ);
  expect(answer).toMatchObject({ sw: 0x9000, lost: false });
  expect(toHex(answer.data)).toBe("aabbccddee");
  expect(card.commands.slice(1)).toEqual(["00C0000002", "00C0000001"]);
  expect(channel.apdus).toBe(3);
});

test("6Cxx: asked once more with the length that it names", async () => {
  const card = scriptedCard(["6c02", "aabb9000"]);
  expect(await createChannel(card, signal).send(READ)).toMatchObject({ sw: 0x9000 });
  expect(card.commands[1]).toBe("00B09C0002");
  const stubborn = scriptedCard(["6c02", "6c03", "6c04"]);
  expect(await createChannel(stubborn, signal).send(READ)).toMatchObject({ sw: 0x6c03 });
});

test("61xx without end, answers without a status word, and ones that are too long are no answer", async () => {
  const endless = createChannel({ transmit: async () => fromHex("006100") }, signal);
  expect(await endless.send(READ)).toMatchObject({ sw: NO_ANSWER });
  expect(endless.apdus).toBeLessThan(400);
  for (const bytes of [new Uint8Array(), Uint8Array.of(0x90), new Uint8Array(70_000)]) {
    expect(await createChannel({ transmit: async () => bytes }, signal).send(READ)).toMatchObject({ sw: NO_ANSWER });
  }
});

test("what ends the session, under protection: plain words, plain success, broken seals, nothing", async () => {
  const suite = CIPHER_SUITES[2] ?? TRIPLE_DES;
  const answers = new Map([
    ["6700", 0x6700],
    ["9000", UNVERIFIED],
    ["990290009000", UNVERIFIED],
    ["", NO_ANSWER],
  ]);
  for (const [bytes, sw] of answers) {
    const channel = createChannel(scriptedCard([bytes]), signal);
    channel.setProtection(createSecureMessaging(suite, { encryption: new Uint8Array(16), mac: new Uint8Array(16) }, new Uint8Array(16)));
    expect(await channel.send(READ)).toMatchObject({ sw, lost: true });
  }
});

test("a transmission that failed is an answer; a card or reader that is gone is not", async () => {
  const failing = (error: unknown) => createChannel({ transmit: () => Promise.reject(error) }, signal).send(READ);
  expect(await failing(new DeviceError("card_error"))).toMatchObject({ sw: NO_ANSWER });
  await expect(failing(new DeviceError("card_removed"))).rejects.toMatchObject({ kind: "card_removed" });
  await expect(failing(new DeviceError("device_absent"))).rejects.toMatchObject({ kind: "device_absent" });
});

test("any responses: an answer, in a bounded number of commands", async () => {
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.uint8Array({ maxLength: 20 })), async (responses) => {
      const channel = createChannel({ transmit: async () => responses.next().value ?? new Uint8Array() }, signal);
      const { sw } = await channel.send(READ);
      expect(sw).toBeGreaterThanOrEqual(0);
      expect(channel.apdus).toBeLessThan(600);
    }),
  );
});
