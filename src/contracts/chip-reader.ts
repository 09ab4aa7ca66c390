import type { CardSession } from "../kernel/card.js";
import type { OpenDevice } from "./driver.js";

/** A reader of contactless and contact chip cards. What a card says is the business of `emrtd/`. */
export interface ChipReader extends OpenDevice {
  /** A card lies on the reader now. */
  readonly cardPresent: boolean;
  /** The one listener; called at each insertion and removal. */
  onPresence(listener: (present: boolean) => void): void;
  /**
   * The card, powered and exclusively ours until the session is closed. One at a time.
   * @throws DeviceError `card_absent`, `card_removed`, `card_error`, `busy`, `device_absent`
   */
  connect(signal: AbortSignal): Promise<CardSession>;
  /**
   * UID of a contactless card or tag, 4, 7 or 10 bytes. One that is 4 bytes long and begins with 08 is random per
   * activation (ISO 14443-3 §6.5.4) and identifies nothing.
   * @throws DeviceError as `connect`; `card_unsupported` where the card or reader has none
   */
  readUid(signal: AbortSignal): Promise<Uint8Array>;
}
