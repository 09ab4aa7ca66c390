import { defineDriver } from "../../../contracts/driver.js";
import { PcscConfig } from "./config.js";

export const pcsc = defineDriver({
  class: "chipReader",
  id: "pcsc",
  summary: "Card readers of the PC/SC service (CCID and others), contactless and contact",
  config: PcscConfig,
  links: ["pcsc", "tcp", "simulator"],
  open: async (config, context) => (await import("./device.js")).open(config, context),
  describe: async () => (await import("./describe.js")).describe,
});
