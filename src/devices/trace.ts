import type { Describe } from "../contracts/driver.js";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import type { Passed, Tap } from "../kernel/tap.js";
import type { Call, Handlers } from "../protocol/call.js";
import type { Bay } from "./bay.js";
import { openingWords, shortened } from "./trace-words.js";

/** Lines to one technician, and no more: a camera or a receipt would drown the rest. */
const MOST_LINES_A_SECOND = 100;

export function tapOf({ spec }: Bay): Tap {
  if (spec.wire) return spec.wire.tap;
  throw new DeviceError("unsupported", { device: spec.id, message: "this device has no wire" });
}

/** Tells one caller what passes, in words that its driver vouches for: each is made by the driver's codec and holds nothing of a person. */
export function traceHandler(one: (id: string) => Bay, clock: Clock, log: Logger): Handlers["devices.trace"] {
  return async ({ device, forMs }, call) => {
    const bay = one(device);
    const tap = tapOf(bay);
    const { driver, settings } = bay.spec;
    const fresh = await driver.describe?.(settings as never);
    log.info("audit: device traced", { device, role: call.caller.role });
    const told = telling(call, clock, log);
    {
      using _ = tap.listen(describing(fresh, told.line, log));
      await clock.sleep(forMs, call.signal);
    }
    return { device, exchanges: told.exchanges, leftOut: told.leftOut };
  };
}

/** Each opening begins with a fresh description: a frame that was cut off must not swallow what comes after. */
function describing(
  fresh: (() => Describe) | undefined,
  line: (from: Passed["from"], words: string) => void,
  log: Logger,
): (passed: Passed) => void {
  let describe = fresh?.();
  return (passed) => {
    if (passed.what === "open") describe = fresh?.();
    const opening = openingWords(passed);
    if (opening !== undefined) return line(passed.from, opening);
    try {
      const words = describe?.(passed);
      // Nothing yet: a frame that is not whole.
      if (words) for (const word of words) line(passed.from, word);
      else line(passed.from, `${passed.bytes.length} bytes`);
    } catch (thrown) {
      log.error("a driver could not describe what passed", {}, thrown);
      describe = undefined;
      line(passed.from, `${passed.bytes.length} bytes`);
    }
  };
}

function telling(call: Call, clock: Clock, log: Logger) {
  let secondMs = Number.NEGATIVE_INFINITY;
  let lines = 0;
  const told = {
    exchanges: 0,
    leftOut: 0,
    line(from: Passed["from"], words: string): void {
      told.exchanges += 1;
      const nowMs = clock.monotonicMs();
      if (nowMs - secondMs >= 1_000) [secondMs, lines] = [nowMs, 0];
      if (++lines <= MOST_LINES_A_SECOND) return call.progress(from, undefined, shortened(words));
      told.leftOut += 1;
      if (lines === MOST_LINES_A_SECOND + 1) log.debug("trace leaves lines out", { count: MOST_LINES_A_SECOND });
    },
  };
  return told;
}
