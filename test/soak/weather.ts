import { systemClock } from "../../src/kernel/clock.js";
import type { Book } from "./book.js";
import { type Fault, type Field, faultsOf, recovered } from "./faults.js";
import { faultOf } from "./schedule.js";
import type { Troubles } from "./troubles.js";

/** Nothing may take longer to be well again; a terminal first finds out what became of a payment. */
const RECOVERS_WITHIN_MS = 60_000;
const clock = systemClock();

export interface WeatherOptions {
  readonly field: Field;
  readonly seed: number;
  readonly troubles: Troubles;
  readonly book: Book;
  /** Resolves at once, or when the agent is there again. */
  calm(): Promise<void>;
  readonly stop: AbortSignal;
}

/** Each device has its own weather, one fault after the other, until it is stopped. Resolves when all is mended. */
export async function blow({ field, seed, troubles, book, calm, stop }: WeatherOptions): Promise<void> {
  const lane = async ([device, table]: readonly [string, Readonly<Record<string, Fault>>]): Promise<void> => {
    for (let number = 0; ; number++) {
      const { name, pauseMs, holdMs } = faultOf(seed, device, Object.keys(table), number);
      await clock.sleep(pauseMs, stop).catch(() => {});
      await calm();
      if (stop.aborted) return;
      const fault = table[name];
      if (!fault) throw new RangeError(`no fault ${name}`);
      const trouble = troubles.begin(device, name, fault.kinds);
      try {
        if ((await fault.strike(field)) === false) continue;
        book.fault(device, name);
        await clock.sleep(holdMs, stop).catch(() => {});
        await fault.mend?.(field);
        const mendedMs = clock.monotonicMs();
        if (await recovered(field, device, fault, RECOVERS_WITHIN_MS)) book.recovered(device, clock.monotonicMs() - mendedMs);
        else {
          const { state, reason } = field.station.device(device) ?? {};
          book.wrong(
            `${device} is not back ${RECOVERS_WITHIN_MS / 1_000} s after ${name}: ${state} ${reason?.kind ?? ""}`,
            mendedMs - holdMs,
          );
        }
      } catch (thrown) {
        book.wrong(`${device}, ${name}: ${String((thrown as Error)?.stack ?? thrown)}`, clock.monotonicMs());
      } finally {
        trouble.end();
      }
    }
  };
  await Promise.all(Object.entries(faultsOf(field.scene)).map(lane));
}
