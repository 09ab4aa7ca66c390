import { type DriverContext, defineDriver } from "../../../contracts/driver.js";
import { ZvtConfig } from "./config.js";

export const zvt = defineDriver({
  class: "paymentTerminal",
  id: "zvt",
  summary: "Card terminals that speak ZVT (PA00P015)",
  config: ZvtConfig,
  links: ["serial", "tcp", "simulator"],
  open: async (config, context) => (await import("./device.js")).open(config, context as DriverContext),
  describe: async (config) => {
    const { describe } = await import("./describe.js");
    return () => describe(config);
  },
});
