import { type DriverContext, defineDriver } from "../../../contracts/driver.js";
import type { ProgramLink } from "../../../kernel/program.js";
import { SaneConfig } from "./config.js";

export const sane = defineDriver({
  class: "documentScanner",
  id: "sane",
  summary: "Document scanners with a SANE backend, at USB or in the network, worked by scanimage",
  config: SaneConfig,
  links: ["sane"],
  // The wire of a document scanner may be HTTP, too: what connects here is told by `links`.
  open: async (config, context) => (await import("./device.js")).open(config, context as DriverContext<ProgramLink>),
  describe: async () => (await import("./describe.js")).describe,
});
