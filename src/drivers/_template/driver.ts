import { defineDriver } from "../../contracts/driver.js";
import { TemplateConfig } from "./config.js";

export const template = defineDriver({
  class: "barcodeScanner",
  id: "template",
  summary: "Scanners that send a line of text per code",
  config: TemplateConfig,
  links: ["serial", "tcp", "simulator"],
  open: async (config, context) => (await import("./device.js")).open(config, context),
});
