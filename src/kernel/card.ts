import type { DeviceError } from "./errors.js";

/** Carries APDUs to a chip, one at a time. */
export interface Transceiver {
  /**
   * Sends a command APDU and resolves with the response APDU, status word included (ISO 7816-4 §5.1).
   * @throws DeviceError `card_removed`, `card_error` (transmission failed, the card still lies there), `device_absent`; the signal's reason on abort.
   */
  transmit(apdu: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}

/** A powered card that nobody else speaks to meanwhile. */
export interface CardSession extends Transceiver {
  /** Answer to reset (ISO 7816-3 §8). A contactless card's is made up by the reader (PC/SC part 3 §3.1.3.2.3). */
  readonly atr: Uint8Array;
  /** Longest APDU that the reader passes on, where it tells. */
  readonly maxApduBytes: number | undefined;
  /** Resolves, never rejects, with the reason when the session is over: `card_removed`, `device_absent`, or `canceled` after `close`. */
  readonly ended: Promise<DeviceError>;
  /** Powers the card down. Idempotent, never rejects; what is under way rejects. */
  close(): Promise<void>;
}

/** A link to a card reader: APDUs instead of bytes. Like a `Link` it is async and shows no native handle. */
export interface CardReaderLink {
  /** For logs and people: "pcsc ACS ACR1252 00 00". */
  readonly description: string;
  /** Name of the reader as the system tells it. */
  readonly reader: string;
  /** A card lies on the reader now. */
  readonly present: boolean;
  /** The one listener; called at each insertion and removal. A card swapped quickly is a removal and an insertion. */
  onPresence(listener: (present: boolean) => void): void;
  /**
   * Powers the card and takes it exclusively.
   * @throws DeviceError `card_absent`, `card_removed`, `card_error` (mute), `busy` (another program has it), `device_absent`
   */
  connect(signal: AbortSignal): Promise<CardSession>;
  /** Idempotent, never rejects. */
  close(): Promise<void>;
  /** Resolves, never rejects, when the reader or the service behind it is gone. */
  readonly closed: Promise<DeviceError>;
}
