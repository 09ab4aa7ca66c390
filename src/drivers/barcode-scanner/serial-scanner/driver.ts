import { defineDriver } from "../../../contracts/driver.js";
import { SerialScannerConfig } from "./config.js";

export const serialScanner = defineDriver({
  class: "barcodeScanner",
  id: "serial-scanner",
  summary: "Barcode and QR scanners that send codes over a serial line, USB serial (CDC) or TCP",
  config: SerialScannerConfig,
  links: ["serial", "tcp", "simulator", "file"],
  open: async (config, context) => (await import("./device.js")).open(config, context),
  describe: async (config) => {
    const { describe } = await import("./describe.js");
    return () => describe(config);
  },
});
