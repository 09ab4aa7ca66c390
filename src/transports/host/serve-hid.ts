import { serveChild } from "../../child/serve.js";
import { systemClock } from "../../kernel/clock.js";
import type { HidLink } from "../../kernel/hid.js";
import type { localHid } from "../hid-device.js";
import type { HidRoots, HidSettings } from "../hid-sysfs.js";
import { absent } from "../wire.js";

export interface OpenHidDevice {
  readonly settings: HidSettings;
  readonly roots: HidRoots;
}
export interface HidFacts {
  readonly description: string;
  readonly reportDescriptor: Uint8Array;
}

/** The native end of one hosted HID device. What comes in is our own parent's, typed by `hostedHid`. */
export function serveHid(connect: typeof localHid): void {
  let link: HidLink | undefined;
  const opened = (): HidLink => {
    if (!link) throw absent("the device was opened in a child process that has ended");
    return link;
  };
  serveChild({
    async open(args, { signal }): Promise<HidFacts> {
      const { settings, roots } = args as OpenHidDevice;
      link = await connect(settings, systemClock(), roots)(signal);
      return { description: link.description, reportDescriptor: link.reportDescriptor };
    },
    read: (_none, { signal }) => opened().read(signal),
    write: (report, { signal }) => opened().write(report as Uint8Array, signal),
    sendFeature: (report, { signal }) => opened().sendFeature(report as Uint8Array, signal),
    close: () => opened().close(),
  });
}
