import fc from "fast-check";
import { expect, test } from "vitest";
import { DeviceError } from "../kernel/errors.js";
import { type Life, type LifeEvent, next, retryDelayMs } from "./lifecycle.js";

const absent = new DeviceError("device_absent");
const wrong = new DeviceError("unsupported");
const after = (...events: LifeEvent[]): Life => events.reduce<Life>((life, event) => next(life, event).life, { at: "disabled" });

test("a cable that flaps once never shows the device as absent", () => {
  const open = after({ type: "enable" }, { type: "opened" });
  const lost = next(open, { type: "lost", reason: absent });
  expect(lost.life.at).toBe("opening");
  expect(lost.effects).toEqual([{ type: "close" }, { type: "retry_after", ms: 100 }]);
  expect(next(next(lost.life, { type: "retry" }).life, { type: "opened" }).life.at).toBe("open");
});

test("a device that keeps flapping backs off; one that stayed open starts over", () => {
  let life = after({ type: "enable" }, { type: "opened" });
  const delays: number[] = [];
  for (let flap = 0; flap < 6; flap++) {
    const lost = next(life, { type: "lost", reason: absent });
    for (const effect of lost.effects) if (effect.type === "retry_after") delays.push(effect.ms);
    life = next(next(lost.life, { type: "retry" }).life, { type: "opened" }).life;
  }
  expect(delays).toEqual([100, 200, 400, 800, 1_600, 2_000]);
  life = next(life, { type: "settled" }).life;
  expect(next(life, { type: "lost", reason: absent }).effects).toContainEqual({ type: "retry_after", ms: 100 });
});

test("what no retry can mend waits for a person, and plugging something in tries again at once", () => {
  const failed = next(after({ type: "enable" }), { type: "open_failed", reason: wrong });
  expect(failed).toEqual({ life: { at: "faulted", attempt: 0, reason: wrong }, effects: [] });
  expect(next(failed.life, { type: "hotplug" }).effects).toEqual([{ type: "open" }]);
  expect(next(failed.life, { type: "reset" }).life).toEqual({ at: "opening", attempt: 0 });
});

test("no sequence of events leaves the table, and a disabled device stays closed", () => {
  const event: fc.Arbitrary<LifeEvent> = fc.oneof(
    ...(["enable", "opened", "retry", "hotplug", "settled", "reset"] as const).map((type) => fc.constant<LifeEvent>({ type })),
    fc.constant<LifeEvent>({ type: "disable" }),
    fc.constantFrom(absent, wrong).map((reason): LifeEvent => ({ type: "open_failed", reason })),
    fc.constant<LifeEvent>({ type: "lost", reason: absent }),
    fc.constant<LifeEvent>({ type: "standing", standing: { state: "attention", reason: new DeviceError("paper_out"), warnings: [] } }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let life: Life = { at: "disabled" };
      for (const one of events) {
        const step = next(life, one);
        if (life.at === "disabled" && one.type !== "enable" && one.type !== "reset") expect(step.life.at).toBe("disabled");
        if (one.type === "disable" && life.at !== "disabled") expect(step.effects).toContainEqual({ type: "close" });
        for (const effect of step.effects) if (effect.type === "retry_after") expect(effect.ms).toBeLessThanOrEqual(2_000);
        life = step.life;
      }
    }),
  );
  expect(retryDelayMs(1_000)).toBe(2_000);
});
