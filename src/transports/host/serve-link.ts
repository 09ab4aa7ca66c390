import { serveChild } from "../../child/serve.js";
import { systemClock } from "../../kernel/clock.js";
import type { Link } from "../../kernel/link.js";
import { serial } from "../serial.js";
import { usbPrinter } from "../usb-printer.js";
import { absent } from "../wire.js";
import type { HostedSettings } from "./host.js";

/** The native end of one hosted link. What comes in is our own parent's, typed by `hosted`. */
let link: Link | undefined;

const opened = (): Link => {
  if (!link) throw absent("the link was opened in a child process that has ended");
  return link;
};

serveChild({
  async open(settings, { signal }) {
    const clock = systemClock();
    const chosen = settings as HostedSettings;
    link = await (chosen.kind === "serial" ? serial(chosen, clock) : usbPrinter(chosen, clock))(signal);
    return link.description;
  },
  read: (_none, { signal }) => opened().read(signal),
  write: (bytes, { signal }) => opened().write(bytes as Uint8Array, signal),
  close: () => opened().close(),
});
