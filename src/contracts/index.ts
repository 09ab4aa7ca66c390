/** What a driver outside this tree builds on: `stationd/drivers`. */

export type { CardReaderLink, CardSession, Transceiver } from "../kernel/card.js";
export { type Clock, manualClock, systemClock } from "../kernel/clock.js";
export { deadline, raceSignal, within } from "../kernel/deadline.js";
export { DeviceError, type ErrorKind } from "../kernel/errors.js";
export type { HttpLink, HttpNotice, HttpRequest, HttpResponse } from "../kernel/http.js";
export { type Connect, createInbox, type Link } from "../kernel/link.js";
export type { Logger } from "../kernel/log.js";
export { z } from "../kernel/schema.js";
export type { Passed } from "../kernel/tap.js";
export type { BarcodeScanner, ScannedCode } from "./barcode-scanner.js";
export type { ChipReader } from "./chip-reader.js";
export { type AnyDriver, type Condition, type Describe, type Driver, type DriverContext, defineDriver, type OpenDevice } from "./driver.js";
export type { Bitmap, DrawableBlock, Imaging, LayoutStyle } from "./imaging.js";
export type {
  InterruptedPayment,
  PaymentCode,
  PaymentFacts,
  PaymentOutcome,
  PaymentRequest,
  PaymentSteps,
  PaymentTerminal,
  PaymentWay,
  TerminalTotals,
  Transfer,
  Transfers,
} from "./payment-terminal.js";
export type {
  InterruptedPrint,
  PreparedPrint,
  PrintBaseline,
  Printer,
  PrintMarks,
  PrintOutcome,
  PrintPreview,
  PrintSteps,
} from "./printer.js";
