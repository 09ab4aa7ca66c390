import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../kernel/clock.js";
import type { Logger } from "../kernel/log.js";
import type { Pcsc } from "./pcsc.js";
import { saysStuck } from "./pcsc-usb-node.js";

/** systemd/stationd-pcscd.path looks for it in the agent's runtime folder. */
const REQUEST = "restart-pcscd";
/** A reader that is unplugged stays in pcscd's list for a moment. */
const STUCK_AFTER_MS = 3_000;
const ASKED_EVERY_MS = 60_000;

export interface RestartOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The agent's own under /run; without one nobody restarts anything. */
  readonly folder: string | undefined;
}

/** These readers; where their service stays stuck, systemd is asked to start it anew, at most once a minute. */
export function restartingStuckService(pcsc: Pcsc, { clock, log, folder }: RestartOptions): Pcsc {
  if (folder === undefined) return pcsc;
  let stuckSinceMs: number | undefined;
  let askedMs = Number.NEGATIVE_INFINITY;
  const stuck = async (): Promise<void> => {
    const now = clock.monotonicMs();
    stuckSinceMs ??= now;
    if (now - stuckSinceMs < STUCK_AFTER_MS || now - askedMs < ASKED_EVERY_MS) return;
    askedMs = now;
    log.warn("the PC/SC service is stuck: its restart is asked for");
    await writeFile(join(folder, REQUEST), "").catch(() =>
      log.error("the request for a restart of the PC/SC service could not be written"),
    );
  };
  return (settings) => {
    const connect = pcsc(settings);
    return async (signal) => {
      try {
        const link = await connect(signal);
        stuckSinceMs = undefined;
        return link;
      } catch (thrown) {
        if (saysStuck(thrown)) await stuck();
        throw thrown;
      }
    };
  };
}
