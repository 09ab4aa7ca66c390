import { expect, it } from "vitest";
import { asciiBytes, fromHex, toHex } from "../../src/kernel/bytes.js";
import { settle } from "../testing.js";
import { kindOf, LAST, openBench, REGISTER, REGISTER_PRINTING, SALE, type Talk } from "./ecr.test.support.js";
import { FAULT_NAMES, type Fault } from "./faults.js";
import { INDISCREET_LINES, SECRETS } from "./indiscreet.js";
import { encodeBlock } from "./serial-block.js";

type Bench = Awaited<ReturnType<typeof openBench>>;
type Framing = "tcp" | "serial";

interface Case {
  readonly fault: Partial<Fault>;
  readonly framing?: Framing;
  readonly talk?: Talk;
  /** After a sale with this fault. */
  readonly check: (came: readonly string[], bench: Bench) => void | Promise<void>;
}

const counts = (came: readonly string[], kind: string): number => came.filter((apdu) => kindOf(apdu) === kind).length;
const paid = (bench: Bench): void => expect(bench.kinds()).toEqual(["sale 50000"]);
const takenBack = async (bench: Bench): Promise<void> => {
  await bench.clock.advance(400_000);
  expect(bench.kinds()).toEqual(["sale 50000", "auto-reversal -50000"]);
};
const block040f = /100204(?:ff01|0f)/;

const CASES: readonly Case[] = [
  {
    fault: { fault: "fragments", times: 7 },
    check: (came, bench) => {
      expect(counts(came, "040f")).toBe(1);
      paid(bench);
    },
  },
  {
    fault: { fault: "gap", apdu: "040f" },
    framing: "serial",
    check: (came, bench) => {
      expect(counts(came, "040f")).toBe(1);
      paid(bench);
    },
  },
  {
    // The ECR of this test does not ask for a damaged block again: it lets T2 pass.
    fault: { fault: "truncated", apdu: "040f" },
    framing: "serial",
    check: (came, bench) => {
      expect(counts(came, "040f")).toBe(1);
      paid(bench);
    },
  },
  {
    fault: { fault: "truncated", apdu: "040f" },
    check: async (came, bench) => {
      expect(counts(came, "040f")).toBe(0);
      expect(bench.host.ended).toBe(true);
      await takenBack(bench);
    },
  },
  {
    fault: { fault: "bad-crc", apdu: "040f", times: 2 },
    framing: "serial",
    check: (came, bench) => {
      expect(counts(came, "040f")).toBe(1);
      expect(bench.raw.match(/1002040f/g)).toHaveLength(3);
      paid(bench);
    },
  },
  {
    fault: { fault: "bad-crc", apdu: "040f", times: 3 },
    framing: "serial",
    check: async (came, bench) => {
      expect(counts(came, "040f")).toBe(0);
      await takenBack(bench);
    },
  },
  {
    fault: { fault: "ack-not-seen" },
    framing: "serial",
    check: (came, bench) => {
      expect(counts(came, "8000")).toBe(2);
      expect(bench.raw).toMatch(block040f);
      paid(bench);
    },
  },
  {
    fault: { fault: "garbage", times: 3 },
    framing: "serial",
    check: (came, bench) => {
      expect(counts(came, "040f")).toBe(1);
      paid(bench);
    },
  },
  {
    fault: { fault: "dle-storm" },
    framing: "serial",
    check: (came, bench) => {
      expect(came.find((apdu) => apdu.startsWith("040f"))).toContain("3cf1f0f0".concat("10".repeat(100)));
      expect(bench.raw).toContain("10".repeat(200));
      paid(bench);
    },
  },
  {
    fault: { fault: "long-length" },
    check: (came, bench) => {
      expect(came.find((apdu) => apdu.startsWith("040fff"))).toContain("3cf3f0f0");
      paid(bench);
    },
  },
  {
    fault: { fault: "no-answer" },
    check: (came, bench) => {
      expect(counts(came, "8000")).toBe(0);
      paid(bench);
    },
  },
  {
    fault: { fault: "refuse", code: 0xa0, times: 2 },
    check: async (came, bench) => {
      expect([...came, ...(await bench.talk(SALE))]).toEqual(["84a000", "84a000"]);
      await bench.talk(SALE);
      paid(bench);
    },
  },
  {
    fault: { fault: "silence", step: "host-asked" },
    check: async (came, bench) => {
      expect(counts(came, "040f")).toBe(0);
      expect(counts(await bench.talk(undefined, { budgetMs: 190_000 }), "040f")).toBe(1);
      paid(bench);
    },
  },
  {
    fault: { fault: "endless-status" },
    check: async (came, bench) => {
      expect(counts(came, "04ff")).toBeGreaterThan(15);
      bench.terminal.detach();
      await takenBack(bench);
    },
  },
  {
    fault: { fault: "late-status-information", ms: 15_000 },
    talk: { budgetMs: 14_000 },
    check: async (came, bench) => {
      expect(counts(came, "040f")).toBe(0);
      expect(counts(await bench.talk(undefined), "040f")).toBe(1);
      paid(bench);
    },
  },
  {
    fault: { fault: "duplicate-status-information" },
    check: (came, bench) => {
      expect(came.map(kindOf).slice(-4)).toEqual(["040f", "040f", "04ff", "060f"]);
      paid(bench);
    },
  },
  {
    fault: { fault: "stray-status-information" },
    check: (came, bench) => {
      expect(came.map(kindOf).slice(-2)).toEqual(["060f", "040f"]);
      paid(bench);
    },
  },
  {
    fault: { fault: "no-result" },
    check: (came) => expect(came.find((apdu) => apdu.startsWith("040f"))).toMatch(/^040f..04000000050000/),
  },
  {
    fault: { fault: "wrong-amount" },
    check: (came) => expect(came.find((apdu) => apdu.startsWith("040f"))).toMatch(/^040f..270004000000050001/),
  },
  {
    fault: { fault: "wrong-terminal" },
    check: (came) => expect(came.find((apdu) => apdu.startsWith("040f"))).toContain("2999999999"),
  },
  {
    fault: { fault: "abort-instead" },
    check: async (came, bench) => {
      expect(came.map(kindOf)).not.toContain("040f");
      expect(came.slice(-2)).toEqual(["04ff0105", "061e016c"]);
      await takenBack(bench);
    },
  },
  {
    fault: { fault: "abort-after-status", code: 0x83 },
    check: (came, bench) => {
      expect(counts(came, "040f")).toBe(1);
      expect(came.at(-1)).toBe("061e0183");
      paid(bench);
    },
  },
  {
    fault: { fault: "completion-dropped" },
    check: async (came, bench) => {
      expect(came.at(-1)).toBe("04ff010b");
      paid(bench);
      expect((await bench.talk(LAST)).map(kindOf)).toEqual(["8000", "040f", "060f"]);
    },
  },
  {
    fault: { fault: "print-flood", lines: 300 },
    check: (came, bench) => {
      expect(counts(came, "06d1")).toBe(300);
      paid(bench);
    },
  },
  {
    fault: { fault: "coalesced" },
    check: (came, bench) => {
      expect(came.slice(0, 2)).toEqual(["800000", "04ff010a"]);
      paid(bench);
    },
  },
];

it.each(CASES.map((one) => [one.fault.fault, one.framing ?? "tcp", one] as const))("%s over %s", async (_name, framing, one) => {
  const bench = await openBench({ framing });
  await bench.talk(REGISTER);
  await bench.act("inject", one.fault);
  await one.check(await bench.talk(SALE, one.talk), bench);
  expect(bench.terminal.state().faultsPending).toBe(0);
  await bench.terminal.close();
});

it("an indiscreet terminal tells all of a card and takes the payment; then it is discreet again", async () => {
  for (const printWith of ["lines", "block"]) {
    const bench = await openBench({ printWith }, [{ fault: "indiscreet", times: 2 }]);
    await bench.talk(REGISTER_PRINTING);
    const came = (await bench.talk(SALE)).join(" ");
    const fields = [
      "22f0f89704365471150018",
      "0e3012",
      "2df5f2",
      "23f1f9",
      "24f0f2f0",
      "3a4711",
      "3cf0f6",
      "06795a08",
      "5a089704365471150018",
      "5713",
    ];
    for (const field of fields) expect(came, field).toContain(field);
    for (const line of INDISCREET_LINES) expect(came, line).toContain(toHex(asciiBytes(line)));
    expect(came.endsWith("060f00")).toBe(true);
    paid(bench);
    expect(bench.terminal.state().faultsPending).toBe(0);
    const after = (await bench.talk(SALE)).join(" ");
    expect(after).not.toContain(SECRETS.pan);
    expect(after).not.toContain(toHex(asciiBytes(SECRETS.pan)));
  }
});

it("NAK once, twice, three times, and a lost ACK: the block is taken once, however often it comes", async () => {
  for (const times of [1, 2, 3]) {
    const { host, act, terminal } = await openBench({ framing: "serial" });
    await act("inject", { fault: "nak", times });
    for (let sending = 0; sending < times; sending++) host.send(encodeBlock(fromHex(REGISTER)));
    await settle();
    expect(toHex(host.take())).toBe("15".repeat(times));
    expect(terminal.state().registered).toBe(false);
  }
  const { host, act, clock } = await openBench({ framing: "serial" });
  await act("inject", { fault: "ack-not-sent" });
  const command = encodeBlock(fromHex(REGISTER));
  host.send(command);
  await settle();
  const answer = "10028000001003f51f";
  expect(toHex(host.take())).toBe(answer);
  host.send(command);
  await settle();
  expect(toHex(host.take())).toBe("06");
  await clock.advance(5000);
  // Not acknowledged either: the answer comes again, and there is one.
  expect(toHex(host.take())).toBe(answer);
  host.send(Uint8Array.of(0x06));
  await settle();
  expect(toHex(host.take())).toMatch(/^1002060f/);
  host.send(Uint8Array.of(0x06));
  host.send(encodeBlock(fromHex("80 00 00")));
  await clock.advance(60_000);
  expect(toHex(host.take())).toBe("06");
});

it("a command whose answer was never acknowledged is given up, and taken when it comes again", async () => {
  const { host, clock, terminal } = await openBench({ framing: "serial" });
  const command = encodeBlock(fromHex("05 01 03 123456"));
  for (let time = 0; time < 2; time++) {
    host.send(command);
    await clock.advance(60_000);
    expect(toHex(host.take())).toMatch(/^06(10028000001003f51f){3}1002060f/);
  }
  expect(terminal.state().unknownCommands).toBe(0);
});

it("80 00 00 and the message after it come in one piece", async () => {
  const bench = await openBench();
  const pieces: string[] = [];
  const { write } = bench.host.farEnd;
  Object.assign(bench.host.farEnd, {
    write: (bytes: Uint8Array, signal: AbortSignal) => {
      pieces.push(toHex(bytes));
      return write(bytes, signal);
    },
  });
  await bench.act("inject", { fault: "coalesced" });
  await bench.talk(REGISTER);
  expect(pieces[0]).toMatch(/^800000060f/);
});

it("an abort may be ignored, or lose a race against an approval", async () => {
  for (const fault of ["abort-ignored", "approve-races-abort"] as const) {
    const bench = await openBench({ cardholder: fault === "abort-ignored" ? "auto" : "manual", presentMs: 500, removeTimeoutMs: 0 });
    await bench.registered();
    await bench.act("inject", { fault });
    let sent = false;
    const came = await bench.talk(SALE, {
      async meanwhile() {
        if (!sent) await bench.send("06 b0 00");
        sent = true;
      },
    });
    expect(counts(came, "8000"), fault).toBe(2);
    expect(came.at(-1), fault).toBe("060f00");
    paid(bench);
  }
});

it("04 0F of the previous sale, instead of this one's", async () => {
  const bench = await openBench();
  await bench.registered();
  const first = (await bench.talk(SALE)).find((apdu) => apdu.startsWith("040f"));
  await bench.act("inject", { fault: "stale-status-information" });
  const came = await bench.talk(SALE, { answer: (apdu) => (apdu === first ? "84 83 00" : "80 00 00") });
  expect(came.filter((apdu) => apdu.startsWith("040f"))).toEqual([first]);
  expect(bench.kinds()).toEqual(["sale 50000", "sale 50000", "auto-reversal -50000"]);
});

it("the answer to 04 0F decides: yes, no, wait, nothing", async () => {
  const answers: readonly (readonly [answer: string | undefined, statusInformations: number, kept: boolean])[] = [
    ["80 00 00", 1, true],
    ["84 00 00", 1, true],
    ["84 83 00", 1, false],
    ["80 01 00", 1, false],
    [undefined, 1, false],
    ["84 9d 00", 1, true],
  ];
  for (const [answer, times, kept] of answers) {
    const bench = await openBench();
    await bench.registered();
    const came = await bench.talk(SALE, { answer: (apdu) => (apdu.startsWith("040f") ? answer : "80 00 00") });
    expect(counts(came, "040f"), answer).toBe(times);
    expect(came.at(-1), answer).toBe(kept ? "060f00" : "061e016c");
    expect(bench.kinds(), answer).toEqual(kept ? ["sale 50000"] : ["sale 50000", "auto-reversal -50000"]);
  }
  const patient = await openBench();
  await patient.registered();
  const came = await patient.talk(SALE, {
    answer: (apdu, count) => (apdu.startsWith("040f") && count < 4 ? "84 9c 00" : "80 00 00"),
  });
  const told = came.filter((apdu) => apdu.startsWith("040f"));
  expect(told).toHaveLength(4);
  expect(new Set(told).size).toBe(1);
  paid(patient);
});

it("every fault is tried here", () => {
  const elsewhere = [
    "indiscreet",
    "nak",
    "ack-not-sent",
    "abort-ignored",
    "approve-races-abort",
    "stale-status-information",
    "disconnect",
    "reboot",
  ];
  const tried = new Set([...CASES.map(({ fault }) => fault.fault), ...elsewhere]);
  expect(FAULT_NAMES.filter((name) => !tried.has(name))).toEqual([]);
});
