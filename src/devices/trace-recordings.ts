import type { Clock } from "../kernel/clock.js";
import { DeviceError, type Json } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import type { Passed } from "../kernel/tap.js";
import type { Caller, Handlers } from "../protocol/call.js";
import type { Bay } from "./bay.js";
import type { Citizens } from "./citizens.js";
import { tapOf } from "./trace.js";

export type RecordingLines = (clock: Clock) => (passed: Passed) => string;

/** What the first line of each recording says besides the device. */
interface Context {
  readonly citizens: Citizens;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  /** Turns what passes into lines. Given by the composition root: how a recording is written is the transports' business. */
  readonly recordingLines?: RecordingLines;
}

interface Recording {
  readonly session: string;
  readonly lines: Buffer[];
  exchanges: number;
  truncated: boolean;
  end(): void;
}

export interface Recordings {
  readonly handlers: Pick<Handlers, "devices.startRecording" | "devices.stopRecording">;
  /** The technician is gone. */
  sessionEnded(caller: Caller): void;
  /** Maintenance is over: whatever passes from now on is a citizen's. */
  endAll(): void;
}

/** Recordings under way: in maintenance mode only, in memory only, each its session's own, one per device. */
export function createRecordings(one: (id: string) => Bay, { citizens, clock, log, version, recordingLines }: Context): Recordings {
  const recordings = new Map<string, Recording>();

  const start = (bay: Bay, session: string, mostBytes: number): void => {
    const { id, driver, wire } = bay.spec;
    const tap = tapOf(bay);
    if (!recordingLines || !wire) throw new DeviceError("unsupported", { device: id, message: "this device cannot be recorded" });
    const head: Json = {
      recording: 1,
      version,
      device: id,
      class: driver.class,
      driver: driver.id,
      ...wire.shown,
      startedAt: clock.now(),
    };
    const line = recordingLines(clock);
    let heldBytes = 0;
    let opened = false;
    const keep = (text: string): void => {
      const bytes = Buffer.from(text);
      heldBytes += bytes.length;
      if (heldBytes <= mostBytes) recording.lines.push(bytes);
      else {
        recording.truncated = true;
        recording.end();
      }
    };
    const listening = tap.listen((passed) => {
      // What the former opening still says is of no use: a replay begins with the beginning.
      opened ||= passed.what === "open";
      if (!opened) return;
      recording.exchanges += 1;
      keep(line(passed));
    });
    const recording: Recording = { session, lines: [], exchanges: 0, truncated: false, end: () => listening[Symbol.dispose]() };
    recordings.set(id, recording);
    keep(`${JSON.stringify(head)}\n`);
    bay.reset();
  };
  const drop = (id: string, recording: Recording): void => {
    recording.end();
    recordings.delete(id);
  };

  return {
    handlers: {
      "devices.startRecording": ({ device, mostBytes }, call) => {
        citizens.enterAsTechnician(call);
        const bay = one(device);
        bay.claims.check(call.caller);
        if (recordings.has(device)) throw new DeviceError("busy", { device, message: "this device is being recorded" });
        start(bay, call.caller.session, mostBytes);
        log.info("audit: recording started", { device, role: call.caller.role });
        return { device };
      },
      "devices.stopRecording": async ({ device }, call) => {
        citizens.enterAsTechnician(call);
        one(device);
        const recording = recordings.get(device);
        if (recording?.session !== call.caller.session) {
          throw new DeviceError("invalid_params", { device, message: "this session records no such device" });
        }
        drop(device, recording);
        const bytes = new Uint8Array(Buffer.concat(recording.lines));
        log.info("audit: recording handed over", { device, role: call.caller.role, bytes: bytes.length });
        const { exchanges, truncated } = recording;
        return { device, exchanges, truncated, recording: await call.blob("application/x-ndjson", bytes) };
      },
    },
    sessionEnded({ session }) {
      for (const [id, recording] of recordings) if (recording.session === session) drop(id, recording);
    },
    endAll() {
      for (const [id, recording] of recordings) drop(id, recording);
    },
  };
}
