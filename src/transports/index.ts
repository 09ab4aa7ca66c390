import assert from "node:assert/strict";
import type { Clock } from "../kernel/clock.js";
import type { Connect } from "../kernel/link.js";
import type { Logger } from "../kernel/log.js";
import { file } from "./file.js";
import { hosted } from "./host/host.js";
import { processLink } from "./process.js";
import { serial } from "./serial.js";
import type { LinkSettings } from "./settings.js";
import { tcp } from "./tcp.js";
import { usbPrinter } from "./usb-printer.js";

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
    case "simulator":
      assert.fail("a simulator has no transport");
  }
}
