import { type DriverContext, defineDriver } from "../../../contracts/driver.js";
import { VietQrConfig } from "./config.js";

export const vietqr = defineDriver({
  class: "paymentTerminal",
  id: "vietqr",
  summary: "Transfers by VietQR, confirmed by a back-end",
  config: VietQrConfig,
  links: ["none"],
  payment: { method: "vietqr", sideBySide: true },
  open: async (config, context) => (await import("./device.js")).open(config, context as DriverContext),
});
