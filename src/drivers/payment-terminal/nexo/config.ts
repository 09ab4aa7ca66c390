import { z } from "../../../kernel/schema.js";
import { Secret } from "../../../kernel/secret.js";

const ms = (least: number, most: number, standard: number) => z.int().min(least).max(most).default(standard);

export const NexoConfig = z.strictObject({
  poiId: z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .describe("the terminal's own name, model and serial number: `V400m-324688179`"),
  saleId: z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .describe("this station's name for the terminal; one of its own for each station"),
  keyIdentifier: z.string().min(1).max(64).describe("name of the shared key, as set in the terminal's settings"),
  keyVersion: z.int().min(0).max(1_000_000).describe("version of the shared key"),
  passphrase: z
    .string()
    // Beyond ASCII nobody says in which encoding the key is made from it.
    .regex(/^[ -~]{1,128}$/, "printable ASCII characters only")
    .transform((passphrase) => new Secret(passphrase))
    .describe("passphrase of the shared key"),
  maxAmountVnd: z.int().min(1).max(100_000_000_000).default(100_000_000).describe("a payment of more is refused before it begins"),
  notices: z
    .boolean()
    .default(true)
    .describe("asks the terminal to tell how a payment goes; it is heard where `link.listen` is set, and the terminal knows that address"),
  orderMs: ms(10_000, 900_000, 120_000).describe("until a payment has its result; then the terminal is asked what became of it"),
  settleMs: ms(1_000, 3_600_000, 120_000).describe(
    "how long a payment may still turn up or change on the terminal: before that, none that it does not know counts as not charged",
  ),
  answerMs: ms(100, 60_000, 10_000).describe("until a question is answered that needs no cardholder and no bank"),
  pollMs: ms(1_000, 3_600_000, 60_000).describe("how often an idle terminal is asked how it is"),
});
export type NexoConfig = z.output<typeof NexoConfig>;
