import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/kernel/bytes.js";
import { seededRandom } from "../../src/kernel/random.js";
import { settle } from "../testing.js";
import { openBench } from "./bench.test.support.js";
import { createChip } from "./chip.js";
import { createIssuer } from "./issuer.js";
import { mrzKey } from "./mrz.js";
import { knobsOf, PROFILE_NAMES } from "./options.js";
import { parsePaceSet } from "./pace.js";
import { PEOPLE } from "./people.js";
import { behaviourOf, personalise } from "./personalise.js";
import { answerToReset } from "./slot.js";
import { canBytes } from "./terminal.test.support.js";
import { createFrames, frame } from "./vpcd.js";

const GM = parsePaceSet("gm-aes128-13");
const GET_ATR = Uint8Array.of(4);
const POWER_ON = Uint8Array.of(1);
const READ_CARD_ACCESS = fromHex("00b09c0000");
const GET_UID = fromHex("ffca000000");

describe("the wire", () => {
  it("puts frames together however they are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 50 })),
        (contents, cuts) => {
          const bytes = Buffer.concat(contents.map(frame));
          const frames = createFrames();
          const whole: Uint8Array[] = [];
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            whole.push(...frames(new Uint8Array(bytes.subarray(at, at + cut))));
            at += cut;
          }
          expect(whole.map(toHex)).toEqual(contents.map(toHex));
        },
      ),
    );
  });

  it("answers nothing but an empty frame while no card lies there", async () => {
    const { ask, act } = openBench({ inserted: false });
    expect(await ask(GET_ATR)).toHaveLength(0);
    expect(await ask(READ_CARD_ACCESS)).toHaveLength(0);
    await act("insert");
    expect(toHex(await ask(GET_ATR))).toBe("3b8180018080");
    await act("lift");
    expect(await ask(GET_ATR)).toHaveLength(0);
  });

  it("every profile has an answer to reset of its own, with a right check byte", () => {
    const all = PROFILE_NAMES.map(answerToReset);
    expect(new Set(all.map(toHex)).size).toBe(PROFILE_NAMES.length);
    for (const atr of all) expect(atr.subarray(1).reduce((check, byte) => check ^ byte, 0)).toBe(0);
  });
});

describe("a card that comes and goes", () => {
  it("is lifted at an APDU: that one is answered by an empty frame, and the wire stays", async () => {
    const { ask, act, card, host } = openBench();
    await act("liftAtApdu", { n: 3 });
    expect((await ask(READ_CARD_ACCESS)).length).toBeGreaterThan(2);
    expect((await ask(READ_CARD_ACCESS)).length).toBeGreaterThan(2);
    expect(await ask(READ_CARD_ACCESS)).toHaveLength(0);
    expect(card.state()).toMatchObject({ cardPresent: false, card: null });
    expect(host.ended).toBe(false);
    await act("insert");
    expect(await ask(GET_ATR)).not.toHaveLength(0);
  });

  it("is seen to be gone once when it is swapped, and the next one knows nothing of the session", async () => {
    const { ask, act, card, terminal } = openBench();
    await terminal.pace(GM, canBytes(card.holder().idNumber), 2);
    await act("swap", { person: "B" });
    expect(await ask(GET_ATR)).toHaveLength(0);
    expect(await ask(GET_ATR)).not.toHaveLength(0);
    expect(card.state()).toMatchObject({ card: "card B", access: "none" });
    expect((await terminal.select()).sw).toBe(0x6988);
    expect(card.qr()).toContain("|30112005|Nam|");
  });

  it("draws another number at each activation, which begins with 08; a tag keeps its own", async () => {
    const { ask, host, act } = openBench();
    const first = await ask(GET_UID);
    host.send(frame(POWER_ON));
    const second = await ask(GET_UID);
    expect([first[0], second[0], first.length]).toEqual([0x08, 0x08, 6]);
    expect(toHex(second)).not.toBe(toHex(first));
    await act("swap", { person: "A", profile: "tag" });
    await ask(GET_ATR);
    expect(await ask(GET_UID)).toHaveLength(9);
    expect(toHex(await ask(READ_CARD_ACCESS))).toBe("6d00");
  });

  it("mute: answers no APDU until it is lifted", async () => {
    const { ask, act } = openBench({ mute: true });
    expect(await ask(GET_ATR)).not.toHaveLength(0);
    let answered = false;
    const pending = ask(READ_CARD_ACCESS).then((answer) => {
      answered = true;
      return answer;
    });
    await settle();
    expect(answered).toBe(false);
    await act("lift");
    expect(await pending).toHaveLength(0);
  });

  it("takes the time that it is told to: thinking, latency, and bytes over the air", async () => {
    const { ask, clock, host, act } = openBench({ inserted: false, delayMs: 2000, kbps: 106, latencyMs: 10 });
    await act("insert");
    await ask(GET_ATR);
    await ask(GET_ATR);
    host.send(frame(READ_CARD_ACCESS));
    await settle();
    await clock.advance(2009);
    expect(host.take()).toHaveLength(0);
    // 5 + 56 bytes at 106 kbit/s are 4.6 ms.
    await clock.advance(6);
    expect(host.take()).toHaveLength(2 + 56);
    expect(await ask(GET_ATR)).not.toHaveLength(0);
  });
});

describe("access", () => {
  it("a wrong CAN is told at the fourth step only", async () => {
    const { card, terminal } = openBench();
    const wrong = canBytes(card.holder().idNumber).map((digit) => (digit === 0x39 ? 0x30 : digit + 1));
    expect((await terminal.pace(GM, wrong, 2)).sw).toBe(0x6300);
    expect((await terminal.pace(GM, canBytes(card.holder().idNumber), 2)).sw).toBe(0x9000);
  });

  it("nothing is read before access; fingerprints never", async () => {
    const { terminal } = openBench();
    expect((await terminal.select()).sw).toBe(0x9000);
    for (const shortId of ["81", "82", "83", "8d", "9d"]) expect((await terminal.say(`00b0${shortId}00`, undefined, 4)).sw).toBe(0x6982);
    expect((await terminal.plain("00a4000c023f00")).sw).toBe(0x6d00);
    // The file lies beside the application, not in it.
    expect((await terminal.plain("00a4020c02011c")).sw).toBe(0x6982);
  });

  it.each(["gm-3des-12", "gm-aes192-15", "gm-aes256-17", "gm-aes256-18", "im-aes128-13", "im-aes256-16", "cam-aes128-13"])(
    "opens by %s",
    async (name) => {
      const { card, terminal } = openBench({ pace: ["gm-aes128-13", name].filter((set, at, all) => all.indexOf(set) === at) });
      expect((await terminal.pace(parsePaceSet(name), canBytes(card.holder().idNumber), 2)).sw).toBe(0x9000);
      expect((await terminal.select()).sw).toBe(0x9000);
      expect((await terminal.read(1))[0]).toBe(0x61);
    },
  );

  it("opens by BAC, and by 3DES chip authentication a new session begins", async () => {
    const { terminal, card } = openBench({ profile: "bac-only" });
    expect((await terminal.plain("00b09c0000")).sw).toBe(0x6a82);
    expect((await terminal.select()).sw).toBe(0x9000);
    const [person] = PEOPLE;
    expect((await terminal.bac(mrzKey(person as (typeof PEOPLE)[0]))).sw).toBe(0x9000);
    const dg14 = await terminal.read(14);
    const at = toHex(dg14).lastIndexOf("03420004");
    expect((await terminal.chipAuthentication(13, dg14.slice(at / 2 + 3, at / 2 + 68), "3des")).sw).toBe(0x9000);
    expect((await terminal.read(1))[0]).toBe(0x61);
    expect(card.state()).toMatchObject({ access: "bac", chipAuthenticated: true });
  });

  it("wants the parameter set named where there are several, and refuses PACE where told", async () => {
    const several = openBench({ profile: "many-pace" });
    expect((await several.terminal.plain("0022c1a40f800a04007f00070202040202830102")).sw).toBe(0x6a80);
    const refusing = openBench({ refusePace: true });
    expect((await refusing.terminal.pace(GM, canBytes("123456"), 2)).sw).toBe(0x6a80);
  });
});

/** A bench that has opened the card. */
async function opened(options: object, extended = true) {
  const bench = openBench(options, extended);
  await bench.terminal.pace(GM, canBytes(bench.card.holder().idNumber), 2);
  await bench.terminal.select();
  return bench;
}

describe("faults", () => {
  it("without extended length: a plain 6700, and the session is lost", async () => {
    const { terminal, ask } = await opened({ profile: "short-only" }, false);
    expect((await terminal.say("00b08100", undefined, 95)).data[0]).toBe(0x61);
    expect(toHex(await ask(fromHex("0cb0810000000e970200008e0800000000000000000000")))).toBe("6700");
    expect((await terminal.say("00b08100", undefined, 4)).sw).toBe(0x6988);
  });

  it.each([
    { beyondLeCap: "refuse", sw: 0x6700, length: 0 },
    { beyondLeCap: "tell", sw: 0x6cc0, length: 0 },
    { beyondLeCap: "short", sw: 0x9000, length: 192 },
  ])("more than Le cap: $beyondLeCap", async ({ beyondLeCap, sw, length }) => {
    const { terminal } = await opened({ leCap: 192, beyondLeCap });
    expect(await terminal.say("00b08200", undefined, 223)).toMatchObject({ sw, data: { length } });
    expect(await terminal.say("00b08200", undefined, 192)).toMatchObject({ sw: 0x9000, data: { length: 192 } });
  });

  it("gives 223 bytes in a short answer with AES, 6282 at the end of a file, 6B00 beyond it", async () => {
    const { terminal } = await opened({ activeAuthentication: "rsa-sha256" }, false);
    expect((await terminal.say("00b08200", undefined, 256)).data).toHaveLength(223);
    expect(await terminal.say("00b08150", undefined, 100)).toMatchObject({ sw: 0x6282, data: { length: 15 } });
    expect((await terminal.say("00b08160", undefined, 1)).sw).toBe(0x6b00);
    // A signature of 256 bytes fits no short answer.
    expect((await terminal.say("00880000", new Uint8Array(8), 256)).sw).toBe(0x6700);
  });

  it("gives a portrait of 100 kB, beyond 32 kB by the odd instruction", async () => {
    const { terminal } = await opened({ imageBytes: 100_000 });
    const dg2 = await terminal.read(2, 4096);
    expect(dg2.length).toBeGreaterThan(100_000);
    expect(toHex(dg2.subarray(0, 4))).toBe(`7583${(dg2.length - 5).toString(16).padStart(6, "0").slice(0, 4)}`);
  });

  it("a counter that slips ends the session", async () => {
    const { terminal } = await opened({ slipAtCommand: 3 });
    expect((await terminal.say("00b08100", undefined, 4)).sw).toBe(0x9000);
    expect((await terminal.say("00b08100", undefined, 4)).sw).toBe(0x6988);
    expect((await terminal.say("00b08100", undefined, 4)).sw).toBe(0x6988);
  });

  it("answers in pieces where told", async () => {
    const { ask, terminal } = await opened({ profile: "chunked" }, false);
    expect((await terminal.say("00b08200", undefined, 223)).sw).toBe(0x6100 | (242 - 128));
    const rest = await ask(fromHex("00c0000072"));
    expect([rest.length, toHex(rest.slice(-2))]).toEqual([242 - 128 + 2, "9000"]);
  });

  it("a copy has the right files and cannot prove its key", async () => {
    const { terminal } = await opened({ cloned: true });
    const dg14 = await terminal.read(14);
    const at = toHex(dg14).lastIndexOf("03420004") / 2;
    expect((await terminal.chipAuthentication(13, dg14.slice(at + 3, at + 68), "aes128")).sw).toBe(0x9000);
    expect((await terminal.say("00b08100", undefined, 4)).sw).toBe(0x6988);
  });

  it("the same card keeps its keys when it is laid there again; reset brings the options back", async () => {
    const { terminal, act, card } = await opened({});
    const dg14 = toHex(await terminal.read(14));
    const again = async (): Promise<string> => {
      terminal.channel = undefined;
      await terminal.say("00b09c00", undefined, 4);
      await terminal.pace(GM, canBytes(card.holder().idNumber), 2);
      await terminal.select();
      return toHex(await terminal.read(14));
    };
    await act("insert");
    expect(await again()).toBe(dg14);
    await act("card", { chipAuthentication: "aes256" });
    expect(await again()).not.toBe(dg14);
    await act("reset");
    expect(await again()).toBe(dg14);
  });
});

it("answers any bytes with a status word, in any state", { timeout: 60_000 }, async () => {
  const issuer = createIssuer("ecdsa-sha256", 0);
  const [person] = PEOPLE;
  const knobs = knobsOf("many-pace", { activeAuthentication: "ecdsa-sha256", bac: true });
  const content = await personalise({ person: person as (typeof PEOPLE)[0], knobs, issuer, random: seededRandom(1), nowMs: 0 });
  const chip = createChip(content, behaviourOf(knobs), seededRandom(2));
  const likely = fc.constantFrom(0xa4, 0xb0, 0xb1, 0x22, 0x84, 0x82, 0x88, 0xc0);
  const header = fc.tuple(fc.constantFrom(0x00, 0x0c, 0x10, 0x80), fc.oneof(likely, fc.nat(255)), fc.nat(255), fc.nat(255));
  const bytes = fc.uint8Array({ maxLength: 60 });
  const shaped = fc.tuple(header, bytes).map(([four, data]) => Uint8Array.of(...four, data.length, ...data, 0));
  fc.assert(
    fc.property(
      fc.oneof(
        bytes,
        shaped,
        fc.tuple(header, bytes).map(([four, data]) => Uint8Array.of(...four, ...data)),
      ),
      (command) => {
        const answer = chip.transmit(command);
        expect(answer.length).toBeGreaterThanOrEqual(2);
        expect([0x61, 0x62, 0x63, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x90]).toContain(answer.at(-2));
      },
    ),
    { numRuns: 20_000 },
  );
});
