import { DeviceError } from "../kernel/errors.js";
import { encodeFrame, HEADER_BYTES } from "../protocol/binary-frame.js";
import type { FrameOutlet } from "../protocol/call.js";
import { LIMITS } from "../protocol/version.js";
import type { Outbound } from "./outbound.js";

const CHUNK_BYTES = LIMITS.binaryFrameBytes - HEADER_BYTES;
const NOTHING = new Uint8Array();
/** A page shows one picture or two; more are a mistake. */
const MOST_STREAMS = 8;

/**
 * One stream of pictures on a connection, each as chunks of one sequence with `last` on its end. To a slow client
 * none is sent: a picture that waits is an old one when it arrives, and one that stops reading costs nobody else anything.
 */
export function openFrameOutlet(outbound: Outbound, channel: number, streams: Set<FrameOutlet>): FrameOutlet {
  if (streams.size >= MOST_STREAMS) throw new DeviceError("rate_limited", { message: "this client has enough previews" });
  const ended = new AbortController();
  let sequence = 0;
  const outlet: FrameOutlet = {
    channel,
    closed: ended.signal,
    send(picture, capturedAt) {
      if (ended.signal.aborted || outbound.slow()) return false;
      for (let at = 0; at < picture.length; at += CHUNK_BYTES) {
        const last = at + CHUNK_BYTES >= picture.length;
        const header = encodeFrame({ kind: "preview", last, channel, sequence: sequence++ >>> 0, capturedAt }, NOTHING);
        outbound.binary(header, picture.subarray(at, at + CHUNK_BYTES));
      }
      return true;
    },
    close() {
      streams.delete(outlet);
      ended.abort();
    },
  };
  streams.add(outlet);
  return outlet;
}
