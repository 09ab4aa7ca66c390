import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Clock } from "../kernel/clock.js";
import { LIMITS } from "../protocol/version.js";
import { binaryFrameHeader, encodeTextFrames } from "./frames.js";

/** From here on a client counts as slow: events coalesce, progress is left out, blobs wait. */
export const SLOW_BYTES = 256 * 1024;
/** What all clients together may be owed before each one's own limit shrinks to a small part. */
const SHARED_BYTES = 32 * 1024 * 1024;
const SHRUNKEN_LIMIT_BYTES = 512 * 1024;
/** Nobody is owed more, not for a moment: answers that were under way when reading stopped are counted in. */
const CEILING_BYTES = 4 * LIMITS.outboundBufferBytes;

/** One side of the wire: what leaves towards a client, and when there is too much of it. */
export interface Outbound {
  /** A reply or notification; leaves with all others of this turn in one write. Never dropped while the connection lives. */
  text(message: string): void;
  /**
   * One frame, in parts; leaves after every text before it. The parts are not copied, because the same picture goes to many:
   * they must not change any more.
   */
  binary(...parts: readonly Uint8Array[]): void;
  /** Calls the turn's end even where nothing is sent. */
  schedule(): void;
  flush(): void;
  /** Bytes that the client has not taken, as far as this process knows. */
  owedBytes(): number;
  slow(): boolean;
  /** Over its limit: nothing more is read from the client until it has taken what it is owed. */
  over(): boolean;
  /** Resolves when the client has caught up or is gone. */
  relieved(): Promise<void>;
  /** The connection is gone. */
  dispose(): void;
}

/** Who is behind, over all connections: the memory that slow clients hold together is bounded. */
export type Backlog = Set<Outbound>;

interface OutboundOptions {
  readonly ws: WebSocket;
  readonly socket: Duplex;
  readonly clock: Clock;
  readonly backlog: Backlog;
  /** Bytes of events that wait elsewhere for this client. */
  waitingEventBytes(): number;
  /** After each write of a turn. */
  turnEnded(): void;
  /** The client took everything it was owed. */
  onRelief(): void;
  /** Over its limit for too long, or over the ceiling. */
  onHopeless(): void;
}

export function createOutbound(options: OutboundOptions): Outbound {
  const { ws, socket, clock, backlog } = options;
  let batch: string[] = [];
  let batchBytes = 0;
  let scheduled = false;
  let behind = false;
  let over = false;
  let gone = false;
  let patience: Disposable | undefined;
  let waiters: (() => void)[] = [];

  const limit = (): number => {
    let shared = 0;
    for (const other of backlog) shared += other.owedBytes();
    return shared > SHARED_BYTES ? SHRUNKEN_LIMIT_BYTES : LIMITS.outboundBufferBytes;
  };
  const outOfPatience = (): void => {
    patience = undefined;
    if (gone || !over) return;
    if (outbound.owedBytes() > limit()) options.onHopeless();
    else relieve();
  };
  const relieve = (): void => {
    behind = over = false;
    backlog.delete(outbound);
    patience?.[Symbol.dispose]();
    patience = undefined;
    const waited = waiters;
    waiters = [];
    for (const wake of waited) wake();
    options.onRelief();
  };
  const weigh = (): void => {
    const owed = outbound.owedBytes();
    if (owed <= SLOW_BYTES || gone) return;
    if (!behind) {
      behind = true;
      backlog.add(outbound);
    }
    if (owed > CEILING_BYTES) options.onHopeless();
    else if (!over && owed > limit()) {
      over = true;
      patience = clock.timer(LIMITS.slowClientMs, outOfPatience);
    }
  };
  const endTurn = (): void => {
    scheduled = false;
    outbound.flush();
    options.turnEnded();
  };
  // Fires when the buffer is empty after it was above the stream's mark, which is far below SLOW_BYTES.
  socket.on("drain", () => {
    if (!gone) relieve();
  });

  const outbound: Outbound = {
    text(message) {
      batch.push(message);
      batchBytes += message.length;
      if (batchBytes > SLOW_BYTES) outbound.flush();
      outbound.schedule();
    },
    binary(...parts) {
      outbound.flush();
      if (gone || ws.readyState !== ws.OPEN) return;
      socket.cork();
      socket.write(binaryFrameHeader(parts.reduce((sum, { length }) => sum + length, 0)));
      for (const part of parts) socket.write(part);
      socket.uncork();
      weigh();
    },
    schedule() {
      if (scheduled) return;
      scheduled = true;
      process.nextTick(endTurn);
    },
    flush() {
      if (batch.length === 0) return;
      const texts = batch;
      batch = [];
      batchBytes = 0;
      // Nothing may follow a close frame (RFC 6455 §5.5.1).
      if (gone || ws.readyState !== ws.OPEN) return;
      socket.write(encodeTextFrames(texts));
      weigh();
    },
    owedBytes: () => socket.writableLength + batchBytes + options.waitingEventBytes(),
    slow: () => behind || socket.writableLength + batchBytes > SLOW_BYTES,
    over: () => over,
    relieved: () =>
      new Promise<void>((resolve) => {
        if (gone || !outbound.slow()) resolve();
        else waiters.push(resolve);
      }),
    dispose() {
      if (gone) return;
      gone = true;
      batch = [];
      batchBytes = 0;
      backlog.delete(outbound);
      patience?.[Symbol.dispose]();
      for (const wake of waiters) wake();
      waiters = [];
    },
  };
  return outbound;
}
