import fc from "fast-check";
import { expect, test } from "vitest";
import {
  isSettled,
  isUnresolved,
  LIFE_EVENTS,
  LIFE_STATES,
  nextLife,
  type PaymentEvent,
  type PaymentLife,
  TERMINAL_WORDS,
} from "./payment-machine.js";

/** Written out by hand and not derived: each line is a state with all that may happen in it. What is not here is impossible. */
const MAY_HAPPEN: Readonly<Record<PaymentLife, string>> = {
  created: "arm>armed refuse>not_started stop>not_started lose>not_started",
  armed:
    "send>sent progress>in_progress hold>held stop>armed lose>unknown say_declined>declined say_cancelled>cancelled say_not_charged>not_charged say_expired>expired say_reversed>reversed say_manual_review>manual_review",
  sent: "progress>in_progress hold>held stop>sent lose>unknown say_declined>declined say_cancelled>cancelled say_not_charged>not_charged say_expired>expired say_reversed>reversed say_manual_review>manual_review",
  in_progress:
    "send>in_progress progress>in_progress hold>held stop>in_progress lose>unknown say_declined>declined say_cancelled>cancelled say_not_charged>not_charged say_expired>expired say_reversed>reversed say_manual_review>manual_review",
  held: "send>held progress>held hold>held answer>answering stop>held lose>unknown say_declined>declined say_cancelled>cancelled say_not_charged>not_charged say_expired>expired say_reversed>reversed say_manual_review>manual_review",
  answering:
    "send>answering progress>answering answer>answering stop>answering lose>unknown say_approved>approved say_declined>declined say_cancelled>cancelled say_not_charged>not_charged say_expired>expired say_reversed>reversed say_manual_review>manual_review",
  unknown: "ask>resolving stop>unknown lose>unknown",
  resolving:
    "progress>resolving stop>resolving lose>unknown say_approved>approved say_declined>declined say_cancelled>cancelled say_not_charged>not_charged say_expired>expired say_reversed>reversed say_manual_review>manual_review",
  approved: "reverse>reversing surprise>manual_review",
  reversing:
    "stop>reversing reversal_lost>reversal_unknown reversal_done>reversed reversal_refused>approved reversal_in_doubt>manual_review",
  reversal_unknown:
    "stop>reversal_unknown reversal_lost>reversal_unknown reversal_done>reversed reversal_refused>approved reversal_in_doubt>manual_review",
  manual_review: "surprise>manual_review rule_approved>approved rule_not_charged>not_charged rule_reversed>reversed",
  declined: "surprise>manual_review",
  cancelled: "surprise>manual_review",
  not_charged: "surprise>manual_review",
  expired: "surprise>manual_review",
  not_started: "",
  reversed: "surprise>manual_review",
};

const CASES = LIFE_STATES.flatMap((state) => LIFE_EVENTS.map((event) => ({ state, event })));

test.each(CASES)("$state, $event", ({ state, event }) => {
  const entry = MAY_HAPPEN[state].split(" ").find((one) => one.startsWith(`${event}>`));
  expect(nextLife(state, event)).toBe(entry?.slice(event.length + 1));
});

test("every state can be reached, and every settled one is left by a reversal, a person or new money only", () => {
  const reached = new Set<PaymentLife>(["created"]);
  for (const state of reached) {
    for (const event of LIFE_EVENTS) {
      const next = nextLife(state, event);
      if (next) reached.add(next);
      if (next && isSettled(state)) expect(event).toMatch(/^(reverse$|rule_|surprise$)/);
    }
  }
  expect([...reached].sort()).toEqual([...LIFE_STATES].sort());
  expect(LIFE_STATES.filter(isUnresolved)).toEqual(["unknown", "resolving"]);
});

/** A path through the table: events that cannot happen are refused and change nothing. */
const events = fc.array(fc.constantFrom(...LIFE_EVENTS), { maxLength: 80 });
function walk(path: readonly PaymentEvent[], seen: (state: PaymentLife, event: PaymentEvent, next: PaymentLife) => void): PaymentLife {
  let state: PaymentLife = "created";
  for (const event of path) {
    const next = nextLife(state, event);
    if (next === undefined) continue;
    seen(state, event, next);
    state = next;
  }
  return state;
}

test("whatever happens, one payment is armed once, bound once and taken back once", () => {
  fc.assert(
    fc.property(events, (path) => {
      const count = { armed: 0, charged: 0, back: 0 };
      walk(path, (state, event, next) => {
        if (next === "armed" && state !== "armed") count.armed++;
        // From a reversal that did not happen it only goes back to what it was.
        if (next === "approved" && event !== "reversal_refused") count.charged++;
        if (next === "reversed") count.back++;
      });
      expect(count.armed).toBeLessThanOrEqual(1);
      // More often only where a person ruled so after a review: the charge is the same one.
      const ruled = (outcome: PaymentEvent): number => path.filter((event) => event === outcome).length;
      expect(count.back).toBeLessThanOrEqual(1 + ruled("rule_reversed"));
      expect(count.charged).toBeLessThanOrEqual(1 + ruled("rule_approved"));
    }),
    { numRuns: 2_000 },
  );
});

test("after it was armed nothing but the terminal's word or a person's ends a payment", () => {
  const wordy = new Set<string>(TERMINAL_WORDS.map((word) => `say_${word}`));
  fc.assert(
    fc.property(events, (path) => {
      let armed = false;
      let answered = false;
      walk(path, (state, event, next) => {
        armed ||= next === "armed";
        answered ||= next === "answering" || next === "resolving";
        if (armed) expect(next).not.toBe("not_started");
        if (armed && isSettled(next) && !isSettled(state) && !event.startsWith("reversal_")) expect(wordy).toContain(event);
        if (event === "say_approved") expect(answered).toBe(true);
        if (event === "stop" && state !== "created") expect(next).toBe(state);
      });
    }),
    { numRuns: 2_000 },
  );
});
