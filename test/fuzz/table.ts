import { chipDecoders } from "./chip-decoders.js";
import type { Decoder } from "./decoder.js";
import { paymentDecoders } from "./payment-decoders.js";
import { pictureDecoders } from "./picture-decoders.js";
import { webSocket } from "./socket.js";
import { textDecoders } from "./text-decoders.js";
import { wireDecoders } from "./wire-decoders.js";

/** Every decoder of what comes from outside. `table.test.ts` looks through the sources for one that is missing. */
export const decoders: readonly Decoder[] = [
  ...wireDecoders,
  ...paymentDecoders,
  ...chipDecoders,
  ...pictureDecoders,
  ...textDecoders,
  webSocket(),
];

/** Files that look like decoders by the names of their functions, and why nothing of them is driven here. */
export const NOT_DRIVEN: Readonly<Record<string, string>> = {
  "config/token-file.ts":
    "root's own file, believed by its owner and mode; TOML and a strict schema, as the configuration, which is driven",
};
