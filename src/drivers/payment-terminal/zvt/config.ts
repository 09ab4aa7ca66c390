import { z } from "../../../kernel/schema.js";
import { Secret } from "../../../kernel/secret.js";

const ms = (least: number, most: number, standard: number) => z.int().min(least).max(most).default(standard);

export const ZvtConfig = z.strictObject({
  password: z
    .string()
    .regex(/^\d{6}$/)
    .default("000000")
    .transform((password) => new Secret(password))
    .describe("six digits, set on the terminal; for registration, reversal, repeated receipts and the end of day"),
  framing: z
    .enum(["serial", "tcp"])
    .optional()
    .describe("serial: blocks with checksum and acknowledgement; tcp: bare messages. Left out: serial on a serial port, else tcp"),
  maxAmountVnd: z.int().min(1).max(100_000_000_000).default(100_000_000).describe("a payment of more is refused before it begins"),
  paymentType: z.int().min(0).max(255).optional().describe("BMP 19 of a payment; left out: the terminal decides"),
  printReceipts: z.boolean().default(false).describe("the terminal hands its receipts to the page line by line instead of printing them"),
  ecrControlsPayments: z.boolean().default(true).describe("nobody can begin a payment on the terminal itself"),
  t1Ms: ms(10, 5_000, 200).describe("serial: longest pause within a block"),
  t2Ms: ms(100, 60_000, 5_000).describe("serial: until a block is acknowledged; tcp: until the system takes a message"),
  t3Ms: ms(100, 60_000, 5_000).describe("until a command is answered, and the longest that the journal may hold up our answer to a result"),
  t4Ms: ms(1_000, 900_000, 180_000).describe("until a command ends; begins anew with each sign of progress"),
  autoReversalMs: ms(1_000, 3_600_000, 360_000).describe(
    "longest that the terminal may need to take back a payment by itself; before that, no lost payment counts as not charged",
  ),
  pollMs: ms(1_000, 3_600_000, 60_000).describe("how often an idle terminal is asked how it is"),
});
export type ZvtConfig = z.output<typeof ZvtConfig>;
