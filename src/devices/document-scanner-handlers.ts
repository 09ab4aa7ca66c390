import type { Documents } from "../contracts/imaging.js";
import { DeviceError } from "../kernel/errors.js";
import type { HandlerContext, HandlersOf } from "./handler-context.js";
import { scanDocument } from "./scan-document.js";

export function documentScannerHandlers({ citizens, ofClass }: HandlerContext, documents: Documents): HandlersOf<"documentScanner"> {
  const underWay = new Set<{ readonly session: string; readonly device: string; readonly stop: AbortController }>();
  return {
    "documentScanner.scan": (params, call) => {
      citizens.enter(call);
      return citizens.waiting(call, async (waited) => {
        const bay = ofClass("documentScanner", params.device);
        const scan = { session: call.caller.session, device: bay.spec.id, stop: new AbortController() };
        underWay.add(scan);
        try {
          return await scanDocument(bay, params, waited, documents, scan.stop.signal);
        } finally {
          underWay.delete(scan);
        }
      });
    },
    "documentScanner.stop": (params, { caller }) => {
      const device = ofClass("documentScanner", params.device).spec.id;
      const mine = [...underWay].filter((scan) => scan.session === caller.session && scan.device === device);
      for (const { stop } of mine) stop.abort(new DeviceError("canceled", { device, message: "the scan was stopped" }));
      return { stopped: mine.length > 0 };
    },
  };
}
