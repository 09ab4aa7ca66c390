import type { BarcodeScannerService } from "./barcode-scanner-service.js";
import { type HandlerContext, type HandlersOf, marked } from "./handler-context.js";

export function barcodeScannerHandlers(
  { citizens, ofClass }: HandlerContext,
  scanners: BarcodeScannerService,
): HandlersOf<"barcodeScanner"> {
  return {
    "barcodeScanner.scan": (params, call) => {
      citizens.enter(call);
      return citizens.waiting(call, (waited) => scanners.scan(ofClass("barcodeScanner", params.device), waited));
    },
    "barcodeScanner.enable": async (params, call) => {
      citizens.enter(call);
      const bay = ofClass("barcodeScanner", params.device);
      await scanners.enable(bay, call);
      return marked(bay);
    },
    "barcodeScanner.disable": async (params, { caller }) => {
      const bay = ofClass("barcodeScanner", params.device);
      await scanners.disable(bay, caller);
      return marked(bay);
    },
  };
}
