import { afterEach, expect, it } from "vitest";
import type { DriverContext } from "../../../contracts/driver.js";
import type {
  InterruptedPayment,
  PaymentFacts,
  PaymentOutcome,
  PaymentSteps,
  PaymentTerminal,
} from "../../../contracts/payment-terminal.js";
import { type ManualClock, manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { Link } from "../../../kernel/link.js";
import { silentLog } from "../../../kernel/log.js";
import { seededRandom } from "../../../kernel/random.js";
import { memoryPair } from "../../../transports/memory.js";
import { decodeMessage, encodeMessage, type Fields, FRAME } from "./codec.js";
import { bankTemplate } from "./driver.js";
import { createFramer, encodeFrame } from "./framing.js";
// Loaded by now: a clock that is moved by hand waits for no file.
import "./device.js";

const never = new AbortController().signal;
const AMOUNT = 50_000;
const HOUR_MS = 3_600_000;
const BEFORE: Fields = {
  type: "S",
  result: "00",
  amountVnd: "10000",
  traceNumber: "000041",
  approvalCode: "AAA111",
  terminalId: "12345678",
};
const OURS: Fields = { ...BEFORE, amountVnd: String(AMOUNT), traceNumber: "000042", approvalCode: "BBB222" };
const VOIDED: Fields = { ...OURS, type: "V", traceNumber: "000043", originalTrace: "000042" };

/** The far end: a terminal that answers as it is told to. */
interface Rig {
  readonly clock: ManualClock;
  readonly events: string[];
  readonly terminal: PaymentTerminal;
  link: Link;
  last: Fields | undefined;
  /** What it does on a sale or void, its ACK sent. */
  onOrder: () => Promise<unknown>;
  ackOrders: boolean;
  answer(kind: string, code: string, fields?: Fields, damage?: boolean): Promise<void>;
  run<T>(work: Promise<T>): Promise<T>;
  pay(given?: Partial<PaymentSteps>, signal?: AbortSignal): Promise<PaymentOutcome>;
  resolve(given?: Partial<InterruptedPayment>): Promise<PaymentOutcome>;
  steps(given?: Partial<PaymentSteps>): PaymentSteps;
}

const opened: PaymentTerminal[] = [];
afterEach(async () => {
  for (const terminal of opened.splice(0)) await terminal.close();
});

async function createRig(): Promise<Rig> {
  const clock = manualClock();
  const events: string[] = [];
  const [near, far] = memoryPair();
  const run = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    settled.catch(() => {});
    for (let turn = 0; turn < 1_000 && !done; turn++) await clock.advance(500);
    if (!done) throw new RangeError("it never ends");
    return await settled;
  };
  const send = (bytes: Uint8Array): Promise<void> => far.write(bytes, never);
  const rig: Omit<Rig, "terminal"> = {
    clock,
    events,
    link: far,
    last: BEFORE,
    ackOrders: true,
    onOrder: () => rig.answer("11", "00", OURS),
    async answer(kind, code, fields, damage = false) {
      const frame = encodeFrame(FRAME, encodeMessage(kind, fields, code));
      if (damage) frame[8] = (frame[8] ?? 0) ^ 1;
      await send(frame);
    },
    run,
    steps: (given = {}) => ({
      armed: async (baseline) => void events.push(`armed ${baseline.traceNumber}`),
      sent: async () => void events.push("sent"),
      held: async (facts) => void events.push(`held ${facts.traceNumber}`),
      answering: async () => void events.push("answering"),
      progress() {},
      showCode() {},
      receiptLine() {},
      ...given,
    }),
    pay: (given, signal = never) =>
      run(terminal.pay({ amountVnd: AMOUNT, reference: "HS-1", description: "le phi" }, rig.steps(given), signal)),
    resolve: (given = {}) => {
      const baseline: PaymentFacts = { kind: "receipt", ...BEFORE, amountVnd: Number(BEFORE.amountVnd) };
      return run(
        terminal.resolve({ step: "sent", amountVnd: AMOUNT, baseline, facts: undefined, markedAt: clock.now(), ...given }, never, {
          showCode() {},
        }),
      );
    },
  };
  const serve = async (): Promise<void> => {
    const framer = createFramer(FRAME);
    for (;;) {
      for (const item of framer.push(await far.read(never))) {
        if (item.type !== "frame") {
          events.push(`> ${item.type}`);
          continue;
        }
        const { kind } = decodeMessage(item.payload) ?? {};
        events.push(`> ${kind}`);
        const order = kind === "10" || kind === "20";
        if (!order || rig.ackOrders) await send(Uint8Array.of(FRAME.ack));
        if (order) await rig.onOrder();
        if (kind === "30") await (rig.last ? rig.answer("31", "00", rig.last) : rig.answer("31", "25"));
      }
    }
  };
  serve().catch(() => {});
  const context: DriverContext = {
    device: "terminal",
    connect: async () => near,
    clock,
    random: seededRandom(1),
    log: silentLog,
    signal: never,
    imaging: { draw: async () => [], png: async () => new Uint8Array() },
    simulated: false,
    report() {},
  };
  const terminal = await run(bankTemplate.open(bankTemplate.config.parse({}), context));
  opened.push(terminal);
  events.length = 0;
  return Object.assign(rig, { terminal });
}

it("takes a payment, each mark before the bytes that depend on it", async () => {
  const rig = await createRig();
  expect(rig.terminal.identity).toEqual({ serial: "12345678" });
  const facts = { traceNumber: "000042", approvalCode: "BBB222", amountVnd: AMOUNT, terminalId: "12345678" };
  expect(await rig.pay()).toMatchObject({ state: "approved", facts });
  await rig.clock.advance(1);
  expect(rig.events).toEqual(["> 30", "> ack", "armed 000041", "> 10", "sent", "held 000042", "answering", "> ack"]);
});

it("sends no order byte before armed, and no ACK before answering", async () => {
  const rig = await createRig();
  const gates: Record<string, () => void> = {};
  const gate = (name: string) => (): Promise<void> =>
    new Promise((resolve) => {
      gates[name] = resolve;
    });
  const request = { amountVnd: AMOUNT, reference: "HS-1", description: "" };
  const paying = rig.terminal.pay(request, rig.steps({ armed: gate("armed"), answering: gate("answering") }), never);
  await rig.clock.advance(4_000);
  expect(rig.events).toEqual(["> 30", "> ack"]);
  gates.armed?.();
  await rig.clock.advance(1_000);
  expect(rig.events.slice(2)).toEqual(["> 10", "sent", "held 000042"]);
  // The terminal's impatience changes nothing.
  await rig.answer("11", "00", OURS);
  await rig.clock.advance(1_000);
  expect(rig.events.slice(2)).toEqual(["> 10", "sent", "held 000042"]);
  gates.answering?.();
  expect(await rig.run(paying)).toMatchObject({ state: "approved" });
  expect(rig.events.at(-1)).toBe("> ack");
  // A copy, because the ACK was lost, gets another one; a result that nobody asked for gets none.
  await rig.answer("11", "00", OURS);
  await rig.clock.advance(1_000);
  await rig.answer("11", "00", { ...OURS, traceNumber: "000050" });
  await rig.clock.advance(1_000);
  expect(rig.events.slice(5)).toEqual(["> ack", "> ack"]);
});

it.each([
  ["51", "declined", "card_error"],
  ["17", "cancelled", "canceled"],
])("takes code %s as %s, acknowledged and not marked", async (code, state, kind) => {
  const rig = await createRig();
  rig.onOrder = () => rig.answer("11", code, OURS);
  expect(await rig.pay()).toMatchObject({ state, reason: { kind } });
  expect(rig.events.filter((event) => event !== "sent")).toEqual(["> 30", "> ack", "armed 000041", "> 10", "> ack"]);
});

it.each<[string, string, Fields]>([
  ["another amount", "00", { ...OURS, amountVnd: "50001" }],
  ["another terminal", "00", { ...OURS, terminalId: "87654321" }],
  ["the number of the payment before", "00", { ...OURS, traceNumber: "000041" }],
  ["no number", "00", { amountVnd: String(AMOUNT), terminalId: "12345678" }],
  ["a decline that may be the one before's", "51", { ...OURS, traceNumber: "000041" }],
  ["a code that the table does not know", "91", OURS],
])("acknowledges no result with %s, and does not guess", async (_, code, fields) => {
  const rig = await createRig();
  rig.onOrder = () => rig.answer("11", code, fields);
  await expect(rig.pay()).rejects.toMatchObject({ kind: "timeout" });
  expect(rig.events.slice(3).filter((event) => event !== "sent")).toEqual(["> 10"]);
});

it.each(["held", "answering"])("acknowledges nothing where the mark %s does not get written", async (mark) => {
  const rig = await createRig();
  const refuse = () => Promise.reject(new DeviceError("journal_unavailable"));
  await expect(rig.pay({ [mark]: refuse })).rejects.toMatchObject({ kind: "journal_unavailable" });
  expect(rig.events.slice(rig.events.indexOf("> 10"))).not.toContain("> ack");
});

it("acknowledges nothing after a journal that was slower than the terminal waits", async () => {
  const rig = await createRig();
  await expect(rig.pay({ answering: () => rig.clock.sleep(6_000) })).rejects.toMatchObject({ kind: "timeout" });
  expect(rig.events.slice(rig.events.indexOf("> 10"))).not.toContain("> ack");
});

it("asks with NAK for a damaged result, and takes the second sending", async () => {
  const rig = await createRig();
  rig.onOrder = async () => {
    await rig.answer("11", "00", OURS, true);
    void rig.clock.sleep(2_000).then(() => rig.answer("11", "00", OURS));
  };
  expect(await rig.pay()).toMatchObject({ state: "approved" });
  await rig.clock.advance(1);
  expect(rig.events.slice(3).filter((event) => event !== "sent")).toEqual(["> 10", "> nak", "held 000042", "answering", "> ack"]);
});

it("answers a line that only sends rubbish three times, and hears it again after a good frame", async () => {
  const rig = await createRig();
  for (let time = 0; time < 5; time++) await rig.answer("11", "00", OURS, true);
  await rig.clock.advance(1);
  expect(rig.events).toEqual(["> nak", "> nak", "> nak"]);
  await rig.run(rig.terminal.selfTest(never));
  await rig.answer("11", "00", OURS, true);
  await rig.clock.advance(1);
  expect(rig.events.slice(3)).toEqual(["> 30", "> ack", "> nak"]);
});

it("sends an order again after NAK, up to three times, and never after silence", async () => {
  const rig = await createRig();
  rig.ackOrders = false;
  rig.onOrder = () => rig.link.write(Uint8Array.of(FRAME.nak), never);
  await expect(rig.pay()).rejects.toMatchObject({ kind: "timeout" });
  expect(rig.events.filter((event) => event === "> 10")).toHaveLength(3);

  const silent = await createRig();
  silent.ackOrders = false;
  silent.onOrder = async () => {};
  await expect(silent.pay()).rejects.toMatchObject({ kind: "timeout" });
  expect(silent.events.filter((event) => event === "> 10")).toHaveLength(1);
  expect((await silent.terminal.lost).kind).toBe("timeout");
});

it("takes the result for the ACK that was lost", async () => {
  const rig = await createRig();
  rig.ackOrders = false;
  expect(await rig.pay()).toMatchObject({ state: "approved" });
});

it("rejects where the link is lost after armed, or no result comes", async () => {
  const rig = await createRig();
  rig.onOrder = () => rig.link.close();
  await expect(rig.pay()).rejects.toMatchObject({ kind: "device_absent" });
  expect((await rig.terminal.lost).kind).toBe("device_absent");
  expect(rig.events).toContain("armed 000041");

  const silent = await createRig();
  silent.onOrder = async () => {};
  await expect(silent.pay()).rejects.toMatchObject({ kind: "timeout" });
});

it("begins nothing where it is stopped before armed or the terminal does not tell its baseline", async () => {
  const rig = await createRig();
  expect(await rig.pay({}, AbortSignal.abort(new DeviceError("canceled")))).toMatchObject({ state: "not_started" });
  rig.last = { type: "S" };
  expect(await rig.pay()).toMatchObject({ state: "not_started", reason: { kind: "device_fault" } });
  expect(rig.events).not.toContain("> 10");
  const request = { amountVnd: 0, reference: "HS-1", description: "" };
  expect(await rig.run(rig.terminal.pay(request, rig.steps(), never))).toMatchObject({ state: "not_started" });
});

it("only asks to stop after armed, and waits for the terminal's word", async () => {
  const rig = await createRig();
  const stop = new AbortController();
  rig.onOrder = async () => {
    void rig.clock.sleep(1_000).then(() => stop.abort(new DeviceError("canceled")));
    void rig.clock.sleep(3_000).then(() => rig.answer("11", "00", OURS));
  };
  expect(await rig.pay({}, stop.signal)).toMatchObject({ state: "approved" });
  expect(rig.events).toContain("> 40");
});

const held = { facts: { ...OURS, amountVnd: AMOUNT } };
it.each<[string, Fields | undefined, Partial<InterruptedPayment>, string]>([
  ["this payment", OURS, {}, "approved"],
  ["the result that was held", OURS, { step: "held", ...held }, "approved"],
  ["this payment's decline", { ...OURS, result: "51" }, {}, "declined"],
  ["the one before", BEFORE, {}, "not_charged"],
  ["its reversal", VOIDED, { step: "held", ...held }, "reversed"],
  ["a payment that was never held", { ...OURS, traceNumber: "000043" }, { step: "held", ...held }, "manual_review"],
  ["the one before, though a result was held", BEFORE, { step: "answering", ...held }, "manual_review"],
  ["a decline, though an approval was held", { ...OURS, result: "51" }, { step: "held", ...held }, "manual_review"],
  ["nothing", undefined, {}, "manual_review"],
  ["another amount", { ...OURS, amountVnd: "1" }, {}, "manual_review"],
  ["another terminal", { ...OURS, terminalId: "87654321" }, {}, "manual_review"],
  ["numbers that began again", { ...OURS, traceNumber: "000001" }, {}, "manual_review"],
  ["a code that nobody knows", { ...OURS, result: "91" }, {}, "manual_review"],
  ["this payment, but nobody knows what was before", OURS, { baseline: {} }, "manual_review"],
  ["this payment, the terminal's first", OURS, { baseline: { kind: "none" } }, "approved"],
  ["another payment's void", { ...VOIDED, originalTrace: "000040" }, {}, "manual_review"],
])("resolves, where the last transaction is %s", async (_, last, payment, state) => {
  const rig = await createRig();
  rig.last = last;
  await rig.clock.advance(HOUR_MS);
  const outcome = await rig.resolve({ markedAt: rig.clock.now() - HOUR_MS, ...payment });
  expect(outcome.state).toBe(state);
  expect(rig.events).toEqual(["> 30", "> ack"]);
});

it("resolves nothing while the terminal may still change its word", async () => {
  const rig = await createRig();
  rig.last = BEFORE;
  // A wall clock that jumped makes no difference.
  await expect(rig.resolve({ markedAt: rig.clock.now() - HOUR_MS })).rejects.toMatchObject({ kind: "terminal_busy" });
  rig.last = OURS;
  await expect(rig.resolve({ step: "held", ...held })).rejects.toMatchObject({ kind: "terminal_busy" });
  expect(await rig.resolve({ step: "answering", ...held })).toMatchObject({ state: "approved" });
  // Open and quiet for long, and the mark is young: the terminal may still be at work. A mark of the future is an old one.
  rig.last = BEFORE;
  await rig.clock.advance(HOUR_MS);
  await expect(rig.resolve()).rejects.toMatchObject({ kind: "terminal_busy" });
  expect(await rig.resolve({ markedAt: rig.clock.now() + HOUR_MS })).toMatchObject({ state: "not_charged" });
});

it("rejects a resolve where the terminal cannot be asked", async () => {
  const rig = await createRig();
  await rig.link.close();
  await expect(rig.resolve()).rejects.toMatchObject({ kind: "device_absent" });
});

it("takes a payment back, and resolves a reversal", async () => {
  const rig = await createRig();
  rig.last = OURS;
  rig.onOrder = () => rig.answer("21", "00", VOIDED);
  const payment = { ...OURS, amountVnd: AMOUNT };
  expect(await rig.run(rig.terminal.reverse(payment, AMOUNT, rig.steps(), never))).toMatchObject({ state: "approved" });
  expect(rig.events).toContain("> 20");
  expect(await rig.run(rig.terminal.reverse({}, AMOUNT, rig.steps(), never))).toMatchObject({ state: "not_started" });
  const interrupted = { step: "sent", baseline: { kind: "receipt", ...payment }, reverses: payment, markedAt: rig.clock.now() } as const;
  await rig.clock.advance(HOUR_MS);
  rig.last = VOIDED;
  expect(await rig.resolve(interrupted)).toMatchObject({ state: "approved" });
  rig.last = { ...VOIDED, originalTrace: "000041" };
  expect(await rig.resolve(interrupted)).toMatchObject({ state: "manual_review" });
  rig.last = OURS;
  expect(await rig.resolve(interrupted)).toMatchObject({ state: "not_charged" });
});

it("counts nothing, and is just closed", async () => {
  const rig = await createRig();
  await expect(rig.terminal.totals(true, never)).rejects.toMatchObject({ kind: "unsupported" });
  expect(await rig.run(rig.terminal.selfTest(never))).toEqual([{ check: "terminal answers", ok: true }]);
  await rig.terminal.close();
  await expect(rig.pay()).rejects.toMatchObject({ kind: "device_absent" });
});
