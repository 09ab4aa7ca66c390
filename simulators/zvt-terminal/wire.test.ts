import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, it } from "vitest";
import { concatBytes, fromHex, toHex } from "../../src/kernel/bytes.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { simulatorKinds } from "../index.js";
import { serveTcp } from "../serve.js";
import { settle } from "../testing.js";
import { createApduSplitter, encodeApdu } from "./apdu.js";
import { kindOf, LAST, openBench, REGISTER, SALE, YES } from "./ecr.test.support.js";
import { zvtTerminal } from "./index.js";
import { createBlockReader, encodeBlock } from "./serial-block.js";

/** Sends a command and says yes to whatever comes, until it is over or the socket ends. */
async function talk(socket: Socket, command: string): Promise<string[]> {
  const split = createApduSplitter();
  const all: string[] = [];
  await new Promise<void>((over) => {
    const hear = (chunk: Buffer): void => {
      for (const apdu of split(chunk)) {
        all.push(toHex(encodeApdu(apdu.command, apdu.body)));
        if (apdu.command >> 8 !== 0x80) socket.write(fromHex("800000"));
      }
      if (!["060f", "061e"].includes(kindOf(all.at(-1) ?? ""))) return;
      socket.off("data", hear).off("close", over);
      over();
    };
    socket.on("data", hear).once("close", over);
    socket.write(fromHex(command));
  });
  return all;
}

it("behind a real socket: pays, loses the wire after 04 0F, takes that back, and repeats the first receipt", async () => {
  const options = zvtTerminal.options.parse({ presentMs: 0, hostMs: 0, removeMs: 0, autoReversalMs: 0 });
  let changes = 0;
  const changed = (): void => {
    changes += 1;
  };
  const terminal = zvtTerminal.create(options, { clock: systemClock(), random: seededRandom(1), changed });
  const served = await serveTcp(terminal, { host: "127.0.0.1", port: 0 });
  const dial = async (): Promise<Socket> => {
    const socket = connect(served.port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  };
  const first = await dial();
  await talk(first, REGISTER);
  const told = (await talk(first, SALE)).filter((apdu) => apdu.startsWith("040f"));
  const step = terminal.actions.disconnectAt;
  await step?.act(step.params.parse({ step: "status-information-sent" }));
  const broken = await talk(first, SALE);
  expect(broken.map(kindOf).at(-1)).toBe("040f");
  while (terminal.ledger().length < 3) await new Promise((resolve) => setImmediate(resolve));
  const second = await dial();
  await talk(second, REGISTER);
  expect((await talk(second, LAST)).filter((apdu) => apdu.startsWith("040f"))).toEqual(told);
  expect(terminal.state()).toMatchObject({ attached: true, netVnd: 50_000, autoReversals: 1 });
  expect(changes).toBeGreaterThan(10);
  second.destroy();
  await terminal.close();
  await served.close();
});

it("can be had by its name, takes scripted faults as a knob, and refuses knobs that make no sense", async () => {
  expect(simulatorKinds).toContain(zvtTerminal);
  for (const wrong of [{ framing: "usb" }, { currency: "VND" }, { faults: [{ fault: "earthquake" }] }, { nextReceipt: 0 }]) {
    expect(zvtTerminal.options.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  }
  const { talk: say, kinds, registered, clock } = await openBench({}, [{ fault: "disconnect", step: "host-asked", host: "declined" }]);
  await registered();
  await say(SALE);
  await clock.advance(1000);
  expect(kinds()).toEqual(["sale 0"]);
});

it("a slow cardholder takes longer; a reset in mid-sale leaves an empty ledger and no charge behind", async () => {
  const { talk: say, act, registered, terminal, clock, connect: dial, host } = await openBench();
  await registered();
  await act("slow", { ms: 30_000 });
  expect((await say(SALE, { budgetMs: 25_000 })).at(-1)).toBe("04ff010a");
  expect((await say(undefined, { budgetMs: 100_000 })).at(-1)).toBe("060f00");
  await act("slow", { ms: 0 });
  await act("inject", { fault: "silence", step: "host-answered", ms: 60_000 });
  await say(SALE, { budgetMs: 1000 });
  expect(terminal.state()).toMatchObject({ sales: 2, procedure: "0601", step: "host-answered" });
  await act("reset");
  expect(host.ended).toBe(true);
  await clock.advance(600_000);
  expect(terminal.ledger()).toEqual([]);
  expect(terminal.state()).toMatchObject({ procedure: null, registered: false, faultsPending: 0, nextReceipt: 1 });
  await dial();
  await registered();
  expect((await say(SALE)).at(-1)).toBe("060f00");
});

it("serial: an ACK and an answer that is the same as the last one may come in one piece", async () => {
  const bench = await openBench({ framing: "serial" });
  await bench.talk(REGISTER);
  const blocks = createBlockReader();
  bench.host.send(encodeBlock(fromHex(SALE)));
  const [ack, yes] = [Uint8Array.of(0x06), encodeBlock(fromHex("800000"))];
  let answers = 0;
  for (let spent = 0; spent < 1_000; spent += 10) {
    await bench.clock.advance(10);
    for (const token of blocks.read(bench.host.take())) {
      if (token.kind !== "block") continue;
      if (token.apdu[0] === 0x80) bench.host.send(ack);
      else if (answers++ % 2 === 1) bench.host.send(concatBytes([ack, yes]));
      else {
        bench.host.send(ack);
        await settle();
        bench.host.send(yes);
      }
    }
  }
  expect(bench.kinds()).toEqual(["sale 50000"]);
  expect(bench.terminal.state().procedure).toBe(null);
});

it("tcp: a command may come in one piece with the answer that ends the one before", async () => {
  const bench = await openBench();
  await bench.send(REGISTER);
  await bench.send(YES + LAST);
  expect((await bench.take()).map(kindOf)).toEqual(["8000", "060f", "8000", "061e"]);
});

it("a pulled wire lets none in until it is plugged again", async () => {
  const bench = await openBench();
  await bench.act("unplug");
  await bench.connect();
  expect(bench.host.ended).toBe(true);
  await bench.act("plug");
  await bench.connect();
  expect((await bench.talk(REGISTER)).map(kindOf)).toEqual(["8000", "060f"]);
});
