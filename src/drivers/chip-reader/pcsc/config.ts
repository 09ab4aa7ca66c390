import { z } from "../../../kernel/schema.js";

export const PcscConfig = z.strictObject({
  extendedLength: z
    .boolean()
    .default(true)
    .describe("`false`: never send an APDU of extended length, for a reader that says it passes them on and does not"),
});
