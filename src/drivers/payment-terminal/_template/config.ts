import { z } from "../../../kernel/schema.js";

const ms = (least: number, most: number, standard: number) => z.int().min(least).max(most).default(standard);

export const BankConfig = z.strictObject({
  maxAmountVnd: z.int().min(1).max(100_000_000_000).default(100_000_000).describe("a payment of more is refused before it begins"),
  silenceMs: ms(10, 5_000, 500).describe("longest pause within a frame"),
  ackMs: ms(100, 60_000, 5_000).describe("until a frame is acknowledged, and the longest that the journal may hold up our ACK to a result"),
  answerMs: ms(100, 60_000, 10_000).describe("until an inquiry is answered"),
  orderMs: ms(1_000, 900_000, 180_000).describe("until a sale or void has its result"),
  takeBackMs: ms(1_000, 3_600_000, 360_000).describe(
    "longest that the terminal may need to take back a payment whose result was not acknowledged; before that, no lost payment counts as not charged",
  ),
});
export type BankConfig = z.output<typeof BankConfig>;
