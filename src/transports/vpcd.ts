import assert from "node:assert/strict";
import { concatBytes, equalBytes } from "../kernel/bytes.js";
import type { CardReaderLink, CardSession } from "../kernel/card.js";
import type { Clock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import { asDeviceError, DeviceError } from "../kernel/errors.js";
import type { Connect, Link } from "../kernel/link.js";

/** Frames of one byte are for the reader: these. Only GET_ATR is answered. */
const POWER_OFF = 0;
const POWER_ON = 1;
const GET_ATR = 4;
const POLL_EVERY_MS = 50;
const MAX_FRAME_BYTES = 0xffff;
/** CLA INS P1 P2. */
const MIN_APDU_BYTES = 4;

/**
 * A card at the far end of a byte link that speaks vsmartcard's vpcd protocol: frames of a big-endian 16-bit length and
 * data; ours is the reader's side. An empty answer means that no card lies there. Presence is asked for between APDUs;
 * an APDU whose session has ended is still waited for, because the next answer would be mistaken for it.
 */
export function vpcd(connectLink: Connect, clock: Clock): Connect<CardReaderLink> {
  return async (signal) => {
    const link = await connectLink(signal);
    const reader = serveReader(link, clock);
    try {
      await raceSignal(reader.look(), signal);
      reader.poll();
      return reader.link;
    } catch (thrown) {
      await reader.link.close();
      throw signal.aborted ? signal.reason : thrown;
    }
  };
}

interface Reader {
  readonly link: CardReaderLink;
  /** Asks whether a card lies there. */
  look(): Promise<void>;
  /** Asks again and again until the link ends. */
  poll(): void;
}

function serveReader(link: Link, clock: Clock): Reader {
  const description = `vpcd ${link.description}`;
  const wire = frames(link, description);
  const { over } = wire;
  let atr: Uint8Array = new Uint8Array();
  let listener: ((present: boolean) => void) | undefined;
  let session: { end(reason: DeviceError): void } | undefined;

  const removed = (): DeviceError => new DeviceError("card_removed", { message: `${description}: the card was lifted` });
  const see = (next: Uint8Array): void => {
    const before = atr;
    atr = next;
    if (equalBytes(before, next)) return;
    if (before.length > 0) {
      session?.end(removed());
      listener?.(false);
    }
    if (next.length > 0) listener?.(true);
  };
  const look = async (): Promise<void> => see(await wire.ask(Uint8Array.of(GET_ATR)));
  const poll = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(POLL_EVERY_MS, over);
      await look();
    }
  };
  void wire.closed.then((reason) => {
    session?.end(reason);
    atr = new Uint8Array();
  });

  const openSession = (): CardSession => {
    const ended = new AbortController();
    let busy = false;
    const end = (reason: DeviceError): void => {
      if (ended.signal.aborted) return;
      ended.abort(reason);
      session = undefined;
      wire.tell(POWER_OFF);
    };
    session = { end };
    const exchange = async (apdu: Uint8Array): Promise<Uint8Array> => {
      const response = await wire.ask(apdu);
      if (response.length === 0) {
        // Of a session that has ended, too: no other can have begun before this answer came.
        see(response);
        throw removed();
      }
      if (response.length === 1) throw new DeviceError("card_error", { message: `${description}: an answer without status word` });
      return response;
    };
    return {
      atr,
      maxApduBytes: MAX_FRAME_BYTES,
      ended: new Promise((resolve) => {
        ended.signal.addEventListener("abort", () => resolve(ended.signal.reason as DeviceError), { once: true });
      }),
      async transmit(apdu, signal) {
        assert(apdu.length >= MIN_APDU_BYTES, "no APDU");
        signal.throwIfAborted();
        ended.signal.throwIfAborted();
        if (busy) throw new DeviceError("internal", { message: "two APDUs at once in one session" });
        if (apdu.length > MAX_FRAME_BYTES) throw new DeviceError("card_error", { message: `${description}: the APDU is too long` });
        busy = true;
        try {
          return await raceSignal(raceSignal(exchange(apdu), ended.signal), signal);
        } catch (thrown) {
          if (signal.aborted) end(new DeviceError("canceled", { message: `${description}: an APDU was given up` }));
          throw thrown;
        } finally {
          busy = false;
        }
      },
      async close() {
        end(new DeviceError("canceled", { message: `${description}: the session was closed` }));
      },
    };
  };

  return {
    look,
    poll: () => void poll().catch(() => {}),
    link: {
      description,
      reader: "vpcd",
      get present() {
        return atr.length > 0;
      },
      onPresence(next) {
        listener = next;
      },
      async connect(signal) {
        signal.throwIfAborted();
        over.throwIfAborted();
        if (session) throw new DeviceError("busy", { message: `${description}: one session at a time` });
        wire.tell(POWER_ON);
        await raceSignal(look(), signal);
        over.throwIfAborted();
        if (session) throw new DeviceError("busy", { message: `${description}: one session at a time` });
        if (atr.length === 0) throw new DeviceError("card_absent", { message: `${description}: no card` });
        return openSession();
      },
      close: wire.close,
      closed: wire.closed,
    },
  };
}

interface Frames {
  /** Sends a frame and resolves with the answer; questions wait for their turn. */
  ask(data: Uint8Array): Promise<Uint8Array>;
  /** Sends a control byte that nobody answers. */
  tell(control: number): void;
  /** Aborts with the reason when the link is over. */
  readonly over: AbortSignal;
  readonly closed: Promise<DeviceError>;
  close(): Promise<void>;
}

/** One question at a time over a byte link. The link ends when the far end speaks without being asked. */
function frames(link: Link, description: string): Frames {
  const over = new AbortController();
  let answer: ((frame: Uint8Array) => void) | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const end = async (reason: DeviceError): Promise<void> => {
    if (!over.signal.aborted) over.abort(reason);
    await link.close();
  };
  const listen = async (): Promise<never> => {
    let held: Uint8Array = new Uint8Array();
    for (;;) {
      held = concatBytes([held, await link.read(over.signal)]);
      for (let frame = firstFrame(held); frame; frame = firstFrame(held)) {
        held = held.slice(2 + frame.length);
        const take = answer;
        answer = undefined;
        if (!take) {
          throw new DeviceError("device_fault", {
            message: `${description}: the far end speaks without being asked`,
            hint: "What listens there is no virtual card: check the address",
          });
        }
        take(frame);
      }
    }
  };
  listen().catch((thrown: unknown) => end(asDeviceError(thrown, "device_fault")));

  const write = (data: Uint8Array): Promise<void> => {
    // Never with a caller's signal: a write that is given up closes the link.
    return link.write(concatBytes([Uint8Array.of(data.length >> 8, data.length & 0xff), data]), over.signal);
  };
  return {
    over: over.signal,
    closed: new Promise((resolve) => {
      over.signal.addEventListener("abort", () => resolve(over.signal.reason as DeviceError), { once: true });
    }),
    ask(data) {
      const asked = turn.then(async () => {
        const answered = new Promise<Uint8Array>((resolve) => {
          answer = resolve;
        });
        await write(data);
        return await answered;
      });
      const outcome = raceSignal(asked, over.signal);
      turn = outcome.catch(() => {});
      return outcome;
    },
    tell(control) {
      turn = turn.then(() => write(Uint8Array.of(control))).catch(() => {});
    },
    close: () => end(new DeviceError("device_absent", { message: `${description} was closed` })),
  };
}

/** The first frame of what came in, if it is complete. */
function firstFrame(held: Uint8Array): Uint8Array | undefined {
  const [high, low] = held;
  if (high === undefined || low === undefined) return undefined;
  const length = high * 256 + low;
  return held.length < 2 + length ? undefined : held.slice(2, 2 + length);
}
