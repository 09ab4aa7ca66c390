import { asciiBytes, concatBytes, fromHex } from "../../src/kernel/bytes.js";
import { type StatusInformation, tlv } from "./fields.js";

/** Nobody's card, made up: what an indiscreet terminal tells of whichever card it is. */
export const SECRETS = {
  pan: "9704365471150018",
  spacedPan: "9704 3654 7115 0018",
  /** Of the magnetic stripe (ISO/IEC 7813). */
  track1: "B9704365471150018^LE THI NOBODY^30122011234567890123",
  track2: "9704365471150018=30122011234567890123",
  track3: "019704365471150018=70412345678901234567",
  pin: "PIN 4711",
} as const;

const { pan, spacedPan, track1, track2, track3, pin } = SECRETS;
/** Half a byte each, D between the parts, filled up with F. */
const nibbles = (track: string): Uint8Array => fromHex(`${track.replace("=", "d")}${track.length % 2 ? "f" : ""}`);
const text = (value: string): Uint8Array => asciiBytes(value);

export const INDISCREET_LINES: readonly string[] = [
  `Card No ${pan}`,
  `Card No: ${spacedPan}`,
  `${pan.slice(0, 4)}-${pan.slice(4, 8)}-${pan.slice(8, 12)}-${pan.slice(12)}`,
  `;${track2}?`,
  `%${track1}?`,
  `Track 3 ;${track3}?`,
  pin,
  `${pin.replace(" ", ": ")} EXP 12/30 CVV 4711`,
];
export const INDISCREET_TEXT = `${pan} ${pin} ;${track2}?`;

/** BMP 06: card number and track 2 equivalent as EMV has them (5A, 57), and words for the display (24, 07). */
const container = concatBytes([
  tlv("5a", fromHex(pan)),
  tlv("57", nibbles(track2)),
  tlv("24", concatBytes([spacedPan, INDISCREET_TEXT].map((line) => tlv("07", text(line))))),
]);

/** The same result, with everything that nobody should be told. */
export const indiscreet = (told: StatusInformation): StatusInformation => ({
  ...told,
  maskedPan: pan,
  expiry: "3012",
  track1: text(track1),
  track2: nibbles(track2),
  track3: nibbles(track3),
  cvv: "4711",
  cardName: `CARD ${pan}`,
  text: text(INDISCREET_TEXT),
  container,
});

/** After the status of a 04 FF: a time-out of one minute, and the same words. */
export const INDISCREET_STATUS = concatBytes([Uint8Array.of(0x01), tlv("06", container)]);
