import { DeviceError } from "../kernel/errors.js";
import type { Call, Caller } from "../protocol/call.js";

/** Who stands at the station: citizens' sessions, what they wait for, and maintenance, which is never while one is open. */
export interface Citizens {
  readonly maintenance: boolean;
  /** True where it changed. @throws DeviceError `busy` while a citizen's session is open */
  setMaintenance(on: boolean): boolean;
  /** Every use of a device for a citizen passes here. @throws DeviceError `maintenance` */
  enter(call: Call): void;
  /** Paper and raw bytes are a technician's only while no citizen can be in between. @throws DeviceError `maintenance` */
  enterAsTechnician(call: Call): void;
  /** Does work that ends with the citizen's session too. */
  waiting<T>(call: Call, work: (call: Call) => Promise<T>): Promise<T>;
  /** The citizen left, or the page did: waits are canceled. */
  gone(caller: Caller): void;
  /** The technicians' pages that used devices: with maintenance they end what they do. */
  consoles(): readonly Caller[];
}

export function createCitizens(): Citizens {
  /** Kiosk sessions that touched a device since their last endCitizen. */
  const present = new Set<string>();
  const waits = new Map<string, Set<AbortController>>();
  const consoles = new Map<string, Caller>();
  let maintenance = false;

  const outOfServiceOnly = (): DeviceError =>
    new DeviceError("maintenance", {
      message: "technicians do this in maintenance mode only",
      hint: "Switch it on first: stationd maintenance on",
      retryable: false,
    });

  const enter = ({ caller }: Call): void => {
    if (caller.console) {
      if (!maintenance) throw outOfServiceOnly();
      consoles.set(caller.session, caller);
    }
    if (caller.role !== "kiosk") return;
    if (maintenance) throw new DeviceError("maintenance");
    present.add(caller.session);
  };
  return {
    get maintenance() {
      return maintenance;
    },
    setMaintenance(on) {
      if (on && present.size > 0) throw new DeviceError("busy", { message: "a citizen's session is open" });
      const changed = on !== maintenance;
      maintenance = on;
      return changed;
    },
    enter,
    enterAsTechnician(call) {
      enter(call);
      if (call.caller.role === "technician" && !maintenance) throw outOfServiceOnly();
    },
    async waiting(call, work) {
      const { session } = call.caller;
      const wait = new AbortController();
      const onAbort = (): void => wait.abort(call.signal.reason);
      if (call.signal.aborted) onAbort();
      call.signal.addEventListener("abort", onAbort, { once: true });
      const ofSession = waits.get(session) ?? new Set();
      waits.set(session, ofSession.add(wait));
      try {
        return await work({
          caller: call.caller,
          signal: wait.signal,
          check: () => call.check(),
          progress: (...told) => call.progress(...told),
          blob: (...bytes) => call.blob(...bytes),
          stream: () => call.stream(),
        });
      } finally {
        call.signal.removeEventListener("abort", onAbort);
        ofSession.delete(wait);
        if (ofSession.size === 0) waits.delete(session);
      }
    },
    gone({ session, console }) {
      present.delete(session);
      consoles.delete(session);
      const message = console ? "maintenance ended, or the page left" : "the citizen's session ended";
      for (const wait of waits.get(session) ?? []) wait.abort(new DeviceError("canceled", { message }));
    },
    consoles: () => [...consoles.values()],
  };
}
