import { defineDriver } from "../../../contracts/driver.js";
import { EscposConfig } from "./config.js";

export const escpos = defineDriver({
  class: "printer",
  id: "escpos",
  summary: "Receipt printers with the ESC/POS command set",
  config: EscposConfig,
  links: ["serial", "tcp", "usb", "file", "simulator"],
  open: async (config, context) => (await import("./device.js")).open(config, context),
  describe: async () => (await import("./describe.js")).describe,
  async preview(config, document, marks, imaging, signal) {
    const { layOut, previewOf } = await import("./layout.js");
    return await previewOf(await layOut(document, marks, config, "preview", imaging, signal), config, imaging, signal);
  },
});
