import { DeviceError } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import { z } from "../kernel/schema.js";
import type { RecordedFrame } from "./record.js";
import { absent, type WireLink, wireLink } from "./wire.js";

const Frame = z.union([
  z.strictObject({ atMs: z.number(), from: z.enum(["agent", "device"]), base64: z.base64() }),
  z.strictObject({ atMs: z.number(), from: z.literal("device"), end: z.literal(true) }),
]) satisfies z.ZodType<RecordedFrame>;

/**
 * A device that behaves as it did when it was recorded: each of its answers comes once everything was written that had
 * been written before it. Times are not replayed, order is.
 * @throws DeviceError `invalid_params` when this is no recording; a write that differs from the recorded one ends the link with `device_fault`.
 */
export function replay(recording: string): Connect {
  const frames = parseRecording(recording);
  return async (signal) => {
    signal.throwIfAborted();
    let position = 0;
    let offset = 0;
    let written = 0;

    const expectByte = (byte: number): void => {
      const frame = frames[position];
      if (frame?.from !== "agent" || frame.bytes[offset] !== byte) {
        throw new DeviceError("device_fault", {
          message: `replay: byte ${written} differs from the recording`,
          hint: "The driver or its settings have changed since the recording was made",
        });
      }
      written++;
      if (++offset < frame.bytes.length) return;
      position++;
      offset = 0;
      playDevice(wire);
    };
    const playDevice = ({ receive, end }: WireLink): void => {
      for (let frame = frames[position]; frame && frame.from !== "agent"; frame = frames[++position]) {
        if (frame.from === "device") receive(frame.bytes);
        // After the write that it followed has resolved.
        else setImmediate(() => end(absent("replay: the recorded link ended here")));
      }
    };
    const wire = wireLink({
      description: "replay",
      chunkBytes: 4_096,
      async write(chunk) {
        for (const byte of chunk) expectByte(byte);
      },
      release: async () => {},
    });
    playDevice(wire);
    return wire.link;
  };
}

type ParsedFrame = { readonly from: "agent" | "device"; readonly bytes: Uint8Array } | { readonly from: "end" };

function parseRecording(recording: string): ParsedFrame[] {
  try {
    const lines = recording.split("\n").filter((line) => line.trim() !== "");
    const frames = lines.map((line) => Frame.parse(JSON.parse(line)));
    return frames
      .map(
        (frame): ParsedFrame =>
          "end" in frame ? { from: "end" } : { from: frame.from, bytes: new Uint8Array(Buffer.from(frame.base64, "base64")) },
      )
      .filter((frame) => frame.from === "end" || frame.bytes.length > 0);
  } catch (thrown) {
    throw new DeviceError("invalid_params", { message: "not a recording of a link", cause: thrown });
  }
}
