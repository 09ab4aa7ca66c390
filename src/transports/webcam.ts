import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { HidLink } from "../kernel/hid.js";
import type { Connect, Link } from "../kernel/link.js";
import type { Logger } from "../kernel/log.js";
import type { ProgramLink } from "../kernel/program.js";
import type { LinkSettings } from "./settings.js";

export function webcam(_settings: Extract<LinkSettings, { kind: "webcam" }>, _deps: { readonly clock: Clock; readonly log: Logger }): Connect<ProgramLink> {
  return () => Promise.reject(new DeviceError("unsupported"));
}
