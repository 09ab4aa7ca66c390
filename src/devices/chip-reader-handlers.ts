import { DeviceError } from "../kernel/errors.js";
import type { ChipReaderService } from "./chip-reader-service.js";
import type { HandlerContext, HandlersOf } from "./handler-context.js";

export function chipReaderHandlers({ citizens, log, ofClass }: HandlerContext, chipReaders: ChipReaderService): HandlersOf<"chipReader"> {
  return {
    "chipReader.readCard": (params, call) => {
      citizens.enter(call);
      if (params.trace && call.caller.role !== "technician") {
        throw new DeviceError("forbidden", { message: "trace: APDUs are a technician's" });
      }
      return citizens.waiting(call, (waited) => chipReaders.readCard(ofClass("chipReader", params.device), params, waited));
    },
    "chipReader.waitForCard": (params, call) => {
      citizens.enter(call);
      return citizens.waiting(call, (waited) => chipReaders.waitFor(ofClass("chipReader", params.device), true, waited));
    },
    "chipReader.waitForRemoval": (params, call) => {
      citizens.enter(call);
      return citizens.waiting(call, (waited) => chipReaders.waitFor(ofClass("chipReader", params.device), false, waited));
    },
    "chipReader.readUid": (params, call) => {
      citizens.enter(call);
      return citizens.waiting(call, (waited) => chipReaders.readUid(ofClass("chipReader", params.device), waited));
    },
    "chipReader.transmit": async (params, call) => {
      citizens.enterAsTechnician(call);
      const bay = ofClass("chipReader", params.device);
      log.info("audit: raw APDUs to a card", { device: bay.spec.id, count: params.apdus.length });
      return await chipReaders.transmit(bay, params, call);
    },
  };
}
