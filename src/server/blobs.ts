import { createHash } from "node:crypto";
import { encodeFrame, HEADER_BYTES } from "../protocol/binary-frame.js";
import type { BlobRef } from "../protocol/method.js";
import { LIMITS } from "../protocol/version.js";
import type { Outbound } from "./outbound.js";

const CHUNK_BYTES = LIMITS.binaryFrameBytes - HEADER_BYTES;
/** Other clients get a turn after this many chunks: hashing and copying them costs about a millisecond. */
const CHUNKS_PER_TURN = 8;

/**
 * Sends bytes as frames of one channel and answers with the reference that the result carries. Waits where the client
 * is slow; several blobs may be under way, each on its channel.
 * @throws what `check` throws, once the request was answered or the client is gone
 */
export async function sendBlob(
  outbound: Outbound,
  channel: number,
  mediaType: string,
  bytes: Uint8Array,
  capturedAt: number,
  check: () => void,
): Promise<BlobRef> {
  const hash = createHash("sha256");
  const chunks = Math.max(1, Math.ceil(bytes.length / CHUNK_BYTES));
  for (let sequence = 0; sequence < chunks; sequence++) {
    if (sequence > 0 && sequence % CHUNKS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    await outbound.relieved();
    check();
    const chunk = bytes.subarray(sequence * CHUNK_BYTES, (sequence + 1) * CHUNK_BYTES);
    hash.update(chunk);
    outbound.binary(encodeFrame({ kind: "blob", last: sequence === chunks - 1, channel, sequence, capturedAt }, chunk));
  }
  return { channel, mediaType, byteLength: bytes.length, sha256: hash.digest("hex") };
}
