import type { DeviceError } from "../kernel/errors.js";

/** Where a device is in its life. Pure data: the supervisor keeps it, `next` moves it. */
export type Life =
  | { readonly at: "disabled" }
  /** Being opened, or between a loss and the first retry: a short flap shows as this and never as `absent`. */
  | { readonly at: "opening"; readonly attempt: number }
  /** Not there; the next attempt is scheduled. */
  | { readonly at: "absent"; readonly attempt: number; readonly reason: DeviceError }
  /** Open. `attempt` falls back to 0 only when it has stayed open for a while, so that a flapping cable backs off. */
  | { readonly at: "open"; readonly attempt: number; readonly standing: Standing }
  /** Could not be opened for another reason than absence. */
  | { readonly at: "faulted"; readonly attempt: number; readonly reason: DeviceError };

export type Standing =
  | { readonly state: "ready"; readonly warnings: readonly string[] }
  | { readonly state: "attention"; readonly reason: DeviceError; readonly warnings: readonly string[] }
  | { readonly state: "faulted"; readonly reason: DeviceError };

export type LifeEvent =
  | { readonly type: "enable" }
  | { readonly type: "disable" }
  | { readonly type: "opened" }
  | { readonly type: "open_failed"; readonly reason: DeviceError }
  | { readonly type: "standing"; readonly standing: Standing }
  | { readonly type: "lost"; readonly reason: DeviceError }
  /** The retry timer fired. */
  | { readonly type: "retry" }
  /** Something was plugged in or out on this machine. */
  | { readonly type: "hotplug" }
  /** It has stayed open long enough to call it stable. */
  | { readonly type: "settled" }
  /** A technician asks for a fresh start. */
  | { readonly type: "reset" };

export type LifeEffect =
  | { readonly type: "open" }
  | { readonly type: "close" }
  | { readonly type: "retry_after"; readonly ms: number }
  | { readonly type: "settle_after"; readonly ms: number };

export interface Step {
  readonly life: Life;
  readonly effects: readonly LifeEffect[];
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;
const SETTLED_MS = 5_000;

/** 100 ms, 200 ms … 2 s: a replugged device is back within three seconds even where no hot-plug event comes. */
export function retryDelayMs(attempt: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10));
}

const stay = (life: Life): Step => ({ life, effects: [] });
const open: LifeEffect = { type: "open" };
const close: LifeEffect = { type: "close" };

function failed(attempt: number, reason: DeviceError): Step {
  const life: Life = reason.kind === "device_absent" ? { at: "absent", attempt, reason } : { at: "faulted", attempt, reason };
  // What no retry can mend (a wrong setting, an unsupported model) waits for a person.
  return { life, effects: reason.retryable ? [{ type: "retry_after", ms: retryDelayMs(attempt) }] : [] };
}

function opened(attempt: number): Step {
  return {
    life: { at: "open", attempt, standing: { state: "ready", warnings: [] } },
    effects: [{ type: "settle_after", ms: SETTLED_MS }],
  };
}

/** The transition table. An event that means nothing in a state changes nothing. */
export function next(life: Life, event: LifeEvent): Step {
  if (event.type === "disable") return { life: { at: "disabled" }, effects: life.at === "disabled" ? [] : [close] };
  switch (life.at) {
    case "disabled":
      return event.type === "enable" || event.type === "reset" ? { life: { at: "opening", attempt: 0 }, effects: [open] } : stay(life);
    case "opening":
      switch (event.type) {
        case "opened":
          return opened(life.attempt);
        case "open_failed":
          return failed(life.attempt, event.reason);
        case "retry":
          return { life, effects: [open] };
        case "reset":
          return { life: { at: "opening", attempt: 0 }, effects: [close, open] };
        default:
          return stay(life);
      }
    case "absent":
    case "faulted":
      switch (event.type) {
        case "retry":
          return { life: { ...life, attempt: life.attempt + 1 }, effects: [open] };
        case "opened":
          return opened(life.attempt);
        case "open_failed":
          return failed(life.attempt, event.reason);
        case "hotplug":
          return { life: { ...life, attempt: 0 }, effects: [open] };
        case "reset":
          return { life: { at: "opening", attempt: 0 }, effects: [close, open] };
        default:
          return stay(life);
      }
    case "open":
      switch (event.type) {
        case "standing":
          return stay({ ...life, standing: event.standing });
        case "settled":
          return stay({ ...life, attempt: 0 });
        case "lost":
          return {
            life: { at: "opening", attempt: life.attempt + 1 },
            effects: [close, { type: "retry_after", ms: retryDelayMs(life.attempt) }],
          };
        case "reset":
          return { life: { at: "opening", attempt: 0 }, effects: [close, open] };
        default:
          return stay(life);
      }
  }
}
