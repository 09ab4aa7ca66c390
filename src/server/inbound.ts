import type { WebSocket } from "ws";
import type { Clock } from "../kernel/clock.js";
import type { Outbound } from "./outbound.js";

/** What one client may have done in one turn of the event loop: a message counts 1 plus 1 for each KiB. */
const TURN_BUDGET = 64;
/** Below this a burst is too small to disturb anybody, and the next one starts afresh without waiting for a turn to end. */
const LIGHT_BURST = 16;

export interface Inbound {
  take(frame: Buffer): void;
  /** Something that costs, but is no message: a ping. */
  charge(cost: number): void;
  /** The burst of this turn was answered. */
  turnEnded(): void;
  /** The client has taken what it was owed: reading goes on. */
  relieved(): void;
  dispose(): void;
}

interface InboundOptions {
  readonly ws: WebSocket;
  readonly clock: Clock;
  readonly outbound: Outbound;
  handle(text: string, receivedAtMs: number | undefined): void;
}

/**
 * Fairness and back-pressure of one client. Messages are handled as they arrive until the turn's budget is spent;
 * the rest of what was read waits, the socket is paused, and other clients get their turn. While the client is over
 * its outbound limit nothing is read at all.
 */
export function createInbound({ ws, clock, outbound, handle }: InboundOptions): Inbound {
  let waiting: { frame: Buffer; receivedAtMs: number }[] = [];
  let spent = 0;
  let turnPending = false;
  let paused = false;
  let gone = false;

  const holdBack = (): void => {
    if (!paused) {
      paused = true;
      ws.pause();
    }
    if (!turnPending) {
      turnPending = true;
      setImmediate(nextTurn);
    }
  };
  const nextTurn = (): void => {
    turnPending = false;
    spent = 0;
    goOn();
  };
  const goOn = (): void => {
    let index = 0;
    while (index < waiting.length && spent < TURN_BUDGET && !outbound.over() && !gone) {
      const next = waiting[index++] as (typeof waiting)[number];
      spent += costOf(next.frame);
      handle(next.frame.toString(), next.receivedAtMs);
    }
    waiting = index === waiting.length ? [] : waiting.slice(index);
    if (gone) waiting = [];
    // Over its limit: relieved() calls again, not the next turn.
    if (gone || outbound.over()) return;
    if (waiting.length > 0) holdBack();
    else if (paused) {
      paused = false;
      ws.resume();
    }
  };

  return {
    take(frame) {
      if (gone) return;
      outbound.schedule();
      if (!paused && spent < TURN_BUDGET && !outbound.over()) {
        spent += costOf(frame);
        handle(frame.toString(), undefined);
        return;
      }
      waiting.push({ frame, receivedAtMs: clock.monotonicMs() });
      holdBack();
    },
    charge(cost) {
      outbound.schedule();
      spent += cost;
      if (spent >= TURN_BUDGET) holdBack();
    },
    turnEnded() {
      if (outbound.over() && !paused && !gone) {
        paused = true;
        ws.pause();
      }
      if (spent <= LIGHT_BURST) spent = 0;
      else if (!turnPending && !gone) {
        turnPending = true;
        setImmediate(nextTurn);
      }
    },
    relieved() {
      if (!turnPending && !gone) goOn();
    },
    dispose() {
      gone = true;
      waiting = [];
    },
  };
}

function costOf(frame: Buffer): number {
  return 1 + (frame.length >> 10);
}
