import type { AnyDriver, Condition, DriverContext, OpenDevice } from "../../src/contracts/driver.js";
import type { Imaging } from "../../src/contracts/imaging.js";
import { type Clock, type ManualClock, manualClock } from "../../src/kernel/clock.js";
import { DeviceError } from "../../src/kernel/errors.js";
import type { Connect } from "../../src/kernel/link.js";
import { silentLog } from "../../src/kernel/log.js";
import { seededRandom } from "../../src/kernel/random.js";
import { createTap, type Passed } from "../../src/kernel/tap.js";
import { type AnyLink, type RecordedFrame, recordingLines, tapped } from "../../src/transports/record.js";
import { replay } from "../../src/transports/replay.js";

export const never = new AbortController().signal;

/** Dots that depend on what is drawn and on nothing else. */
const imaging: Imaging = {
  draw: async (blocks, { widthDots }) =>
    blocks.map((block) => {
      const bits = seededRandom(JSON.stringify(block).length).bytes((widthDots / 8) * 16);
      return { widthDots, heightDots: 16, bits };
    }),
  png: () => Promise.reject(new DeviceError("unsupported")),
};

/** What a recorded run has at its far end; a replayed one has none of it. */
export interface FarSide {
  readonly connect: Connect<never>;
  act(name: string, params?: object): Promise<void>;
  close(): Promise<void>;
}

export interface Stage<D> {
  readonly device: D;
  /** Works the simulator; in a replay there is none. */
  act(name: string, params?: object): Promise<void>;
  readonly clock: Clock;
}

export interface Case<D> {
  readonly driver: AnyDriver;
  readonly settings?: object;
  /** `manual`: time is moved by hand, for drivers that ask by the clock; `machine`: the machine's, for far ends that need it. */
  readonly time: "manual" | "machine";
  readonly machine?: Clock;
  farSide(clock: Clock): Promise<FarSide>;
  /** What is done with the device, and what comes out. */
  play(stage: Stage<D>): Promise<unknown>;
}

interface Outcome {
  readonly result: unknown;
  readonly conditions: readonly Condition[];
}

const TURNS = 20_000;

async function driven<T>(clock: Clock | ManualClock, work: Promise<T>): Promise<T> {
  if (!("advance" in clock)) return await work;
  let done = false;
  const settled = work.finally(() => {
    done = true;
  });
  settled.catch(() => {});
  for (let turn = 0; turn < TURNS && !done; turn++) await clock.advance(100);
  if (!done) throw new RangeError("it never ends");
  return await settled;
}

async function run<D>(
  { driver, settings = {}, play }: Case<D>,
  clock: Clock,
  connect: Connect<AnyLink>,
  act: Stage<D>["act"],
): Promise<Outcome> {
  const conditions: Condition[] = [];
  const context: DriverContext<never> = {
    device: "device",
    connect: connect as Connect<never>,
    clock,
    random: seededRandom(7),
    log: silentLog,
    signal: never,
    imaging,
    simulated: false,
    report: (condition) => void conditions.push(condition),
  };
  const opening: Promise<OpenDevice> = driver.open(driver.config.parse(settings), context as never);
  const device = await driven(clock, opening);
  try {
    const result = await driven(clock, play({ device: device as unknown as D, act, clock }));
    return { result, conditions: [...conditions] };
  } finally {
    await device.close();
  }
}

const clockOf = <D>({ time, machine }: Case<D>): Clock => (time === "manual" || !machine ? manualClock() : machine);

/** The driver at its simulator, and what passed. */
export async function recordRun<D>(of: Case<D>): Promise<Outcome & { readonly recording: string; readonly passed: readonly Passed[] }> {
  const clock = clockOf(of);
  const tap = createTap();
  const line = recordingLines(clock);
  let recording = "";
  const all: Passed[] = [];
  using _ = tap.listen((passed) => {
    recording += line(passed);
    all.push({ ...passed, bytes: passed.bytes.slice() });
  });
  const far = await of.farSide(clock);
  try {
    return { ...(await run(of, clock, tapped(far.connect as Connect<AnyLink>, tap), far.act)), recording, passed: all };
  } finally {
    await far.close();
  }
}

/** A fresh driver with the recording alone. */
export async function replayRun<D>(
  of: Case<D>,
  recording: string,
): Promise<{ readonly outcome?: Outcome; readonly failure?: unknown; readonly diverged: readonly DeviceError[] }> {
  const clock = clockOf(of);
  const diverged: DeviceError[] = [];
  const paced = of.time === "manual" ? { clock } : {};
  const connect = replay(recording, { ...paced, diverged: (error) => void diverged.push(error) });
  try {
    return { outcome: await run(of, clock, connect, async () => {}), diverged };
  } catch (failure) {
    return { failure, diverged };
  }
}

/** The recording with one byte, or one letter of a program's arguments, changed in what the agent sent; and in which line. */
export function changed(
  recording: string,
  pick: (frames: readonly number[]) => number = (lines) => lines.at(-1) ?? 0,
): { text: string; line: number } {
  const lines = recording.trim().split("\n");
  const frames = lines.map((text) => JSON.parse(text) as RecordedFrame);
  const candidates = frames.flatMap(({ from, base64, what }, index) =>
    from === "agent" && (base64 !== undefined || / run /.test(what ?? "")) ? [index] : [],
  );
  const index = pick(candidates);
  const frame = frames[index] as RecordedFrame;
  const bytes = Buffer.from(frame.base64 ?? "", "base64");
  const middle = bytes.length >> 1;
  if (bytes.length > 0) bytes[middle] = (bytes[middle] ?? 0) ^ 0x01;
  const other: RecordedFrame =
    frame.base64 === undefined ? { ...frame, what: `${frame.what} ` } : { ...frame, base64: bytes.toString("base64") };
  lines[index] = JSON.stringify(other);
  return { text: lines.join("\n"), line: index + 1 };
}
