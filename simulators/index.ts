import { barcodeScanner } from "./barcode-scanner/index.js";
import { camera } from "./camera/index.js";
import { chipCard } from "./chip-card/index.js";
import { documentScanner } from "./document-scanner/index.js";
import { hidScanner } from "./hid-scanner/index.js";
import { nexoTerminal } from "./nexo-terminal/index.js";
import { receiptPrinter } from "./receipt-printer/index.js";
import type { SimulatorKind } from "./simulator.js";
import { zvtTerminal } from "./zvt-terminal/index.js";

/** Every simulated device, one line each. */
// biome-ignore lint/suspicious/noExplicitAny: each kind parses its options with its own schema before creating.
export const simulatorKinds: readonly SimulatorKind<any>[] = [
  barcodeScanner,
  camera,
  chipCard,
  documentScanner,
  hidScanner,
  nexoTerminal,
  receiptPrinter,
  zvtTerminal,
];
