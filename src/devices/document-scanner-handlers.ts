import type { Documents } from "../contracts/imaging.js";
import type { HandlerContext, HandlersOf } from "./handler-context.js";
import { scanDocument } from "./scan-document.js";

export function documentScannerHandlers({ citizens, ofClass }: HandlerContext, documents: Documents): HandlersOf<"documentScanner"> {
  return {
    "documentScanner.scan": (params, call) => {
      citizens.enter(call);
      return citizens.waiting(call, (waited) => scanDocument(ofClass("documentScanner", params.device), params, waited, documents));
    },
  };
}
