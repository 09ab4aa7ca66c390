import { barcodeScanner } from "../../simulators/barcode-scanner/index.js";
import { chipCard } from "../../simulators/chip-card/index.js";
import { hidScanner } from "../../simulators/hid-scanner/index.js";
import { receiptPrinter } from "../../simulators/receipt-printer/index.js";
import type { Simulator, SimulatorContext } from "../../simulators/simulator.js";
import { zvtTerminal } from "../../simulators/zvt-terminal/index.js";
import type { CardReaderLink } from "../../src/kernel/card.js";
import type { Clock } from "../../src/kernel/clock.js";
import type { HidLink } from "../../src/kernel/hid.js";
import type { Connect } from "../../src/kernel/link.js";
import { hidOverLink } from "../../src/transports/hid-over-link.js";
import { vpcd } from "../../src/transports/vpcd.js";

/** What a driver is tried against. */
export interface FarEndOfDriver {
  /** What a device that does not take bare bytes puts on the wire. */
  over?(connect: Connect, clock: Clock): Connect<CardReaderLink> | Connect<HidLink>;
  /** Settings with which the driver and the simulated device understand each other, and the driver can ask something. */
  readonly settings: unknown;
  simulate(context: SimulatorContext): Simulator;
}

/** By the driver's id: one line per driver of the registry. */
export const farEnds: Readonly<Record<string, FarEndOfDriver>> = {
  escpos: { settings: {}, simulate: (context) => receiptPrinter.create(receiptPrinter.options.parse({}), context) },
  "hid-pos": {
    settings: {},
    simulate: (context) => hidScanner.create(hidScanner.options.parse({}), context),
    over: hidOverLink,
  },
  pcsc: {
    settings: {},
    // Without keys of its own, which would take a moment to make.
    simulate: (context) => chipCard.create(chipCard.options.parse({ inserted: true, profile: "plain" }), context),
    over: vpcd,
  },
  "serial-scanner": {
    settings: { dialect: "newland" },
    simulate: (context) => barcodeScanner.create(barcodeScanner.options.parse({}), context),
  },
  zvt: {
    // The wires of this suite carry bytes as they are: the blocks of a serial line are tested with the driver.
    settings: { password: "123456", framing: "tcp" },
    simulate: (context) => zvtTerminal.create(zvtTerminal.options.parse({}), context),
  },
};
