import type { Clock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError, ERROR_KINDS, type ErrorKind } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import { z } from "../kernel/schema.js";
import type { Passed } from "../kernel/tap.js";
import type { AnyLink, RecordedFrame, RecordingHead } from "./record.js";
import { replayedLink } from "./replay-links.js";

/** A recording is held in memory, and read by nobody who has not the time for it. */
export const MOST_RECORDING_BYTES = 256 * 1024 * 1024;

const Head = z.object({
  recording: z.literal(1),
  version: z.string(),
  device: z.string(),
  class: z.string(),
  driver: z.string(),
  link: z.unknown(),
  settings: z.unknown(),
  startedAt: z.number(),
}) satisfies z.ZodType<RecordingHead>;
const Frame = z.strictObject({
  atMs: z.number().min(0),
  from: z.enum(["agent", "device"]),
  what: z.string().optional(),
  base64: z.base64().optional(),
}) satisfies z.ZodType<RecordedFrame>;

interface TimedFrame extends Passed {
  readonly atMs: number;
  /** Of the file, from 1. */
  readonly line: number;
}

export interface Recording {
  readonly head: RecordingHead | undefined;
  readonly frames: readonly TimedFrame[];
}

/** @throws DeviceError `invalid_params` where this is no recording, `too_large` */
export function parseRecording(text: string): Recording {
  if (text.length > MOST_RECORDING_BYTES) throw new DeviceError("too_large", { message: "the recording is too long" });
  let head: RecordingHead | undefined;
  const frames: TimedFrame[] = [];
  for (const [index, written] of text.split("\n").entries()) {
    if (written.trim() === "") continue;
    try {
      const value: unknown = JSON.parse(written);
      if (index === 0 && typeof value === "object" && value !== null && "recording" in value) head = Head.parse(value);
      else {
        const { atMs, from, what = "", base64 = "" } = Frame.parse(value);
        if (what === "" && base64 === "") continue;
        frames.push({ atMs, from, what, bytes: new Uint8Array(Buffer.from(base64, "base64")), line: index + 1 });
      }
    } catch (cause) {
      throw new DeviceError("invalid_params", {
        message: `line ${index + 1}: not a recording of a device`,
        hint: "`stationd record DEVICE FILE` makes one",
        cause,
      });
    }
  }
  return { head, frames };
}

/** What a replayed link is made on. */
export interface Player {
  /** The agent did this now: it must be what was recorded. @throws DeviceError where it is not */
  sent(what: string, bytes: Uint8Array): void;
  /** Aborts, with the error that says where, when the agent did something else than was recorded. */
  readonly diverged: AbortSignal;
}

export interface ReplayOptions {
  /** The device then takes as long as it took when it was recorded; without it, its answers come at once. */
  readonly clock?: Clock;
  /** Told once, with where. */
  diverged?(error: DeviceError): void;
}

/**
 * A device that behaves as it did when it was recorded: each of its answers comes once everything was sent that had been sent before it.
 * The agent may be faster or slower than it was, but what it sends must be the same to the byte: where it differs, the link ends with a
 * `device_fault` that names the line of the recording, and so does every later one.
 * @throws DeviceError `invalid_params` where this is no recording
 */
export function replay<L extends AnyLink = AnyLink>(recording: string | Recording, options: ReplayOptions = {}): Connect<L> {
  const { frames } = typeof recording === "string" ? parseRecording(recording) : recording;
  const { clock } = options;
  const over = new AbortController();
  /** The frame that comes next, and how many of its bytes were sent. */
  let position = 0;
  let offset = 0;
  let last = { atMs: 0, realMs: clock?.monotonicMs() ?? 0 };
  let waiting: Disposable | undefined;
  let hear: (passed: Passed) => void = () => {};

  const played = (): void => {
    last = { atMs: frames[position]?.atMs ?? last.atMs, realMs: clock?.monotonicMs() ?? 0 };
    position += 1;
    offset = 0;
  };
  const diverge = (line: number | undefined, what: string): DeviceError => {
    const where = line === undefined ? "after the end of the recording" : `line ${line}`;
    const error = new DeviceError("device_fault", {
      message: `replay, ${where}: ${what}`,
      hint: "The driver, its settings or what it was told to do differ from then; or it sends random numbers, as to printers, chips and sealed terminals",
      details: { line: line ?? null },
      retryable: false,
    });
    if (!over.signal.aborted) {
      waiting?.[Symbol.dispose]();
      over.abort(error);
      options.diverged?.(error);
    }
    return over.signal.reason as DeviceError;
  };
  /** What the device did until the agent did something; all of it at once where the agent did that already. */
  const playDevice = (atOnce: boolean): void => {
    waiting?.[Symbol.dispose]();
    for (let frame = frames[position]; frame?.from === "device" && !over.signal.aborted; frame = frames[position]) {
      const leftMs = clock && !atOnce ? frame.atMs - last.atMs - (clock.monotonicMs() - last.realMs) : 0;
      if (clock && leftMs > 0) {
        waiting = clock.timer(leftMs, () => playDevice(false));
        return;
      }
      played();
      hear(frame);
    }
  };
  const sentBytes = (bytes: Uint8Array): void => {
    for (const byte of bytes) {
      if (offset === 0) playDevice(true);
      const frame = frames[position];
      if (frame?.what !== "") throw diverge(frame?.line, "the agent sends more than was recorded");
      if (frame.bytes[offset] !== byte) throw diverge(frame.line, `byte ${offset + 1} from the agent differs`);
      if (++offset === frame.bytes.length) played();
    }
  };
  const player: Player = {
    diverged: over.signal,
    sent(what, bytes) {
      over.signal.throwIfAborted();
      if (what === "") sentBytes(bytes);
      else {
        if (offset > 0) throw diverge(frames[position]?.line, "the agent sends less than was recorded");
        playDevice(true);
        const frame = frames[position];
        if (frame?.what !== what)
          throw diverge(frame?.line, `the agent does something else: ${verb(what)} instead of ${verb(frame?.what)}`);
        const at = frame.bytes.findIndex((byte, index) => byte !== bytes[index]);
        if (at >= 0 || frame.bytes.length !== bytes.length) {
          throw diverge(frame.line, `${verb(what)}: byte ${(at < 0 ? frame.bytes.length : at) + 1} from the agent differs`);
        }
        played();
      }
      playDevice(false);
    },
  };

  return async (signal) => {
    signal.throwIfAborted();
    over.signal.throwIfAborted();
    hear = () => {};
    playDevice(true);
    const opening = frames[position];
    if (!opening) throw new DeviceError("device_absent", { message: "replay: the recording is at its end" });
    if (opening.what !== "open") throw diverge(opening.line, "the agent opens the device anew");
    played();
    const outcome = frames[position];
    // The agent gave it up when it was recorded.
    if (outcome?.from !== "device") return await raceSignal(new Promise<never>(() => {}), signal);
    played();
    if (outcome.what.startsWith("refused ")) throw failureOf(outcome.what);
    const { link, hear: heard } = replayedLink(outcome, player);
    hear = heard;
    playDevice(false);
    return link as L;
  };
}

/** Nothing of what passed: its kind only. */
function verb(what: string | undefined): string {
  return what === undefined ? "nothing" : what === "" ? "bytes" : (/[a-z]+/i.exec(what)?.[0] ?? "something");
}

const Failure = z.object({ kind: z.string(), message: z.string(), details: z.json().optional() });

/** The error at the end of `failed {…}`. */
export function failureOf(what: string): DeviceError {
  const { kind, message, details } = Failure.parse(JSON.parse(what.slice(what.indexOf("{"))));
  const known: ErrorKind = kind in ERROR_KINDS ? (kind as ErrorKind) : "device_fault";
  return new DeviceError(known, { message, ...(details === undefined ? {} : { details }) });
}
