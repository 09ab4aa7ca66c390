import type { AnyDriver } from "../contracts/driver.js";
import { hidPos } from "./barcode-scanner/hid-pos/driver.js";
import { serialScanner } from "./barcode-scanner/serial-scanner/driver.js";
import { ffmpeg } from "./camera/ffmpeg/driver.js";
import { nodeWebcam } from "./camera/node-webcam/driver.js";
import { pcsc } from "./chip-reader/pcsc/driver.js";
import { escl } from "./document-scanner/escl/driver.js";
import { sane } from "./document-scanner/sane/driver.js";
import { nexo } from "./payment-terminal/nexo/driver.js";
import { vietqr } from "./payment-terminal/vietqr/driver.js";
import { zvt } from "./payment-terminal/zvt/driver.js";
import { escpos } from "./printer/escpos/driver.js";

/** The registry: one line per driver. */
export const drivers: readonly AnyDriver[] = [serialScanner, hidPos, escpos, pcsc, sane, zvt, nexo, vietqr, escl, ffmpeg, nodeWebcam];
