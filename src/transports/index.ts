import assert from "node:assert/strict";
import type { CardReaderLink } from "../kernel/card.js";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import type { Logger } from "../kernel/log.js";
import { file } from "./file.js";
import { hostedPcsc } from "./host/card-host.js";
import { hosted } from "./host/host.js";
import { createPcsc, type Pcsc } from "./pcsc.js";
import { restartingStuckService } from "./pcsc-restart.js";
import { processLink } from "./process.js";
import { serial } from "./serial.js";
import type { LinkSettings } from "./settings.js";
import { tcp } from "./tcp.js";
import { usbPrinter } from "./usb-printer.js";
import { video } from "./video.js";
import { vpcd } from "./vpcd.js";

export { hardwarePath } from "./hardware-path.js";
export { memoryPair } from "./memory.js";

/** How a device with these settings is connected. Simulators are plugged in by the composition root and never get here. */
export function connectorFor(settings: LinkSettings, deps: { readonly clock: Clock; readonly log: Logger }): Connect {
  switch (settings.kind) {
    case "serial":
      return settings.hosted ? hosted(settings, deps) : serial(settings, deps.clock);
    case "usb":
      return settings.hosted ? hosted(settings, deps) : usbPrinter(settings, deps.clock);
    case "tcp":
      return tcp(settings);
    case "file":
      return file(settings, deps.clock);
    case "process":
      return processLink(settings);
    case "none":
      return async () => {
        throw new DeviceError("unsupported", { message: "nothing is plugged in", hint: "Name a link for this device in the config" });
      };
    case "video":
      return video(settings, deps.clock);
    case "http":
    case "https":
    case "hid":
    case "sane":
    case "webcam":
    case "pcsc":
    case "simulator":
      assert.fail(`${settings.kind} is no link of bytes: see cardReaderFor, http and the composition root`);
  }
}

/** Card readers of the PC/SC service, hosted or not as their settings say. One for the process: its readers share a client. */
export function pcscReaders(deps: { readonly clock: Clock; readonly log: Logger }): Pcsc {
  const hostedReaders = hostedPcsc(deps);
  const ownReaders = createPcsc(deps);
  const readers: Pcsc = (settings) => (settings.hosted ? hostedReaders(settings) : ownReaders(settings));
  return restartingStuckService(readers, { ...deps, folder: process.env.RUNTIME_DIRECTORY });
}

/** How a card reader is connected: through the PC/SC service, or over TCP where a virtual card listens. */
export function cardReaderFor(
  settings: LinkSettings,
  deps: { readonly clock: Clock; readonly log: Logger; readonly pcsc: Pcsc },
): Connect<CardReaderLink> {
  if (settings.kind === "pcsc") return deps.pcsc(settings);
  assert(settings.kind === "tcp", `no card reader at the end of a ${settings.kind} link`);
  return vpcd(connectorFor(settings, deps), deps.clock);
}
