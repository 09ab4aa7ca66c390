import { type DriverContext, defineDriver } from "../../../contracts/driver.js";
import type { HttpLink } from "../../../kernel/http.js";
import { NexoConfig } from "./config.js";

export const nexo = defineDriver({
  class: "paymentTerminal",
  id: "nexo",
  summary: "Card terminals that speak nexo Sale-to-POI JSON on the local network (Adyen's dialect)",
  config: NexoConfig,
  links: ["https", "simulator"],
  // The wire of a payment terminal may be of bytes, too: what connects here is told by `links`.
  open: async (config, context) => (await import("./device.js")).open(config, context as DriverContext<HttpLink>),
  describe: async () => (await import("./describe.js")).describe,
});
