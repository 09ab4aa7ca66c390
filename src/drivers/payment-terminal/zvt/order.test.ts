import { expect, it } from "vitest";
import type { PaymentOutcome, PaymentSteps } from "../../../contracts/payment-terminal.js";
import { fromHex, toHex } from "../../../kernel/bytes.js";
import { type ManualClock, manualClock } from "../../../kernel/clock.js";
import { silentLog } from "../../../kernel/log.js";
import { memoryPair } from "../../../transports/memory.js";
import { encodeApdu } from "./apdu.js";
import { encodeBmps } from "./bmp.js";
import { authorisation } from "./commands.js";
import { ZvtConfig } from "./config.js";
import { carryOut } from "./order.js";
import { startSession } from "./session.js";
import { encodeNumber } from "./values.js";

const AMOUNT = 50_000;
const status = (result: number, receipt = 2): string =>
  toHex(
    encodeApdu(
      0x040f,
      encodeBmps([
        { bmp: 0x27, value: Uint8Array.of(result) },
        { bmp: 0x04, value: encodeNumber(AMOUNT, 6) },
        { bmp: 0x49, value: encodeNumber(704, 2) },
        { bmp: 0x87, value: encodeNumber(receipt, 2) },
        { bmp: 0x0b, value: encodeNumber(receipt, 3) },
        { bmp: 0x29, value: encodeNumber(52_500_001, 4) },
      ]),
    ),
  );
const BANK_ASKED = "04ff0104";
const APPROVED = "04ff011c";
const TAKING_BACK = "04ff0105";
const ABORTED = "061e016c";
const DECLINED = "061e0105";
const DONE = "060f00";

/** A terminal that says these things one after the other, each once the last one was answered; and what it was sent. */
async function against(messages: readonly string[], given: (clock: ManualClock) => Partial<PaymentSteps> = () => ({})) {
  const clock = manualClock();
  const [near, far] = memoryPair();
  const sent: string[] = [];
  const waiting = [...messages];
  const serve = async (): Promise<void> => {
    for (;;) {
      const apdu = toHex(await far.read(new AbortController().signal));
      sent.push(apdu);
      const next = waiting.shift();
      const said = apdu.startsWith("06") ? `800000${next ?? ""}` : next;
      if (said) await far.write(fromHex(said), new AbortController().signal);
    }
  };
  void serve().catch(() => {});
  const session = startSession(near, "tcp", ZvtConfig.parse({}), { device: "terminal", clock, log: silentLog, report() {} });
  const nothing = async (): Promise<void> => {};
  const steps = {
    armed: nothing,
    sent: nothing,
    held: nothing,
    answering: nothing,
    progress() {},
    showCode() {},
    receiptLine() {},
    ...given(clock),
  };
  const order = { command: authorisation({ amountVnd: AMOUNT }), amountVnd: AMOUNT, baseline: { kind: "none" } };
  let ended: PaymentOutcome | "in doubt" | undefined;
  const work = carryOut(session, order, steps, new AbortController().signal).then(
    (outcome) => {
      ended = outcome;
    },
    () => {
      ended = "in doubt";
    },
  );
  for (let turn = 0; turn < 600 && !ended; turn++) await clock.advance(1_000);
  await work;
  await clock.advance(1);
  await session.line.close();
  return { state: typeof ended === "object" ? ended.state : ended, sent: sent.map((apdu) => apdu.slice(0, 4)) };
}

it.each([
  ["a cancel before the bank was asked", [ABORTED], "cancelled"],
  ["a cancel once the bank was asked", [BANK_ASKED, ABORTED], "in doubt"],
  ["the same with a card to be removed", ["04ff0144", ABORTED], "in doubt"],
  ["the bank's own no", [BANK_ASKED, DECLINED], "declined"],
  ["the bank's own no after its yes", [BANK_ASKED, APPROVED, DECLINED], "in doubt"],
  ["a no while something is taken back", [TAKING_BACK, DECLINED], "in doubt"],
  ["a declined result", [BANK_ASKED, status(5), ABORTED], "declined"],
  ["a declined result, and then a plain end", [BANK_ASKED, status(5), DONE], "declined"],
  ["an end without any result", [DONE], "in doubt"],
  ["an abort after our yes", [status(0), ABORTED], "in doubt"],
  ["an approved payment", [BANK_ASKED, status(0), DONE], "approved"],
  ["the same result twice", [status(0), status(0), DONE], "approved"],
  ["two results", [status(0), status(0, 3), DONE], "in doubt"],
  ["declined, then approved", [status(5), status(0, 3), DONE], "approved"],
  ["nothing more", [BANK_ASKED], "in doubt"],
])("%s", async (_, messages, state) => {
  const { state: ended } = await against(messages);
  expect(ended).toBe(state);
});

it("answers yes to the result of this order only", async () => {
  expect((await against([status(0), DONE])).sent).toEqual(["0601", "8000", "8000"]);
  expect((await against([status(0), status(0, 3), DONE])).sent).toEqual(["0601", "8000", "8483", "8000"]);
  expect((await against(["060100", DONE])).sent).toEqual(["0601", "8483", "8000"]);
});

it("answers what comes in one piece with the end, by what it is", async () => {
  expect((await against([status(0), DONE + status(0)])).sent).toEqual(["0601", "8000", "8000", "8000"]);
  expect((await against([status(0), DONE + status(0, 3)])).sent).toEqual(["0601", "8000", "8000", "8483"]);
});

it("says nothing at all once the terminal has waited for longer than T3", async () => {
  const { state, sent } = await against([status(0), DONE], (clock) => ({ answering: () => clock.sleep(5_000) }));
  expect({ state, sent }).toEqual({ state: "in doubt", sent: ["0601"] });
});
