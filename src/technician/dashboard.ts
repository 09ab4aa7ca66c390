import type { Update } from "../client/exports.js";
import type { DeviceSnapshot } from "../protocol/devices.js";
import type { AgentFigures } from "./figures.js";

/** The last thing that went wrong with a device, also when it works again. */
export interface LastError {
  readonly at: number;
  readonly kind: string;
  readonly message: string;
  readonly hint: string;
}

export interface WatchedDevice {
  readonly snapshot: DeviceSnapshot;
  readonly lastError: LastError | undefined;
  /** Operations per minute; undefined: not known (yet). */
  readonly perMinute: number | undefined;
}

export interface Dashboard {
  readonly name: string;
  readonly version: string;
  readonly mode: string;
  readonly maintenance: boolean;
  readonly startedAt: number;
  readonly figures: AgentFigures | undefined;
  readonly devices: readonly WatchedDevice[];
}

export type WatchUpdate = Update<"devices" | "jobs" | "agent">;

interface Counted {
  readonly at: number;
  readonly operations: ReadonlyMap<string, number>;
}

/** Throughput is that of the last minute. */
const RATE_WINDOW_MS = 60_000;

/** Keeps what is shown. All that changes over time comes in as arguments. */
export function createDashboard(agent: Pick<Dashboard, "name" | "version" | "mode" | "maintenance" | "startedAt">) {
  let { maintenance } = agent;
  let devices: readonly DeviceSnapshot[] = [];
  let figures: AgentFigures | undefined;
  let counts: readonly Counted[] = [];
  const errors = new Map<string, LastError>();

  const failed = (device: string, reason: { kind: string; message: string; hint: string } | undefined, at: number): void => {
    if (!reason || at < (errors.get(device)?.at ?? 0)) return;
    const { kind, message, hint } = reason;
    errors.set(device, { at, kind, message, hint });
  };
  const seen = (device: DeviceSnapshot): void => failed(device.id, device.reason, device.since);

  const perMinute = (device: string): number | undefined => {
    const [first, last] = [counts[0], counts.at(-1)];
    if (!first || !last || last.at <= first.at) return undefined;
    const done = (last.operations.get(device) ?? 0) - (first.operations.get(device) ?? 0);
    return (Math.max(0, done) * 60_000) / (last.at - first.at);
  };

  return {
    update(update: WatchUpdate): void {
      if (update.topic === "agent") maintenance = (update.kind === "state" ? update.state : update.data).maintenance;
      else if (update.topic === "jobs") {
        for (const job of update.kind === "state" ? update.state : [update.data]) failed(job.device, job.reason, job.updatedAt);
      } else if (update.kind === "state") {
        devices = update.state;
        devices.forEach(seen);
      } else {
        const { data } = update;
        devices = devices.some(({ id }) => id === data.id) ? devices.map((one) => (one.id === data.id ? data : one)) : [...devices, data];
        seen(data);
      }
    },
    measured(at: number, now: AgentFigures | undefined): void {
      figures = now;
      if (!now) return;
      const { operations } = now;
      // The agent was started anew: its counters are, too.
      const again = [...(counts.at(-1)?.operations ?? [])].some(([device, count]) => (operations.get(device) ?? 0) < count);
      counts = again ? [{ at, operations }] : [...counts.filter((count) => at - count.at <= RATE_WINDOW_MS), { at, operations }];
    },
    now(): Dashboard {
      const watched = devices.map((snapshot) => ({
        snapshot,
        lastError: errors.get(snapshot.id),
        perMinute: perMinute(snapshot.id),
      }));
      return { ...agent, maintenance, figures, devices: watched };
    },
  };
}
