import type { Clock } from "../kernel/clock.js";
import type { HidLink } from "../kernel/hid.js";
import type { Connect } from "../kernel/link.js";
import type { Logger } from "../kernel/log.js";
import { localHid } from "./hid-device.js";
import type { HidSettings } from "./hid-sysfs.js";
import { hostedHid } from "./host/hid-host.js";

/** A HID device of this machine, in a child process of its own unless the settings say otherwise. */
export function hid(settings: HidSettings, deps: { readonly clock: Clock; readonly log: Logger }): Connect<HidLink> {
  return settings.hosted ? hostedHid(settings, deps) : localHid(settings, deps.clock);
}
