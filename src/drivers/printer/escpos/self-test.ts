import type { OpenDevice } from "../../../contracts/driver.js";
import { raceSignal } from "../../../kernel/deadline.js";
import type { Session } from "./session.js";
import { statusOf } from "./status.js";

type Checks = Awaited<ReturnType<OpenDevice["selfTest"]>>;

/** Asks, prints nothing. */
export async function selfTest({ config, watch, features }: Session, signal: AbortSignal): Promise<Checks> {
  if (config.oneWay) return [{ check: "answers", ok: true, note: "one-way: nothing can be asked" }];
  const signs = await raceSignal(watch.refresh(), signal);
  if (!signs) return [{ check: "answers", ok: false, hint: "Check cable and power; if the cable has no line back, set oneWay = true" }];
  const { cover, paper, cutter, error } = statusOf(signs);
  return [
    { check: "answers", ok: true },
    { check: "cover", ok: cover === "closed", note: cover, ...(cover === "closed" ? {} : { hint: "Close the cover" }) },
    { check: "paper", ok: paper !== "out", note: paper, ...(paper === "ok" ? {} : { hint: "Load paper" }) },
    { check: "cutter", ok: cutter === "ok", note: cutter, ...(cutter === "ok" ? {} : { hint: "Clear the paper at the cutter" }) },
    { check: "error", ok: error === "none", note: error },
    { check: "confirmation", ok: true, note: features?.processId ? "confirmed" : "inferred" },
  ];
}
