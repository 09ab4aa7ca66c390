import { stat } from "node:fs/promises";
import type { Clock } from "../kernel/clock.js";

const EVERY_MS = 1_000;

/**
 * Calls back once when the device node has gone or is another one. Needed because an unplugged serial adapter often
 * says nothing at all: no event, no end of file, until the next write.
 */
export function watchPresence(path: string, clock: Clock, onGone: () => void): Disposable {
  let first: string | undefined;
  let over = false;
  let timer: Disposable | undefined;
  const look = async (): Promise<void> => {
    const now = await stat(path).then(
      (facts) => `${facts.dev} ${facts.ino} ${facts.rdev}`,
      () => "gone",
    );
    if (over) return;
    first ??= now;
    if (now === "gone" || now !== first) onGone();
    else timer = clock.timer(EVERY_MS, () => void look());
  };
  void look();
  return {
    [Symbol.dispose]() {
      over = true;
      timer?.[Symbol.dispose]();
    },
  };
}
