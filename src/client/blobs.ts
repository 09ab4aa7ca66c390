import type { FrameHeader } from "../protocol/binary-frame.js";
import type { BlobRef } from "../protocol/method.js";
import { StationError } from "./station-error.js";

/** Chunks that no result has named (the request was canceled) are kept up to this; then the oldest channel goes. */
const HELD_BYTES = 128 * 1024 * 1024;

interface Channel {
  readonly chunks: Uint8Array<ArrayBuffer>[];
  byteLength: number;
  nextSequence: number;
  complete: boolean;
  broken: boolean;
}

export interface BlobCollector {
  /** A binary frame of kind `blob`. */
  receive(frame: { readonly header: FrameHeader; readonly payload: Uint8Array }): void;
  /**
   * Ties the bytes to each blob reference in a result, however deep. Undefined where it holds none, so that
   * most results need not wait. Rejects with StationError `blob_damaged`.
   */
  claim(result: unknown): Promise<void> | undefined;
  clear(): void;
}

function isBlobRef(value: unknown): value is BlobRef {
  const ref = value as Partial<BlobRef> | null;
  return (
    typeof ref === "object" &&
    ref !== null &&
    typeof ref.channel === "number" &&
    typeof ref.mediaType === "string" &&
    typeof ref.byteLength === "number" &&
    typeof ref.sha256 === "string"
  );
}

/** What is walked is an answer of the agent's, as parsed: it has no cycles. */
function refsIn(value: unknown): BlobRef[] {
  if (typeof value !== "object" || value === null) return [];
  return isBlobRef(value) ? [value] : Object.values(value).flatMap(refsIn);
}

function damaged(what: string): StationError {
  return new StationError("blob_damaged", what, {
    retryable: true,
    hint: "Ask again; if it stays, something between page and agent alters frames",
  });
}

async function sha256(blob: Blob, subtle: SubtleCrypto): Promise<string> {
  const digest = new Uint8Array(await subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param blobs where whole blobs are found by their reference; they live as long as the result that names them */
export function collectBlobs(blobs: WeakMap<BlobRef, Blob>): BlobCollector {
  const channels = new Map<number, Channel>();
  let heldBytes = 0;

  const take = (id: number): Channel | undefined => {
    const channel = channels.get(id);
    channels.delete(id);
    heldBytes -= channel?.byteLength ?? 0;
    return channel;
  };

  const assemble = async (ref: BlobRef): Promise<void> => {
    const channel = take(ref.channel);
    if (ref.byteLength > 0 || channel) {
      if (!channel?.complete || channel.broken) throw damaged("chunks of a blob are missing or out of order");
      if (channel.byteLength !== ref.byteLength) throw damaged("a blob is not as long as its result says");
    }
    const blob = new Blob(channel?.chunks ?? [], { type: ref.mediaType });
    // There is none outside secure contexts; the length was checked all the same.
    const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
    if (subtle && (await sha256(blob, subtle)) !== ref.sha256) throw damaged("a blob's bytes do not match their SHA-256");
    blobs.set(ref, blob);
  };

  return {
    receive({ header, payload }) {
      const { channel: id, sequence, last } = header;
      const channel = channels.get(id) ?? { chunks: [], byteLength: 0, nextSequence: sequence, complete: false, broken: false };
      if (sequence !== channel.nextSequence || channel.complete) channel.broken = true;
      channel.nextSequence = sequence + 1;
      channel.complete = last;
      channel.chunks.push(payload.slice());
      channel.byteLength += payload.length;
      heldBytes += payload.length;
      channels.set(id, channel);
      for (const oldest of channels.keys()) {
        if (heldBytes <= HELD_BYTES || oldest === id) break;
        take(oldest);
      }
    },
    claim(result) {
      const refs = refsIn(result);
      return refs.length === 0 ? undefined : Promise.all(refs.map(assemble)).then(() => {});
    },
    clear() {
      channels.clear();
      heldBytes = 0;
    },
  };
}
