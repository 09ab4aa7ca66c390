import type { AnyDriver } from "../contracts/driver.js";
import { serialScanner } from "./barcode-scanner/serial-scanner/driver.js";
import { pcsc } from "./chip-reader/pcsc/driver.js";
import { nexo } from "./payment-terminal/nexo/driver.js";
import { vietqr } from "./payment-terminal/vietqr/driver.js";
import { zvt } from "./payment-terminal/zvt/driver.js";
import { escpos } from "./printer/escpos/driver.js";

/** The registry: one line per driver. */
export const drivers: readonly AnyDriver[] = [serialScanner, escpos, pcsc, zvt, nexo, vietqr];
