import type { FrameHeader } from "../protocol/binary-frame.js";
import type { ParamsInput } from "../protocol/methods.js";
import type { Connection } from "./connection.js";
import { emit } from "./platform.js";
import type { StationError } from "./station-error.js";

export interface PreviewPicture {
  /** Milliseconds since the epoch, on the agent's clock. */
  readonly capturedAt: number;
  /** Rises from picture to picture of one connection. */
  readonly sequence: number;
}

export type PreviewOptions = ParamsInput<"camera.startPreview">;
type OnFrame = (jpeg: Blob, picture: PreviewPicture) => void;
export interface Chunk {
  readonly header: FrameHeader;
  readonly payload: Uint8Array;
}

/** A picture that grows beyond this is none. */
const MAX_PICTURE_BYTES = 32 * 1024 * 1024;

interface Preview {
  readonly options: PreviewOptions;
  readonly onFrame: OnFrame;
  readonly settle: (error?: StationError) => void;
  channel?: number | undefined;
}

export interface Previews {
  /** Resolves when the signal ends it; rejects with StationError where the agent refuses it or the client is closed. */
  add(options: PreviewOptions, onFrame: OnFrame, signal?: AbortSignal): Promise<void>;
  chunk(chunk: Chunk): void;
  /** A new connection: every preview is started again. */
  resync(connection: Connection): void;
  /** The client is closed for good. */
  end(error: StationError): void;
}

/** @param current the connection, or undefined while there is none: the next `resync` then makes up for it */
export function keepPreviews(current: () => Connection | undefined): Previews {
  const previews = new Set<Preview>();
  /** Of this connection, by channel. */
  const collectors = new Map<number, (chunk: Chunk) => void>();
  let endedWith: StationError | undefined;

  const stop = (connection: Connection | undefined, channel: number): void => {
    collectors.delete(channel);
    connection?.request("camera.stopPreview", { channel }, { resolve() {}, reject() {} });
  };
  const start = (connection: Connection, preview: Preview): void =>
    connection.request("camera.startPreview", preview.options, {
      resolve({ channel }) {
        if (!previews.has(preview)) return stop(connection, channel);
        preview.channel = channel;
        collectors.set(
          channel,
          collectPictures((jpeg, picture) => emit([() => preview.onFrame(jpeg, picture)], undefined)),
        );
      },
      reject(error) {
        // A lost connection comes back, and the preview with it.
        if (error.kind === "connection_lost" || !previews.delete(preview)) return;
        preview.settle(error);
      },
    });

  return {
    add: (options, onFrame, signal) =>
      new Promise((resolve, reject) => {
        if (endedWith) return reject(endedWith);
        if (signal?.aborted) return resolve();
        const leave = (): void => {
          if (!previews.delete(preview)) return;
          if (preview.channel !== undefined) stop(current(), preview.channel);
          resolve();
        };
        const preview: Preview = {
          options,
          onFrame,
          settle(error) {
            signal?.removeEventListener("abort", leave);
            if (error) reject(error);
          },
        };
        signal?.addEventListener("abort", leave, { once: true });
        previews.add(preview);
        const connection = current();
        if (connection) start(connection, preview);
      }),
    chunk: (chunk) => collectors.get(chunk.header.channel)?.(chunk),
    resync(connection) {
      collectors.clear();
      for (const preview of previews) {
        preview.channel = undefined;
        start(connection, preview);
      }
    },
    end(error) {
      endedWith = error;
      collectors.clear();
      for (const preview of previews) preview.settle(error);
      previews.clear();
    },
  };
}

/** Puts the chunks of one channel together; a picture that misses one is dropped. */
function collectPictures(onPicture: OnFrame): (chunk: Chunk) => void {
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let damaged = false;
  let next: number | undefined;
  return ({ header: { sequence, last, capturedAt }, payload }) => {
    damaged ||= (next !== undefined && sequence !== next) || bytes > MAX_PICTURE_BYTES;
    next = (sequence + 1) >>> 0;
    bytes += payload.length;
    if (damaged) chunks = [];
    else chunks.push(payload.slice());
    if (!last) return;
    const whole = damaged ? undefined : new Blob(chunks, { type: "image/jpeg" });
    chunks = [];
    bytes = 0;
    damaged = false;
    if (whole) onPicture(whole, { capturedAt, sequence });
  };
}
