import type { Clock } from "../kernel/clock.js";
import type { HidLink } from "../kernel/hid.js";
import type { HttpLink } from "../kernel/http.js";
import type { Connect, Link } from "../kernel/link.js";
import type { Logger } from "../kernel/log.js";
import type { ProgramLink } from "../kernel/program.js";
import { hid } from "./hid.js";
import { hidOverLink } from "./hid-over-link.js";
import { http } from "./http.js";
import { connectorFor } from "./index.js";
import { sane } from "./sane.js";
import type { LinkSettings } from "./settings.js";
import { webcam } from "./webcam.js";

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Of a simulator. */
  readonly authority: string | undefined;
}

/** How a device is connected that is no card reader: by what its driver speaks over. */
export function connectOther(
  links: readonly string[],
  settings: LinkSettings,
  deps: Deps,
): Connect | Connect<HttpLink> | Connect<HidLink> | Connect<ProgramLink> {
  switch (settings.kind) {
    case "http":
    case "https":
      return http(settings, deps.authority);
    case "hid":
      return hid(settings, deps);
    case "sane":
      return sane(settings, deps.clock);
    case "webcam":
      return webcam(settings, deps);
    default: {
      const connect: Connect<Link> = connectorFor(settings, deps);
      // Reports of a HID device that is none of this machine's: a simulator, or another machine.
      return links.includes("hid") ? hidOverLink(connect) : connect;
    }
  }
}
