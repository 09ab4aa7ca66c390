import { type FSWatcher, watch } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../kernel/clock.js";

export interface WatchOptions {
  readonly clock: Clock;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  readonly folders?: readonly string[];
}

// udev makes the links in /dev/char, one for each character device, when permissions and stable names are already there.
const FOLDERS = ["/dev/char", "/dev/serial/by-id", "/dev/serial/by-path", "/sys/bus/usb/devices"];
/** A plug that makes contact several times is one change. */
const DEBOUNCE_MS = 200;
/** sysfs tells nobody of its changes, and a watch can be lost. */
const POLL_MS = 3_000;

/** Calls back after devices were plugged in or out, so that a device is opened again at once and not at the next retry. */
export function watchDevices({ clock, signal, folders = FOLDERS }: WatchOptions, onChange: () => void): void {
  let before: string | undefined;
  let watchers: FSWatcher[] = [];
  let timer: Disposable | undefined;
  let lookingSoon = true;

  const stop = (): void => {
    timer?.[Symbol.dispose]();
    for (const watcher of watchers.splice(0)) watcher.close();
  };
  const lookIn = (ms: number): void => {
    timer?.[Symbol.dispose]();
    timer = clock.timer(ms, () => void look());
  };
  const onEvent = (): void => {
    if (lookingSoon) return;
    lookingSoon = true;
    lookIn(DEBOUNCE_MS);
  };
  const look = async (): Promise<void> => {
    lookingSoon = true;
    const now = await contents(folders);
    if (signal.aborted) return;
    if (now !== before) {
      // A folder that went and came again has lost its watch.
      for (const watcher of watchers.splice(0)) watcher.close();
      watchers = watchAll(folders, onEvent);
    }
    const changed = before !== undefined && now !== before;
    before = now;
    lookingSoon = false;
    lookIn(changed ? DEBOUNCE_MS : POLL_MS);
    if (changed) onChange();
  };

  if (signal.aborted) return;
  signal.addEventListener("abort", stop, { once: true });
  void look();
}

/** Names, and when the folder was changed: a device which was out for a moment only differs from one that stayed. */
async function contents(folders: readonly string[]): Promise<string> {
  const lists = folders.map(async (folder) => {
    const [names, facts] = await Promise.all([readdir(folder), lstat(folder)]).catch(() => []);
    return names && facts ? [folder, facts.ino, facts.ctimeMs, ...names.sort()].join("\n") : `${folder} is absent`;
  });
  return (await Promise.all(lists)).join("\n");
}

/** The folders and, because udev makes some of them only while there is a device, those that they appear in. */
function watchAll(folders: readonly string[], onEvent: () => void): FSWatcher[] {
  const watchers: FSWatcher[] = [];
  for (const folder of new Set(folders.flatMap((name) => [name, dirname(name)]))) {
    try {
      watchers.push(watch(folder, { persistent: false }, onEvent).on("error", onEvent));
    } catch {
      // Absent, or out of watches: the polling remains.
    }
  }
  return watchers;
}
