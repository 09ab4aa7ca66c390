import { concatBytes } from "../kernel/bytes.js";
import { systemClock } from "../kernel/clock.js";
import { deadline, raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { HidLink } from "../kernel/hid.js";
import type { Connect, Link } from "../kernel/link.js";

/**
 * A HID device over a wire of bytes: how simulators are reached. Each frame is
 *
 * | bytes | meaning                                                                                                |
 * | ----- | ------------------------------------------------------------------------------------------------------ |
 * | 1     | type. From the device: 1 report descriptor, 2 input report. To it: 3 output, 4 feature report, 5 hello |
 * | 2     | length of the payload, big-endian, at most 4096                                                        |
 * | …     | payload: the descriptor, or a report as hidraw has it; a hello has none                                |
 *
 * Like a device that was plugged in, the far end keeps silent until the hello, which it answers with its descriptor; from
 * then on it may report. Anything else ends the link.
 */
const HEAD_BYTES = 3;
const MAX_PAYLOAD_BYTES = 4_096;
const FRAME = { descriptor: 1, input: 2, output: 3, feature: 4, hello: 5 } as const;
/** A device tells its descriptor at once; who is silent so long is none. */
const DESCRIPTOR_WITHIN_MS = 5_000;

export function hidOverLink(connect: Connect<Link>): Connect<HidLink> {
  return async (signal) => {
    const link = await connect(signal);
    const next = createFrames(link);
    try {
      using limit = deadline(systemClock(), DESCRIPTOR_WITHIN_MS, signal);
      await link.write(frame(FRAME.hello, new Uint8Array()), limit.signal);
      const reportDescriptor = await raceSignal(next(FRAME.descriptor, limit.signal), limit.signal);
      return {
        description: `hid over ${link.description}`,
        reportDescriptor,
        closed: link.closed,
        read: (readSignal) => next(FRAME.input, readSignal),
        write: (report, writeSignal) => link.write(frame(FRAME.output, report), writeSignal),
        sendFeature: (report, featureSignal) => link.write(frame(FRAME.feature, report), featureSignal),
        close: () => link.close(),
      };
    } catch (thrown) {
      await link.close();
      throw signal.aborted ? signal.reason : thrown;
    }
  };
}

function frame(type: number, payload: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(type, payload.length >> 8, payload.length & 0xff), payload]);
}

/** Cuts frames out of what comes in, in any chunking; holds at most one frame and what came with it. */
function createFrames(link: Link): (type: number, signal: AbortSignal) => Promise<Uint8Array> {
  let held: Uint8Array = new Uint8Array();
  return async (type, signal) => {
    for (;;) {
      const [is, high = 0, low = 0] = held;
      const length = (high << 8) | low;
      if (is !== undefined && (is !== type || (held.length >= HEAD_BYTES && (length === 0 || length > MAX_PAYLOAD_BYTES)))) {
        await link.close();
        throw new DeviceError("device_fault", {
          message: `${link.description}: no frames of a HID device`,
          hint: "This driver takes HID reports: a TCP link leads to `stationd simulate hid-scanner`, a real scanner has a hid link",
        });
      }
      if (held.length >= HEAD_BYTES + length && held.length >= HEAD_BYTES) {
        const payload = held.slice(HEAD_BYTES, HEAD_BYTES + length);
        held = held.subarray(HEAD_BYTES + length);
        return payload;
      }
      held = concatBytes([held, await link.read(signal)]);
    }
  };
}
