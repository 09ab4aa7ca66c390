import type { Clock } from "../../kernel/clock.js";
import { raceSignal } from "../../kernel/deadline.js";
import type { HidLink } from "../../kernel/hid.js";
import type { Connect } from "../../kernel/link.js";
import type { Logger } from "../../kernel/log.js";
import { notPluggedIn } from "../hid-device.js";
import { findHidNode, HID_ROOTS, type HidSettings, hidDescription } from "../hid-sysfs.js";
import { linkToChild } from "./host.js";
import type { HidFacts, OpenHidDevice } from "./serve-hid.js";
import { createHosts } from "./spare.js";

const ENTRY = new URL("./hid-host-entry.js", import.meta.url);

/** A HID device whose native library runs in a child process of its own, as `hosted` does it for links of bytes. */
export function hostedHid(
  settings: HidSettings,
  deps: { readonly clock: Clock; readonly log: Logger },
  entry = ENTRY,
  roots = HID_ROOTS,
): Connect<HidLink> {
  const name = `host of ${hidDescription(settings)}`;
  const hosts = createHosts({ entry, name, ...deps });
  return async (signal) => {
    signal.throwIfAborted();
    // An absent device is the usual case of a retry, and no reason to start a process.
    if (!(await findHidNode(settings, roots))) throw notPluggedIn(settings);
    const child = hosts.take();
    let facts: HidFacts;
    try {
      facts = (await child.call("open", { settings, roots } satisfies OpenHidDevice, signal)) as HidFacts;
    } catch (thrown) {
      // A refusal is an answer; whoever gave up waiting for one got none.
      await hosts.giveBack(child, !signal.aborted && child.pid !== undefined);
      throw thrown;
    }
    const { link, over } = linkToChild(child, hosts, name, `${facts.description} (hosted)`);
    return {
      ...link,
      reportDescriptor: facts.reportDescriptor,
      async sendFeature(report, featureSignal) {
        over.throwIfAborted();
        await raceSignal(child.call("sendFeature", report, featureSignal), over);
      },
    };
  };
}
