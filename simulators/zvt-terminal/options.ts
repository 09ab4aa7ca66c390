import { z } from "../../src/kernel/schema.js";
import { AutoReversal, FAULT_TABLE, Fault, STEP_TABLE } from "./faults.js";

const ms = (standard: number) => z.int().min(0).max(3_600_000).default(standard);
const counter = (most: number) => z.int().min(1).max(most).default(1);
const digits = (count: number) => z.string().regex(new RegExp(`^\\d{${count}}$`));

/** Cards of nobody: the numbers are made up. `type` is BMP 8A, `network` BMP 8C. */
export const CARDS = {
  napas: { name: "NAPAS", type: 0xf0, network: undefined, maskedPan: "970436EEEEEE0018", totals: "other" },
  visa: { name: "VISA", type: 0x0a, network: 0x03, maskedPan: "412345EEEEEE1234", totals: "visa" },
  mastercard: { name: "MasterCard", type: 0x06, network: 0x01, maskedPan: "512345EEEEEE9876", totals: "mastercard" },
  jcb: { name: "JCB", type: 0x0e, network: 0x05, maskedPan: "352899EEEEEE0005", totals: "jcb" },
  amex: { name: "AMERICAN EXPRESS", type: 0x08, network: 0x02, maskedPan: "371234EEEEE0002", totals: "amex" },
} as const;
export type CardName = keyof typeof CARDS;
export const Card = z.enum(Object.keys(CARDS) as [CardName, ...CardName[]]);

export const ZvtTerminalOptions = z.strictObject({
  framing: z.enum(["serial", "tcp"]).default("tcp").describe("serial: DLE STX blocks with ACK and CRC; tcp: bare messages"),
  terminalId: digits(8).default("52500001"),
  contract: z.string().max(15).default("804011926").describe("contract number (BMP 2A)"),
  password: digits(6).default("123456"),
  currency: digits(4).default("0704").describe("0704 dong; another one is refused with 6F"),
  version: z.string().min(1).max(99).default("2.14.15").describe("what a status enquiry tells (BMP F0)"),
  needsRegistration: z.boolean().default(true).describe("refuses everything else (84 83) until it is registered"),
  cardholder: z.enum(["auto", "manual"]).default("auto").describe("auto: presents a card, knows the PIN, has the money, takes the card"),
  presentMs: ms(1500).describe("auto: until the card is presented"),
  hostMs: ms(1000).describe("until the host decides"),
  removeMs: ms(500).describe("auto: until the card is taken"),
  cardTimeoutMs: ms(60_000).describe("without a card the sale ends with 6C"),
  removeTimeoutMs: ms(30_000).describe("a card that is left inside holds up the completion so long"),
  autoReversal: AutoReversal.default("succeeds"),
  autoReversalMs: ms(2000),
  lateReversalMs: ms(300_000).describe("late and hidden take so long"),
  lastAfterAutoReversal: z
    .enum(["baseline", "reversal"])
    .default("baseline")
    .describe("what 06 20 repeats then: the receipt before, or that of the taking back (with BMP 37)"),
  keepDeclined: z.boolean().default(false).describe("a declined sale is a receipt that 06 20 repeats"),
  repeatReceipt: z.enum(["full", "completion-only"]).default("full").describe("completion-only: 06 20 gets 06 0F without any 04 0F"),
  partialGoods: z.enum(["commit", "repeat", "reverse"]).default("commit").describe("what 84 9D as answer to 04 0F does"),
  statusRepeatMs: ms(1000).describe("after 84 9C the 04 0F comes again"),
  printWith: z.enum(["lines", "block"]).default("lines").describe("06 D1 line by line, or one 06 D3"),
  earlierReceipt: z.boolean().default(false).describe("its last receipt is that of an earlier day, as of any terminal in the field"),
  nextReceipt: counter(9999),
  nextTrace: counter(999_999),
  nextTurnover: counter(999_999),
  t1Ms: ms(200).describe("between two bytes of a block"),
  t2Ms: ms(5000).describe("until a block is acknowledged"),
  t3Ms: ms(5000).describe("until a message is answered"),
  rebootMs: ms(10_000),
  faults: z
    .array(Fault)
    .max(100)
    .default([])
    .describe(`faults from the beginning, each { fault, step, times, … }. Faults: ${FAULT_TABLE}. Steps: ${STEP_TABLE}`),
});
export type ZvtTerminalOptions = z.output<typeof ZvtTerminalOptions>;
