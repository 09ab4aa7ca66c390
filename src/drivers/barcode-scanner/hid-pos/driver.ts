import { defineDriver } from "../../../contracts/driver.js";
import { HidPosConfig } from "./config.js";

export const hidPos = defineDriver({
  class: "barcodeScanner",
  id: "hid-pos",
  summary: "Barcode and QR scanners in USB HID POS mode, which keeps Vietnamese letters whole",
  config: HidPosConfig,
  links: ["hid", "tcp", "simulator"],
  open: async (config, context) => (await import("./device.js")).open(config, context),
  describe: async () => (await import("./describe.js")).describe,
});
