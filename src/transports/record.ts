import type { CardReaderLink } from "../kernel/card.js";
import type { Clock } from "../kernel/clock.js";
import type { HidLink } from "../kernel/hid.js";
import type { HttpLink } from "../kernel/http.js";
import type { Connect, Link } from "../kernel/link.js";
import type { ProgramLink } from "../kernel/program.js";
import type { Passed, Tap } from "../kernel/tap.js";
import { failureText, passed, tappedCard, tappedHttp, tappedProgram } from "./record-links.js";

export type AnyLink = Link | HidLink | HttpLink | CardReaderLink | ProgramLink;

/**
 * The same connector, with a tap on each of its links. What passes, by `what`; a `FAILURE` is `failed` or `refused` and an error as JSON:
 *
 * | link    | from the agent                                  | from the device                                                |
 * | ------- | ----------------------------------------------- | -------------------------------------------------------------- |
 * | any     | `open`                                          | `opened KIND`, `refused {…}`; `end {…}`                        |
 * | bytes   | bytes                                           | bytes                                                          |
 * | hid     | `output`, `feature` with a report               | its descriptor with `opened hid`; `input` with a report        |
 * | http    | `#1 POST /path` with the body                   | `#1 200 {headers}` with the body, `#1 failed {…}`, `notice /path` |
 * | card    | `connect`, `apdu` with bytes, `disconnect`      | `atr LONGEST` with bytes, `apdu` with bytes, `failed {…}`, `ended {…}`, `present`, `absent` |
 * | program | `#1 run [arguments]`, `#1 stdin`, `take NAME`   | `#1 stdout`, `#1 stderr` with a line, `#1 ended {…}`, `file NAME` with bytes, `failed NAME {…}` |
 */
export function tapped<L extends AnyLink>(connect: Connect<L>, tap: Tap): Connect<L> {
  return async (signal) => {
    tap.tell?.(passed("agent", "open"));
    try {
      return tappedLink(await connect(signal), tap) as L;
    } catch (thrown) {
      if (!signal.aborted) tap.tell?.(passed("device", `refused ${failureText(thrown)}`));
      throw thrown;
    }
  };
}

function tappedLink(link: AnyLink, tap: Tap): AnyLink {
  if ("reportDescriptor" in link) return tappedHid(link, tap);
  if ("send" in link) return tappedHttp(link, tap);
  if ("reader" in link) return tappedCard(link, tap);
  if ("run" in link) return tappedProgram(link, tap);
  return tappedBytes(link, tap);
}

function tappedBytes(link: Link, tap: Tap): Link {
  tap.tell?.(passed("device", "opened bytes"));
  const guard = guarding(link, tap);
  return {
    ...link,
    close: guard.close,
    read: (signal) =>
      guard.through(signal, async () => {
        const bytes = await link.read(signal);
        tap.tell?.(passed("device", "", bytes));
        return bytes;
      }),
    write(bytes, signal) {
      // Told before it leaves: the answer to it must come later.
      if (!tap.tell) return link.write(bytes, signal);
      tap.tell(passed("agent", "", bytes));
      return guard.through(signal, () => link.write(bytes, signal));
    },
  };
}

function tappedHid(link: HidLink, tap: Tap): HidLink {
  tap.tell?.(passed("device", "opened hid", link.reportDescriptor));
  const guard = guarding(link, tap);
  return {
    ...link,
    close: guard.close,
    read: (signal) =>
      guard.through(signal, async () => {
        const report = await link.read(signal);
        tap.tell?.(passed("device", "input", report));
        return report;
      }),
    write(report, signal) {
      tap.tell?.(passed("agent", "output", report));
      return guard.through(signal, () => link.write(report, signal));
    },
    sendFeature(report, signal) {
      tap.tell?.(passed("agent", "feature", report));
      return guard.through(signal, () => link.sendFeature(report, signal));
    },
  };
}

/**
 * Tells once that the device ended the link: where the driver learns it, because what came before the end is read before that.
 * An end that the agent wanted is none of the device's.
 */
function guarding(link: Link | HidLink, tap: Tap) {
  let told = false;
  return {
    close(): Promise<void> {
      told = true;
      return link.close();
    },
    async through<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
      try {
        return await work();
      } catch (thrown) {
        if (!told && !signal.aborted) tap.tell?.(passed("device", `end ${failureText(thrown)}`));
        told = true;
        throw thrown;
      }
    },
  };
}

/** A recording holds all that passed, unmasked: it is made by a technician with test documents and test cards only. */
export interface RecordingHead {
  readonly recording: 1;
  /** Of the agent that made it. */
  readonly version: string;
  readonly device: string;
  readonly class: string;
  readonly driver: string;
  /** As the config names it, without secrets. */
  readonly link: unknown;
  readonly settings: unknown;
  readonly startedAt: number;
}

/** One line of a recording after its head. */
export interface RecordedFrame {
  readonly atMs: number;
  readonly from: Passed["from"];
  readonly what?: string | undefined;
  readonly base64?: string | undefined;
}

/** Makes lines of JSON that `replay` understands of what passes. */
export function recordingLines(clock: Clock): (passed: Passed) => string {
  const startMs = clock.monotonicMs();
  return ({ from, what, bytes }) => {
    const frame: RecordedFrame = {
      atMs: Math.round(clock.monotonicMs() - startMs),
      from,
      ...(what === "" ? {} : { what }),
      ...(bytes.length === 0 ? {} : { base64: Buffer.from(bytes).toString("base64") }),
    };
    return `${JSON.stringify(frame)}\n`;
  };
}
