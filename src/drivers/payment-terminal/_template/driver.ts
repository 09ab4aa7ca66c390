import { type DriverContext, defineDriver } from "../../../contracts/driver.js";
import { BankConfig } from "./config.js";

export const bankTemplate = defineDriver({
  class: "paymentTerminal",
  id: "bank-template",
  summary: "Card terminals that speak a bank's wired protocol",
  config: BankConfig,
  links: ["serial", "tcp", "simulator"],
  open: async (config, context) => (await import("./device.js")).open(config, context as DriverContext),
});
