import type { ChipReader } from "../../../contracts/chip-reader.js";
import type { DriverContext } from "../../../contracts/driver.js";
import { toHex } from "../../../kernel/bytes.js";
import type { CardReaderLink, CardSession } from "../../../kernel/card.js";
import { raceSignal } from "../../../kernel/deadline.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { z } from "../../../kernel/schema.js";
import type { PcscConfig } from "./config.js";
import { readerFacts } from "./reader-name.js";

/** GET DATA for the UID (PC/SC part 3 §3.2.2.1.3). */
const GET_UID = Uint8Array.of(0xff, 0xca, 0, 0, 0);
/** ISO 14443-3 §6.5.4: single, double and triple size. */
const UID_SIZES: readonly number[] = [4, 7, 10];
/** Function not supported, instruction not known, class not known. */
const NO_UID: readonly string[] = ["6a81", "6d00", "6e00"];
const SHORT_APDU_BYTES = 261;

export async function open(config: z.output<typeof PcscConfig>, context: DriverContext<CardReaderLink>): Promise<ChipReader> {
  const { device } = context;
  const link = await context.connect(context.signal);
  const { identity, contactless } = readerFacts(link.reader);
  const ending = new AbortController();
  const named = (thrown: unknown): DeviceError => {
    const error = asDeviceError(thrown, "card_error");
    const { kind, message, retryable, hint, details } = error;
    return new DeviceError(kind, { device, message, retryable, hint, ...(details === undefined ? {} : { details }), cause: error });
  };

  const close = async (): Promise<void> => {
    if (!ending.signal.aborted) ending.abort(new DeviceError("device_absent", { device, message: "the device was closed" }));
    context.signal.removeEventListener("abort", onAbort);
    await link.close();
  };
  const onAbort = (): void => void close();
  context.signal.addEventListener("abort", onAbort, { once: true });
  if (context.signal.aborted) {
    await close();
    throw context.signal.reason;
  }
  const lost = link.closed.then(async (reason) => {
    await close();
    return named(reason);
  });

  const connect = async (signal: AbortSignal): Promise<CardSession> => {
    signal.throwIfAborted();
    ending.signal.throwIfAborted();
    try {
      const session = await link.connect(signal);
      return config.extendedLength ? session : withoutExtendedLength(session);
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      throw named(thrown);
    }
  };

  const readUid = async (signal: AbortSignal): Promise<Uint8Array> => {
    const session = await connect(signal);
    try {
      const response = await session.transmit(GET_UID, signal);
      const status = toHex(response.subarray(-2));
      const uid = response.slice(0, -2);
      if (status === "9000" && UID_SIZES.includes(uid.length)) return uid;
      if (status === "9000" || NO_UID.includes(status)) {
        throw new DeviceError("card_unsupported", {
          device,
          message: "this card or reader has no UID",
          hint: "Lay a contactless card on the reader",
        });
      }
      throw new DeviceError("card_error", { device, message: `the UID could not be read (${status})` });
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      throw named(thrown);
    } finally {
      await session.close();
    }
  };

  const selfTest: ChipReader["selfTest"] = async (signal) => {
    ending.signal.throwIfAborted();
    const reader = { check: "reader", ok: true, note: link.reader };
    if (!link.present) return [reader, { check: "card", ok: true, note: "no card lies on the reader" }];
    try {
      await (await raceSignal(connect(signal), ending.signal)).close();
      return [reader, { check: "card", ok: true, note: "a card lies on the reader and answers" }];
    } catch (thrown) {
      if (signal.aborted || ending.signal.aborted) throw thrown;
      const { kind, message, hint } = asDeviceError(thrown, "card_error");
      if (kind === "device_absent" || kind === "device_fault") throw thrown;
      // The reader is being used, or the card was taken away meanwhile: both show that it works.
      if (kind === "busy" || kind === "card_absent" || kind === "card_removed") return [reader, { check: "card", ok: true, note: message }];
      return [reader, { check: "card", ok: false, note: message, hint }];
    }
  };

  context.report({ state: "ready" });
  return {
    identity,
    capabilities: { version: 1, contactless, extendedApdu: config.extendedLength, uid: contactless !== false },
    lost,
    get cardPresent() {
      return link.present && !ending.signal.aborted;
    },
    onPresence: (listener) => link.onPresence(listener),
    connect,
    readUid,
    selfTest,
    close,
  };
}

function withoutExtendedLength(session: CardSession): CardSession {
  const { atr, ended } = session;
  return {
    atr,
    ended,
    maxApduBytes: Math.min(session.maxApduBytes ?? SHORT_APDU_BYTES, SHORT_APDU_BYTES),
    transmit: (apdu, signal) => session.transmit(apdu, signal),
    close: () => session.close(),
  };
}
