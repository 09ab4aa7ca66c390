import type { Imaging } from "../contracts/imaging.js";
import { DeviceError } from "../kernel/errors.js";
import { type HandlerContext, type HandlersOf, marked } from "./handler-context.js";
import type { PrinterService } from "./printer-service.js";

export function printerHandlers({ citizens, ofClass }: HandlerContext, printers: PrinterService, imaging: Imaging): HandlersOf<"printer"> {
  return {
    "printer.print": async (params, call) => {
      citizens.enterAsTechnician(call);
      const raw = params.document.blocks.findIndex((block) => block.type === "raw");
      if (raw >= 0 && call.caller.role !== "technician") {
        throw new DeviceError("forbidden", { message: `document.blocks[${raw}]: raw bytes are a technician's` });
      }
      return await printers.print(ofClass("printer", params.device), params, call);
    },
    "printer.preview": async (params, call) => {
      citizens.enter(call);
      const bay = ofClass("printer", params.device);
      const { preview } = bay.spec.driver;
      if (!preview) throw new DeviceError("unsupported", { device: bay.spec.id });
      const marks = { reprint: false, simulated: bay.spec.simulated };
      const { png, widthDots, heightDots } = await preview(bay.spec.settings as never, params.document, marks, imaging, call.signal);
      return { ...marked(bay), image: await call.blob("image/png", png), widthDots, heightDots };
    },
    "printer.status": async (params, call) => {
      const bay = ofClass("printer", params.device);
      // Real-time status answers while a receipt waits for paper: it does not queue behind it.
      return { ...marked(bay), ...(await bay.look(call.signal, (printer, signal) => printer.status(signal))) };
    },
    "printer.cut": async (params, call) => {
      citizens.enterAsTechnician(call);
      const bay = ofClass("printer", params.device);
      bay.claims.check(call.caller);
      await bay.use("printer.cut", call.signal, (printer, signal) => printer.cut(signal));
      return marked(bay);
    },
  };
}
