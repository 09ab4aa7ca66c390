import type { z } from "../kernel/schema.js";
import { agentMethods } from "./agent.js";
import { barcodeScannerMethods } from "./barcode-scanner.js";
import { cameraMethods } from "./camera.js";
import { chipReaderMethods } from "./chip-reader.js";
import { deviceMethods } from "./devices.js";
import { documentScannerMethods } from "./document-scanner.js";
import { jobMethods } from "./jobs.js";
import { paymentTerminalMethods } from "./payment-terminal.js";
import { printerMethods } from "./printer.js";
import { sessionMethods } from "./session.js";
import { simulatorMethods } from "./simulators.js";
import { traceMethods } from "./trace.js";

/** Every method of the protocol: the only source of types, validation and documents. */
export const methods = {
  ...sessionMethods,
  ...deviceMethods,
  ...traceMethods,
  ...jobMethods,
  ...printerMethods,
  ...barcodeScannerMethods,
  ...chipReaderMethods,
  ...paymentTerminalMethods,
  ...documentScannerMethods,
  ...cameraMethods,
  ...agentMethods,
  ...simulatorMethods,
};

export type Methods = typeof methods;
export type MethodName = keyof Methods;
/** As the caller writes it: defaults may be left out. */
export type ParamsInput<M extends MethodName> = z.input<Methods[M]["params"]>;
/** As the handler sees it. */
export type Params<M extends MethodName> = z.output<Methods[M]["params"]>;
export type Result<M extends MethodName> = z.output<Methods[M]["result"]>;
