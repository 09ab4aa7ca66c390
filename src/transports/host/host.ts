import { access } from "node:fs/promises";
import type { SupervisedChild } from "../../child/child.js";
import type { Clock } from "../../kernel/clock.js";
import { systemClock } from "../../kernel/clock.js";
import { deadline } from "../../kernel/deadline.js";
import type { Connect, Link } from "../../kernel/link.js";
import type { Logger } from "../../kernel/log.js";
import type { SerialSettings } from "../serial.js";
import { findInSysfs, type UsbSettings } from "../usb-sysfs.js";
import { absent, lostLink, wireLink } from "../wire.js";
import { createHosts, type Hosts } from "./spare.js";

export type HostedSettings = SerialSettings | UsbSettings;

const ENTRIES = {
  serial: new URL("./serial-host-entry.js", import.meta.url),
  usb: new URL("./usb-host-entry.js", import.meta.url),
};
/** For the native end to close in good order; after that its process is ended. */
const CLOSE_MS = 500;

/**
 * A link whose native library runs in a child process of its own, so that no crash, hang or spin of it reaches the agent
 * or another device. The child starts with the first connecting, and waits a minute for the next when its link has ended;
 * one that is killed, stopped or spinning ends the link with `device_absent` within two seconds.
 */
export function hosted(
  settings: HostedSettings,
  deps: { readonly clock: Clock; readonly log: Logger },
  entry = ENTRIES[settings.kind],
): Connect {
  const name =
    settings.kind === "serial"
      ? `host of ${settings.path}`
      : `host of usb ${settings.vendorId.toString(16)}:${settings.productId.toString(16)}`;
  const hosts = createHosts({
    entry,
    name,
    log: deps.log,
    clock: deps.clock,
    // Closing and opening a port again can fail with "cannot lock port" when the ring still holds the old one.
    env: { UV_USE_IO_URING: "0" },
  });
  return async (signal) => {
    signal.throwIfAborted();
    // An absent device is the usual case of a retry, and no reason to start a process.
    if (!(await isThere(settings))) throw absent(`${name}: the device is not there`);
    const child = hosts.take();
    let description: string;
    try {
      description = `${await child.call("open", settings, signal)} (hosted)`;
    } catch (thrown) {
      // A refusal is an answer; whoever gave up waiting for one got none.
      await hosts.giveBack(child, !signal.aborted && child.pid !== undefined);
      throw thrown;
    }
    return linkToChild(child, hosts, name, description).link;
  };
}

/** The parent's end of a link that the child has opened and serves by `read`, `write` and `close`. `over` aborts with its end. */
export function linkToChild(
  child: SupervisedChild,
  hosts: Hosts,
  name: string,
  description: string,
): { readonly link: Link; readonly over: AbortSignal } {
  const over = new AbortController();
  const { link, receive, end } = wireLink({
    description,
    chunkBytes: 64 * 1024,
    write: async (chunk) => void (await child.call("write", chunk, over.signal)),
    async release() {
      over.abort(absent(`${description} was closed`));
      exit[Symbol.dispose]();
      await hosts.giveBack(child, child.pid !== undefined && (await closesWell(child)));
    },
  });
  const exit = child.onExit(() => end(absent(`${name} has ended`)));
  const readOn = async (): Promise<void> => {
    while (!over.signal.aborted) receive((await child.call("read", undefined, over.signal)) as Uint8Array);
  };
  readOn().catch((thrown) => end(lostLink(description, thrown)));
  return { link, over: over.signal };
}

async function closesWell(child: SupervisedChild): Promise<boolean> {
  using limit = deadline(systemClock(), CLOSE_MS);
  return await child.call("close", undefined, limit.signal).then(
    () => true,
    () => false,
  );
}

async function isThere(settings: HostedSettings): Promise<boolean> {
  if (settings.kind === "usb") return (await findInSysfs(settings)) !== undefined;
  return await access(settings.path).then(
    () => true,
    () => false,
  );
}
