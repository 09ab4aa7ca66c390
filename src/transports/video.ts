import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { HidLink } from "../kernel/hid.js";
import type { Connect, Link } from "../kernel/link.js";
import type { Logger } from "../kernel/log.js";
import type { ProgramLink } from "../kernel/program.js";
import type { LinkSettings } from "./settings.js";

export function video(_settings: Extract<LinkSettings, { kind: "video" }>, _clock: Clock): Connect<Link> {
  return () => Promise.reject(new DeviceError("unsupported"));
}
