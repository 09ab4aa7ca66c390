import type { Card } from "pcsc-mini";
import { equalBytes } from "../kernel/bytes.js";
import type { CardSession } from "../kernel/card.js";
import type { Clock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import { pcscSessionError } from "./pcsc-errors.js";
import type { PcscLibrary } from "./pcsc-service.js";

/** Largest response APDU (65,536 bytes and the status word) and what drivers put around it. */
const RESPONSE_BUFFER_BYTES = 65_548;
/** A closing does not wait longer for a native call that hangs; the next `connect` does. */
const CLOSE_WITHIN_MS = 1_000;

export interface PcscSession extends CardSession {
  /** Ends the session: what is under way rejects at once with the reason. */
  end(reason: DeviceError): void;
  /** Resolves, never rejects, when the session is over, the native call under way has returned and the card is powered down. */
  readonly released: Promise<void>;
}

export interface PcscSessionFacts {
  readonly atr: Uint8Array;
  readonly maxApduBytes: number | undefined;
  readonly description: string;
  readonly clock: Clock;
}

/** A card that was connected exclusively. */
export function pcscSession(library: PcscLibrary, card: Card, { atr, maxApduBytes, description, clock }: PcscSessionFacts): PcscSession {
  const over = new AbortController();
  const buffer = new ArrayBuffer(RESPONSE_BUFFER_BYTES);
  /** The native call: it cannot be interrupted, and the card can be given back only after it. */
  let underWay: Promise<void> | undefined;
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });

  const giveBack = async (): Promise<void> => {
    await underWay;
    new Uint8Array(buffer).fill(0);
    // Powered down, so that nobody goes on with the keys of this session.
    await card.disconnect(library.CardDisposition.UNPOWER);
  };
  const end = (reason: DeviceError): void => {
    if (over.signal.aborted) return;
    over.abort(reason);
    giveBack().then(release, release);
  };

  const exchange = async (apdu: Uint8Array): Promise<Uint8Array> => {
    try {
      const response = await card.transmit(apdu, buffer);
      // A copy: the next answer overwrites the buffer.
      if (response.length >= 2) return new Uint8Array(response);
      throw new DeviceError("card_error", { message: `${description}: an answer without status word` });
    } catch (thrown) {
      const error = pcscSessionError(thrown, description);
      const reason = error.kind === "card_error" ? await stillThere(error) : error;
      if (reason.kind === "card_removed" || reason.kind === "device_absent") end(reason);
      throw reason;
    }
  };
  /** A failed transmission looks the same whether the card was lifted or only misunderstood: a reset tells. */
  const stillThere = async (error: DeviceError): Promise<DeviceError> => {
    try {
      await card.reconnect(library.CardMode.EXCLUSIVE, library.CardDisposition.RESET);
      if (equalBytes((await card.state()).atr, atr)) return error;
      return new DeviceError("card_removed", { message: `${description}: another card lies there` });
    } catch (thrown) {
      return pcscSessionError(thrown, description);
    }
  };

  return {
    atr,
    maxApduBytes,
    released,
    end,
    ended: new Promise((resolve) => {
      over.signal.addEventListener("abort", () => resolve(over.signal.reason as DeviceError), { once: true });
    }),
    async transmit(apdu, signal) {
      signal.throwIfAborted();
      over.signal.throwIfAborted();
      if (underWay) throw new DeviceError("internal", { message: "two APDUs at once in one session" });
      const work = exchange(apdu);
      underWay = work.then(
        () => {
          underWay = undefined;
        },
        () => {
          underWay = undefined;
        },
      );
      try {
        return await raceSignal(raceSignal(work, over.signal), signal);
      } catch (thrown) {
        // Nobody knows what the card makes of an APDU that was given up, and its answer belongs to nobody.
        if (signal.aborted) end(new DeviceError("canceled", { message: `${description}: an APDU was given up` }));
        throw thrown;
      }
    },
    async close() {
      end(new DeviceError("canceled", { message: `${description}: the session was closed` }));
      await Promise.race([released, clock.sleep(CLOSE_WITHIN_MS)]);
    },
  };
}
