import { asciiBytes, concatBytes } from "../../src/kernel/bytes.js";
import type { Clock } from "../../src/kernel/clock.js";
import { type Core, ecrPrints, exchange, localTime, type Procedure, passStep, RESULT } from "./core.js";
import { type StatusInformation, tlv } from "./fields.js";
import { INDISCREET_LINES } from "./indiscreet.js";
import { CARDS, type ZvtTerminalOptions } from "./options.js";

const WIDTH = 40;
/** 06 D1: the attribute of the last line. */
const LAST_LINE = 0x81;

const pair = (left: string, right: string): string => `${left}${right.padStart(Math.max(1, WIDTH - left.length))}`;

export function receiptLines(title: string, told: StatusInformation): string[] {
  const { receipt, trace, amount, cardName, maskedPan, terminalId, result } = told;
  return [
    title,
    pair("Terminal-ID:", terminalId ?? ""),
    pair("Receipt No:", String(receipt ?? 0).padStart(4, "0")),
    pair("Trace No:", String(trace ?? 0).padStart(6, "0")),
    ...(cardName === undefined ? [] : [pair("Card:", cardName), pair("Card No:", (maskedPan ?? "").replaceAll("E", "x"))]),
    pair("Amount:", `VND ${amount ?? 0}`),
    pair("Result:", result === 0 ? "APPROVED" : `DECLINED ${result ?? ""}`),
  ];
}

const before = (next: number, most: number): number => (next === 1 ? most : next - 1);

/** What a terminal in the field repeats when this station has not paid there yet: somebody's sale, not of this day. */
export function earlierReceipt(options: ZvtTerminalOptions, clock: Clock): StatusInformation {
  const { name, type, maskedPan } = CARDS.napas;
  return {
    result: RESULT.ok,
    amount: 25_000,
    currency: options.currency,
    ...localTime({ ...clock, now: () => clock.now() - 24 * 3_600_000 }),
    maskedPan,
    receipt: before(options.nextReceipt, 9999),
    trace: before(options.nextTrace, 999_999),
    turnover: before(options.nextTurnover, 999_999),
    paymentType: 0x40,
    terminalId: options.terminalId,
    cardSequence: 0,
    cardType: type,
    cardName: name,
    contract: options.contract,
  };
}

/** The body of a 06 D3: kind of receipt (1 merchant, 2 customer, 3 administration), lines, and the sign of the end. */
export function printBlock(kind: number, lines: readonly string[]): Uint8Array {
  const text = lines.map((line) => tlv("07", asciiBytes(line)));
  return tlv("06", concatBytes([tlv("1f07", Uint8Array.of(kind)), tlv("25", concatBytes([...text, tlv("09", Uint8Array.of(0xff))]))]));
}

/** Has the ECR print, where it asked to (config byte 02). A line that is not answered ends it. */
export async function print(core: Core, procedure: Procedure, kind: number, lines: readonly string[]): Promise<void> {
  const { session } = procedure;
  const flood = core.faults.take("print-flood");
  if (!flood && !ecrPrints(core)) return;
  const all = flood
    ? Array.from({ length: flood.lines ?? 500 }, (_, index) => `line ${index + 1}`)
    : [...lines, ...(core.faults.take("indiscreet") ? INDISCREET_LINES : [])];
  const sent = (first: boolean) => async (): Promise<boolean> => first && (await passStep(core, procedure, "print-begun"));
  if (core.options.printWith === "block" && !flood) {
    await exchange(core, session, 0x06d3, printBlock(kind, all), { sent: sent(true) });
    return;
  }
  for (const [index, line] of all.entries()) {
    const attribute = index === all.length - 1 ? LAST_LINE : 0;
    const body = concatBytes([Uint8Array.of(attribute), asciiBytes(line)]);
    const { kind: answer } = await exchange(core, session, 0x06d1, body, { sent: sent(index === 0) });
    if (answer === "none") return;
  }
}
