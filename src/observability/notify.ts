import { execFile } from "node:child_process";
import type { Clock } from "../kernel/clock.js";
import type { Logger } from "../kernel/log.js";

/** What systemd is told (sd_notify(3)). Without NOTIFY_SOCKET nothing happens. */
export interface Notifier extends Disposable {
  /** Start-up is done. From now on WATCHDOG=1 goes out where the unit asks for it and `healthy` says so. */
  ready(healthy: () => boolean | Promise<boolean>): void;
  /** The configuration is being read again; call `reloaded` when done. */
  reloading(): void;
  reloaded(): void;
  stopping(): void;
}

interface NotifierOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Runs `systemd-notify` with these assignments; the real one unless told. */
  readonly send?: (assignments: readonly string[]) => Promise<void>;
}

/** Node has no Unix datagram sockets, so systemd's own program speaks for us; the unit says `NotifyAccess=all`. */
function systemdNotify(assignments: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile("systemd-notify", [...assignments], { timeout: 5_000 }, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Milliseconds between two pings: half of what the unit allows; undefined where it asks for none, or not of us. */
function watchdogPeriodMs({ WATCHDOG_USEC, WATCHDOG_PID }: NotifierOptions["environment"]): number | undefined {
  const allowedUs = Number(WATCHDOG_USEC);
  if (!Number.isFinite(allowedUs) || allowedUs <= 0) return undefined;
  if (WATCHDOG_PID !== undefined && Number(WATCHDOG_PID) !== process.pid) return undefined;
  return allowedUs / 2_000;
}

export function createNotifier({ clock, log, environment, send = systemdNotify }: NotifierOptions): Notifier {
  const listening = environment.NOTIFY_SOCKET !== undefined && environment.NOTIFY_SOCKET !== "";
  const periodMs = watchdogPeriodMs(environment);
  let watchdog: Disposable | undefined;
  let ended = false;
  // One after the other: READY must not overtake RELOADING.
  let last: Promise<void> = Promise.resolve();
  const tell = (...assignments: string[]): void => {
    if (!listening) return;
    last = last.then(() => send(assignments)).catch((fault: unknown) => log.error("systemd-notify failed", {}, fault));
  };
  // The timer itself proves that the event loop turns; `healthy` speaks for what is on it.
  const watch = (everyMs: number, healthy: () => boolean | Promise<boolean>): void => {
    watchdog = clock.timer(everyMs, () => {
      Promise.resolve()
        .then(healthy)
        .catch((fault: unknown) => {
          log.error("health check failed", {}, fault);
          return false;
        })
        .then((well) => {
          if (ended) return;
          if (well) tell("WATCHDOG=1");
          else log.warn("not healthy: the watchdog is left to bark");
          watch(everyMs, healthy);
        });
    });
  };
  const end = (): void => {
    ended = true;
    watchdog?.[Symbol.dispose]();
  };
  return {
    ready(healthy) {
      tell("READY=1");
      if (listening && periodMs !== undefined && watchdog === undefined && !ended) watch(periodMs, healthy);
    },
    reloading() {
      // Type=notify-reload needs the instant too, on CLOCK_MONOTONIC, which is what hrtime reads.
      tell("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`);
    },
    reloaded: () => tell("READY=1"),
    stopping() {
      end();
      tell("STOPPING=1");
    },
    [Symbol.dispose]: end,
  };
}
