import { type DriverContext, defineDriver } from "../../../contracts/driver.js";
import type { HttpLink } from "../../../kernel/http.js";
import { EsclConfig } from "./config.js";

export const escl = defineDriver({
  class: "documentScanner",
  id: "escl",
  summary: "Network scanners that speak eSCL (AirScan, Mopria), with nothing else installed",
  config: EsclConfig,
  links: ["http", "https", "simulator"],
  // Other drivers of the class run a program: what connects here is told by `links`.
  open: async (config, context) => (await import("./device.js")).open(config, context as DriverContext<HttpLink>),
  describe: async () => (await import("./describe.js")).describe,
});
