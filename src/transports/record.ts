import type { Clock } from "../kernel/clock.js";
import type { Link } from "../kernel/link.js";

/** One line of a recording. */
export type RecordedFrame =
  | { readonly atMs: number; readonly from: "agent" | "device"; readonly base64: string }
  | { readonly atMs: number; readonly from: "device"; readonly end: true };

/**
 * The same link, with everything that passes told to `sink` as lines of JSON that `replay` understands.
 * A recording holds all that passed, unmasked: what citizens printed and scanned, and of a payment terminal whole card numbers, tracks and
 * the terminal's password. It is made by a technician with test documents and test cards only.
 */
export function record(link: Link, sink: (line: string) => void, clock: Clock): Link {
  const startMs = clock.monotonicMs();
  const atMs = (): number => Math.round(clock.monotonicMs() - startMs);
  const tell = (frame: RecordedFrame): void => sink(`${JSON.stringify(frame)}\n`);
  void link.closed.then(() => tell({ atMs: atMs(), from: "device", end: true }));
  return {
    ...link,
    async read(signal) {
      const bytes = await link.read(signal);
      tell({ atMs: atMs(), from: "device", base64: Buffer.from(bytes).toString("base64") });
      return bytes;
    },
    async write(bytes, signal) {
      // Told before it leaves: the answer to it must come later in the recording.
      tell({ atMs: atMs(), from: "agent", base64: Buffer.from(bytes).toString("base64") });
      await link.write(bytes, signal);
    },
  };
}
