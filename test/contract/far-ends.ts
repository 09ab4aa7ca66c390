import { barcodeScanner } from "../../simulators/barcode-scanner/index.js";
import { receiptPrinter } from "../../simulators/receipt-printer/index.js";
import type { Simulator, SimulatorContext } from "../../simulators/simulator.js";

/** What a driver is tried against. */
export interface FarEndOfDriver {
  /** Settings with which the driver and the simulated device understand each other, and the driver can ask something. */
  readonly settings: unknown;
  simulate(context: SimulatorContext): Simulator;
}

/** By the driver's id: one line per driver of the registry. */
export const farEnds: Readonly<Record<string, FarEndOfDriver>> = {
  escpos: { settings: {}, simulate: (context) => receiptPrinter.create(receiptPrinter.options.parse({}), context) },
  "serial-scanner": {
    settings: { dialect: "newland" },
    simulate: (context) => barcodeScanner.create(barcodeScanner.options.parse({}), context),
  },
};
