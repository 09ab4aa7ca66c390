import { expect, it } from "vitest";
import { asciiBytes, fromHex, toHex } from "../../src/kernel/bytes.js";
import { settle } from "../testing.js";
import { createApduSplitter, decodeApdu, encodeApdu } from "./apdu.js";
import { fieldOf, kindOf, LAST, openBench, REGISTER, REGISTER_PRINTING, SALE, YES } from "./ecr.test.support.js";
import { encodeStatusInformation, readFields } from "./fields.js";
import { printBlock } from "./receipt.js";
import { blockCrc, createBlockReader, encodeBlock } from "./serial-block.js";

const PAID = [YES, "04ff010a", "04ff0104", "04ff011c", "040f", "04ff010b", "060f00"].map((apdu) => apdu.replaceAll(" ", ""));
const short = (apdu: string): string => (apdu.startsWith("040f") ? "040f" : apdu);

it("checks and stuffs blocks as real terminals do", () => {
  const completion = fromHex("060f0bf0f0f7322e31342e313500");
  expect(toHex(encodeBlock(completion))).toBe("1002060f0bf0f0f7322e31342e3135001003b111");
  expect(toHex(encodeBlock(fromHex("800000")))).toBe("10028000001003f51f");
  expect(toHex(encodeBlock(fromHex("04ff0110")))).toMatch(/^100204ff0110101003/);
  expect(blockCrc(new Uint8Array())).not.toBe(0);
  const reader = createBlockReader();
  const noisy = fromHex(`ff 06 15 ${toHex(encodeBlock(completion))} 10 02 11 10 05`);
  // Begun again in the middle; and one that never ends.
  const again = reader.read(fromHex(`10 02 80 00 ${toHex(encodeBlock(completion))}`));
  expect(again).toEqual([{ kind: "block", apdu: completion }]);
  const endless = reader.read(Uint8Array.from({ length: 70_000 }, (_, index) => (index === 0 ? 0x10 : index === 1 ? 0x02 : 0x41)));
  expect(endless.map(({ kind }) => kind)).toEqual(["damaged"]);
  expect([...noisy].flatMap((byte) => reader.read(Uint8Array.of(byte))).map(({ kind }) => kind)).toEqual([
    "ack",
    "nak",
    "block",
    "damaged",
  ]);
});

it("writes the fields of a captured status information, in their order, and other captured messages", () => {
  const body = encodeStatusInformation({
    result: 0,
    amount: 2500,
    currency: "0978",
    time: "225558",
    date: "0405",
    maskedPan: "559883EEEEEE8074",
    receipt: 231,
    authorisation: "750071",
    trace: 975,
    paymentType: 0x60,
    terminalId: "52523535",
    expiry: "2405",
    cardType: 6,
    networkCard: 1,
    cardName: "MasterCard",
    contract: "804011926",
  });
  expect(toHex(encodeApdu(0x040f, body))).toBe(
    "040f5a2700040000000025004909780c2255580d040522f0f8559883eeeeee80748702313b37353030373100000b00097519602952523535" +
      "0e24058a068c018bf1f14d6173746572436172640" +
      "02a383034303131393236202020202020",
  );
  expect(toHex(encodeApdu(0x04ff, Uint8Array.of(0x17)))).toBe("04ff0117");
  expect(toHex(encodeApdu(0x060f))).toBe("060f00");
  expect(decodeApdu(fromHex("06 1e 04 b8 87 ff ff"))).toEqual({ command: 0x061e, body: fromHex("b887ffff") });
  expect(readFields(fromHex("19 40 49 0978 04 000000002500 06 10 e9 0e 1f62 02 4143 1f63 06 333834484832"))?.get(0x49)).toEqual(
    fromHex("0978"),
  );
  // As the captured 06 D3: 1F07 kind of receipt, 25 of lines 07, and 09 FF at the end.
  expect(toHex(printBlock(1, ["", "AB"]))).toBe("060f1f07010125090700070241420901ff");
  const long = toHex(
    encodeApdu(
      0x06d3,
      printBlock(
        2,
        Array.from({ length: 26 }, () => "x".repeat(40)),
      ),
    ),
  );
  expect(long).toMatch(/^06d3ff....06 ?82....1f070102 ?2582/);
});

it("splits a stream of messages wherever it was cut, long lengths too", () => {
  const apdus = [encodeApdu(0x8000), encodeApdu(0x06d3, new Uint8Array(255).fill(0xff)), encodeApdu(0x060f, asciiBytes("x"))];
  const stream = fromHex(apdus.map(toHex).join(""));
  expect(toHex(stream).slice(6, 16)).toBe("06d3ffff00");
  for (const size of [1, 2, 7, 300]) {
    const split = createApduSplitter();
    const got: string[] = [];
    for (let at = 0; at < stream.length; at += size) {
      for (const { command, body } of split(stream.subarray(at, at + size))) got.push(toHex(encodeApdu(command, body)));
    }
    expect(got).toEqual(apdus.map(toHex));
  }
});

it.each(["tcp", "serial"] as const)(
  "a sale over %s: registration, intermediate status, two phases, completion, last receipt",
  async (framing) => {
    const { terminal, talk, kinds } = await openBench({ framing });
    expect(await talk(SALE)).toEqual(["848300"]);
    expect(await talk(REGISTER)).toEqual(["800000", "060f0a19002952500001490704"]);
    const came = await talk(SALE);
    expect(came.map(short)).toEqual(PAID);
    const told = came.find((apdu) => apdu.startsWith("040f")) ?? "";
    expect(told).toMatch(/^040f..2700 ?04000000050000490704/);
    expect(fieldOf(told, "87", 2)).toBe("0001");
    expect(fieldOf(told, "22f0f8", 8)).toBe("970436eeeeee0018");
    expect(terminal.ledger()).toEqual([
      { receipt: 1, trace: 1, amountVnd: 50_000, kind: "sale", hostApproved: true, net: 50_000, card: "other" },
    ]);
    expect(await talk(LAST)).toEqual(["800000", told, "060f00"]);
    expect(kinds()).toEqual(["sale 50000"]);
    const state = JSON.stringify(terminal.state());
    expect(state).toContain('"netVnd":50000');
    expect(state).not.toMatch(/970436|0018/);
  },
);

it("speaks blocks on a serial line: ACK before the answer, a bad block gets NAK, half a block too after T1", async () => {
  const bench = await openBench({ framing: "serial" });
  await bench.send(REGISTER);
  expect(toHex(bench.host.take())).toBe("0610028000001003f51f");
  const broken = await openBench({ framing: "serial" });
  broken.host.send(fromHex("10 02 80 00 00 10 03 f5 00"));
  await settle();
  expect(toHex(broken.host.take())).toBe("15");
  broken.host.send(fromHex("10 02 06 01"));
  await broken.clock.advance(199);
  expect(toHex(broken.host.take())).toBe("");
  await broken.clock.advance(1);
  expect(toHex(broken.host.take())).toBe("15");
});

it("refuses a wrong password, another currency, an unreadable command and one that it does not know", async () => {
  const { terminal, talk } = await openBench();
  expect(await talk("06 00 06 000000 0a 0704")).toEqual(["848300"]);
  // The captured registration asks for euros.
  expect(await talk("06 00 06 123456 de 0978")).toEqual(["846f00"]);
  await talk(REGISTER);
  for (const [command, code] of [
    ["06 01 0a 04 000000050000 49 0978", "6f"],
    ["06 01 07 04 00000005000f", "9a"],
    ["06 01 07 04 000000000000", "9a"],
    ["06 01 01 f1", "9a"],
    ["06 01 04 04 000005", "9a"],
    ["06 22 00", "83"],
  ] as const) {
    expect(await talk(command), command).toEqual([`84${code}00`]);
  }
  expect(terminal.state()).toMatchObject({ unknownCommands: 1, sales: 0 });
  const euro = await openBench({ currency: "0978" });
  expect((await euro.talk("06 00 06 123456 de 0978")).at(-1)).toBe("060f0a19002952500001490978");
});

it("a declined sale: 04 0F with the code, then 06 1E; every code of the host passes", async () => {
  const { talk, act, registered, kinds } = await openBench();
  await registered();
  for (const code of [0x01, 0x33, 0x63, 0x64, 0x78, 0x7d, 0xff]) {
    await act("decline", { code });
    const came = await talk(SALE);
    const hex = code.toString(16).padStart(2, "0");
    expect(came.find((apdu) => apdu.startsWith("040f"))).toMatch(new RegExp(`^040f..27${hex}`));
    expect(came).toContain("04ff011d");
    expect(came.at(-1)).toBe(`061e01${hex}`);
  }
  expect(kinds().every((entry) => entry === "sale 0")).toBe(true);
  // None of them is a receipt to repeat.
  expect((await talk(LAST)).at(-1)).toBe("061e0183");
  const keeping = await openBench({ keepDeclined: true });
  await keeping.registered();
  await keeping.act("decline", {});
  await keeping.talk(SALE);
  expect((await keeping.talk(LAST))[1]).toMatch(/^040f..2705/);
});

it("by hand: card, wrong PIN, approval, and a card that is left inside", async () => {
  const { talk, act, registered, terminal } = await openBench({ cardholder: "manual", removeTimeoutMs: 3000 });
  await registered();
  const did = new Set<string>();
  const once = async (what: string, params = {}): Promise<void> => {
    if (did.has(what)) return;
    did.add(what);
    await act(what, params);
  };
  const came = await talk(SALE, {
    async meanwhile(all) {
      if (all.includes("04ff010a")) await once("present", { card: "visa" });
      if (terminal.state().step === "card-presented") await once("wrongPin");
      if (all.includes("04ff0115")) await once("approve");
    },
  });
  expect(came.map(short)).toEqual([...PAID.slice(0, 2), "04ff0101", "04ff0115", ...PAID.slice(2)]);
  expect(came.find((apdu) => apdu.startsWith("040f"))).toContain("22f0f8412345eeeeee1234");
  expect(terminal.state()).toMatchObject({ cardInside: true });
  await act("removeCard");
  expect(terminal.state()).toMatchObject({ cardInside: false });
  for (let time = 0; time < 3; time++) await act("wrongPin");
  await act("present");
  const tired = await talk(SALE);
  expect(tired.filter((apdu) => apdu === "04ff0115")).toHaveLength(3);
  expect(tired.at(-1)).toBe("061e014b");
});

it("ends with 6C when nobody comes, when they cancel, and when the ECR aborts before a card was read", async () => {
  const { talk, send, act, registered, terminal } = await openBench({ cardholder: "manual", cardTimeoutMs: 5000 });
  await registered();
  expect((await talk(SALE)).at(-1)).toBe("061e016c");
  expect(await talk(SALE, { meanwhile: () => act("cancelByCustomer") })).toContain("061e016c");
  let aborted = false;
  const came = await talk(SALE, {
    async meanwhile() {
      if (!aborted) await send("06 b0 00");
      aborted = true;
    },
  });
  expect(came).toEqual(["800000", "04ff010a", "800000", "061e016c"]);
  // Later it is answered and changes nothing.
  await act("present");
  let late = false;
  const paid = await talk(SALE, {
    async meanwhile(all) {
      if (!late && terminal.state().step === "card-presented") {
        await send("06 b0 00");
        late = true;
        await act("approve");
        await act("removeCard");
      }
      void all;
    },
  });
  expect(late).toBe(true);
  expect(paid.filter((apdu) => apdu === "800000")).toHaveLength(2);
  expect(paid.at(-1)).toBe("060f00");
  expect(terminal.ledger()).toHaveLength(1);
});

it("may have a receipt of an earlier day, which is none of its ledger's; state shows the newest entries and no card", async () => {
  const { talk, registered, terminal } = await openBench({ earlierReceipt: true, nextReceipt: 118 });
  await registered();
  expect((await talk(LAST))[1]).toContain("870117");
  expect(terminal.state()).toMatchObject({ ledger: [], plugged: true, on: true });
  for (let time = 0; time < 7; time++) await talk(SALE);
  const { ledger } = terminal.state();
  expect(ledger).toHaveLength(6);
  expect(ledger).toContainEqual({ kind: "sale", receipt: 124, amountVnd: 50_000, hostApproved: true, net: 50_000 });
  expect((await talk(LAST))[1]).toContain("870124");
});

it("takes a sale back by receipt number, once, and tells the original trace", async () => {
  const { talk, registered, kinds } = await openBench();
  await registered();
  await talk(SALE);
  expect((await talk("06 30 06 123456 87 0009")).at(-1)).toBe("061e01b5");
  expect((await talk("06 30 0d 123456 87 0001 04 000000049999")).at(-1)).toBe("061e01b5");
  const came = await talk("06 30 06 123456 87 0001");
  expect(came.map(kindOf)).toEqual(["8000", "04ff", "040f", "060f"]);
  expect(came[2]).toContain("8700020b00000237000001");
  expect((await talk("06 30 06 123456 87 0001")).at(-1)).toBe("061e01b4");
  expect((await talk("06 30 06 000000 87 0001")).at(-1)).toBe("848300");
  expect(kinds()).toEqual(["sale 50000", "reversal -50000"]);
  expect((await talk(LAST))[1]).toBe(came[2]);
});

it("the end of day counts what stands, in columns of cards, and is the last receipt then", async () => {
  const { talk, act, registered } = await openBench({ cardholder: "manual", removeTimeoutMs: 0 });
  await registered();
  for (const card of ["visa", "napas", "visa"]) {
    await act("present", { card });
    await act("approve");
    await talk(SALE);
    await act("removeCard");
  }
  await talk("06 30 06 123456 87 0003");
  const came = await talk("06 50 03 123456");
  const none = "00000000000000";
  const one = "01000000050000";
  expect(came[2]).toMatch(/^040f..2700 ?04000000100000/);
  expect(came[2]).toContain(`60f0f5f300010004${none.repeat(4)}${one}${none}${one}`);
  expect(await talk(LAST)).toContain(came[2]);
  // The day is closed: its sales cannot be taken back any more, and the next one begins at nothing.
  expect((await talk("06 30 06 123456 87 0001")).at(-1)).toBe("061e01b5");
  expect((await talk("06 50 03 123456"))[2]).toMatch(/^040f..2700 ?04000000000000/);
});

it("the receipt number goes from 9999 to 1, trace and turnover from 999999", async () => {
  const { talk, act, registered, terminal } = await openBench();
  await registered();
  await act("counters", { receipt: 9999, trace: 999_999, turnover: 999_999 });
  await talk(SALE);
  const [, , , , told = ""] = await talk(SALE);
  expect(terminal.ledger().map(({ receipt, trace }) => [receipt, trace])).toEqual([
    [9999, 999_999],
    [1, 1],
  ]);
  expect(fieldOf(told, "88", 3)).toBe("000001");
});

it("prints through the ECR only where it asked to: lines, or one block", async () => {
  const silent = await openBench();
  await silent.registered();
  expect((await silent.talk(SALE)).map(kindOf)).not.toContain("06d1");
  const { talk } = await openBench();
  await talk(REGISTER_PRINTING);
  const lines = (await talk(SALE)).filter((apdu) => apdu.startsWith("06d1"));
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.map((line) => line.slice(6, 8))).toEqual([...lines.slice(1).map(() => "00"), "81"]);
  expect((await talk(LAST)).map(kindOf)).toEqual(["8000", "040f", "060f"]);
  expect((await talk("06 20 05 123456 03 01")).map(kindOf)).toEqual(["8000", "040f", ...lines.map(() => "06d1"), "060f"]);
  expect((await talk("06 20 03 123456")).map(kindOf)).toEqual(["8000", ...lines.map(() => "06d1"), "060f"]);
  const block = await openBench({ printWith: "block" });
  await block.talk(REGISTER_PRINTING);
  expect((await block.talk(SALE)).filter((apdu) => apdu.startsWith("06d3ff"))).toHaveLength(1);
});

it("tells what it is doing: ready, busy with another wire's sale, taking a sale back", async () => {
  const { talk, send, take, registered, connect } = await openBench({ hostMs: 8000 });
  // As captured: version 2.14.15, ready.
  await registered();
  expect(await talk("05 01 03 123456")).toEqual(["800000", "060f0bf0f0f7322e31342e313500"]);
  // Two at once: one is enough.
  await send("05 01 03 123456 05 01 03 123456");
  expect((await take()).map(kindOf).sort()).toEqual(["060f", "8000", "84a0"]);
  await send("80 00 00");
  await talk(SALE, { budgetMs: 1000 });
  await connect();
  expect(await talk("05 01 03 123456")).toEqual(["800000", "060f0bf0f0f7322e31342e31359c"]);
  expect(await talk(SALE)).toEqual(["84a000"]);
  // The host answers, nobody confirms.
  await talk(undefined, { budgetMs: 8500 });
  expect(await talk("05 01 03 123456")).toEqual(["800000", "04ff0105", "060f0bf0f0f7322e31342e31359c"]);
  await talk(undefined, { budgetMs: 3000 });
  expect(await talk("05 01 03 123456")).toEqual(["800000", "060f0bf0f0f7322e31342e313500"]);
});
